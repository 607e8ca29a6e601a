import type { ReceiverMessage, SenderMessage } from '../protocol/control/control-message.ts';
import { CONTROL_MAJOR } from '../protocol/control/control-version.ts';

/** Messages of a receiver's session, in order. */
export const RECEIVER_MESSAGES: readonly ReceiverMessage[] = [
  { kind: 'hello', version: CONTROL_MAJOR, transport: 'udp', latencyMs: 120, recovery: 'hybrid', playing: true },
  { kind: 'attach', session: '0123456789abcdef', key: '0123456789abcdef0123456789abcdef' },
  { kind: 'report-source', ssrc: 7 },
  { kind: 'request-keyframe' },
  { kind: 'pause' },
  { kind: 'play' },
  {
    kind: 'statistics',
    frames: 100,
    framesLost: 1,
    framesLate: 0,
    packets: 1_000,
    packetsLost: 3,
    packetsRecovered: 2,
    delayMsP50: 120.5,
    delayMsP95: null,
    roundTripMs: 20,
  },
  { kind: 'keep-alive' },
  { kind: 'goodbye', reason: 'stopped' },
];

/** Messages of a sender's session, in order. */
export const SENDER_MESSAGES: readonly SenderMessage[] = [
  {
    kind: 'welcome',
    version: CONTROL_MAJOR,
    minor: 1,
    session: '0123456789abcdef',
    key: '0123456789abcdef0123456789abcdef',
    media: {
      name: 'film.mp4',
      codec: 'avc1.42c01e',
      width: 640,
      height: 360,
      framesPerSecond: 30,
      durationMs: 30_000,
      mode: 'copy',
    },
    ssrc: 1,
    retransmissionSsrc: 2,
    payloadType: 96,
    retransmissionPayloadType: 97,
    repairSsrc: 4,
    repairPayloadType: 98,
    initialSequence: 65_000,
    timestampBase: 4_000_000_000,
    datagramBytesMax: 1_200,
    parameterSets: ['Z0LAHtoCgPbARAAAAwAEAAADAPA8WLqA', 'aM4PLIA='],
    latencyMs: 120,
    position: 'start',
  },
  { kind: 'keep-alive' },
  { kind: 'keyframe', inMs: 400 },
  { kind: 'sent', frames: 30, packets: 100, refused: 0 },
  { kind: 'end-of-stream', frames: 60, packets: 200, lastSequence: 65_200 },
  { kind: 'goodbye', reason: 'end of stream' },
  { kind: 'refused', reason: 'all places are taken' },
];
