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

/** Both numbers wrap after a few hundred packets and some minutes, as they do in the field. */
export const SIMULATED_START = { initialSequence: wireSequence(65_000), timestampBase: wireTimestamp(4_000_000_000) };

/** Returns the parameters of a stream on the virtual clock, on which `agreed` was agreed. */
export function simulatedStream(agreed: Partial<Omit<StreamParameters, 'ssrc'>>): SentStreamParameters {
  const { retransmissionPayloadType, repairPayloadType } = STREAM_DEFAULTS;
  return streamParameters({
    ...SIMULATED_START,
    ssrc: MEDIA_SSRC,
    retransmission: { ssrc: RETRANSMISSION_SSRC, payloadType: retransmissionPayloadType },
    repair: { ssrc: REPAIR_SSRC, payloadType: repairPayloadType },
    ...agreed,
  });
}
