import { formatAddress } from '../../io/net/host-address.ts';
import { base64Bytes } from '../../protocol/base/text-codec.ts';
import type { CapturedStream } from '../../protocol/capture/captured-session.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import type { AcceptedWelcome } from '../../protocol/control/stream-choice.ts';
import {
  DECODE_LEAD_ELEMENT,
  DECODE_LEAD_URN,
  FRAME_EDGE_ELEMENT,
  FRAME_EDGE_URN,
  FRAME_MARK_ELEMENT,
  FRAME_MARK_URN,
} from '../../protocol/rtp/frame-mark.ts';
import { TCP_DEFAULTS } from '../../sim/tcp/tcp-options.ts';
import type { Client, ClientEvents } from './client.ts';
import { noticeText } from './client-texts.ts';
import { StreamClient, type StreamClientOptions } from './stream-client.ts';

const EXTENSIONS = new Map([
  [FRAME_MARK_ELEMENT, FRAME_MARK_URN],
  [DECODE_LEAD_ELEMENT, DECODE_LEAD_URN],
  [FRAME_EDGE_ELEMENT, FRAME_EDGE_URN],
]);

const setsOf = (texts: readonly string[]): Uint8Array[] => texts.map(base64Bytes).filter((set) => set !== undefined);

/** Streams of a welcome as they are on the path. */
function capturedStreams(welcome: AcceptedWelcome): CapturedStream[] {
  const { codec: codecName, ssrc, payloadType, parameterSets, repairSsrc, repairPayloadType, sound } = welcome;
  const codec = codecByName(codecName);
  const retransmission = { ssrc: welcome.retransmissionSsrc, payloadType: welcome.retransmissionPayloadType };
  const repair =
    repairSsrc === undefined || repairPayloadType === undefined ? undefined : { payloadType: repairPayloadType };
  const video = { codecName, clockRate: codec.clockRate, ssrc, payloadType, parameterSets, retransmission, repair };
  return [video, ...(sound ? [{ ...sound, codecName: sound.codec }] : [])].map((stream) => ({
    codec: codecByName(stream.codecName),
    payloadType: stream.payloadType,
    clockRate: stream.clockRate,
    ssrc: stream.ssrc,
    parameterSets: setsOf(stream.parameterSets),
    retransmission: stream.retransmission,
    repair: stream.repair,
    extensions: EXTENSIONS,
    feedback: { nack: true, pictureLoss: true, fullIntra: false },
  }));
}

/** A client of dropframe's own sender (`dropframe://`). */
export const dropframeClient =
  (options: Omit<StreamClientOptions, keyof ClientEvents | 'onNotice' | 'onWelcome'>) =>
  (events: ClientEvents): Client => {
    const client = new StreamClient({
      ...options,
      ...events,
      onWaiting: (cause) => events.onWaiting(`waiting for the sender at ${formatAddress(options)} (${cause})`),
      onNotice: (notice) => events.onWaiting(noticeText(notice, options)),
      onWelcome: (welcome) => {
        const { codec: codecName, media, parameterSets, sound, latencyMs, position } = welcome;
        const announcement = {
          codecName,
          media,
          parameterSets: setsOf(parameterSets),
          sound: sound && {
            codecName: sound.codec,
            decoder: sound.decoder,
            parameterSets: setsOf(sound.parameterSets),
          },
          latencyMs,
          position,
        };
        events.onStream(announcement, capturedStreams(welcome));
      },
    });
    return {
      get sessions() {
        return client.sessions;
      },
      get sessionCount() {
        return client.sessionCount;
      },
      get sound() {
        return client.sound;
      },
      get transports() {
        return client.transports;
      },
      get sessionCauses() {
        return client.sessionCauses;
      },
      get hostFaults() {
        return client.hostFaults;
      },
      encrypted: (options.fingerprint ?? options.passphrase) !== undefined,
      get segments() {
        return client.segments;
      },
      get modeledTcp() {
        const { transport, link, congestionControl = TCP_DEFAULTS.congestionControl } = options;
        return transport === 'tcp' && link ? { congestionControl, sessions: client.modeledTcp } : undefined;
      },
      get stalledFor() {
        return client.stalledFor;
      },
      run: () => client.run(),
      stop: () => client.stop(),
      setPlaying: (playing) => client.setPlaying(playing),
      requestKeyFrame: () => client.requestKeyFrame(),
    };
  };
