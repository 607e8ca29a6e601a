import { CONTROL_USER_AGENT, frameMarksFor } from '../protocol/control/control-version.ts';
import { wireSequence, wireTimestamp } from '../protocol/rtp/sequence.ts';
import {
  type SentStreamParameters,
  STREAM_DEFAULTS,
  type StreamParameters,
  streamParameters,
} from '../protocol/stream-parameters.ts';

/** SSRCs of a stream between two simulated ends: the same in every run, so that runs can be compared to the byte. */
export const MEDIA_SSRC = 1;
export const RETRANSMISSION_SSRC = 2;
export const REPORT_SSRC = 3;
export const REPAIR_SSRC = 4;

/** Those of the sound beside it. */
export const SOUND_SSRC = 5;
export const SOUND_RETRANSMISSION_SSRC = 6;
export const SOUND_REPORT_SSRC = 7;
export const SOUND_REPAIR_SSRC = 8;

/** Both numbers wrap after a few hundred packets and some minutes, as they do in the field. */
export const SIMULATED_START = { initialSequence: wireSequence(65_000), timestampBase: wireTimestamp(4_000_000_000) };

/**
 * Returns the parameters of a stream on the virtual clock, on which `agreed` was agreed. Frame marks are those of a
 * session between two ends of this version.
 */
export function simulatedStream(agreed: Partial<Omit<StreamParameters, 'ssrc'>>): SentStreamParameters {
  const { retransmissionPayloadType, repairPayloadType } = STREAM_DEFAULTS;
  return streamParameters({
    ...SIMULATED_START,
    ssrc: MEDIA_SSRC,
    retransmission: { ssrc: RETRANSMISSION_SSRC, payloadType: retransmissionPayloadType },
    repair: { ssrc: REPAIR_SSRC, payloadType: repairPayloadType },
    frameMarks: frameMarksFor(CONTROL_USER_AGENT),
    ...agreed,
  });
}

/** The same of the sound that is sent beside a stream. */
export function simulatedSound(
  agreed: Partial<Omit<StreamParameters, 'ssrc'>> & Pick<StreamParameters, 'codec'>,
): SentStreamParameters {
  return {
    ...simulatedStream({
      payloadType: 100,
      ...agreed,
      retransmission: { ssrc: SOUND_RETRANSMISSION_SSRC, payloadType: 101 },
      repair: { ssrc: SOUND_REPAIR_SSRC, payloadType: 102 },
    }),
    ssrc: SOUND_SSRC,
  };
}
