import {
  checkBoolean,
  checkChoice,
  checkKeys,
  checkNumber,
  checkShare,
  checkWhole,
  refused,
} from './base/option-checks.ts';
import { type Microseconds, microseconds, milliseconds } from './base/units.ts';
import type { Codec } from './codec/codec.ts';
import { DEFAULT_CODEC } from './codec/codecs.ts';
import { LATENCY_MS_MAX, MEND_MS_DEFAULT, MEND_MS_MAX } from './control/latency-limit.ts';
import { RECOVERIES, type Recovery } from './control/recovery.ts';
import type { WireSequence, WireTimestamp } from './rtp/sequence.ts';

/** Additional RTP stream for retransmissions (RFC 4588) or repair packets. */
export interface CompanionStream {
  readonly ssrc: number;
  readonly payloadType: number;
}

/**
 * Parameters of one media stream, as agreed between its sender and its receiver. Made once, by `streamParameters`;
 * `senderOptions` and `receiverOptions` derive the options of each end from them.
 *
 * In a session description (RFC 8866) they are: `transport` and `feedback` the protocol of the `m=` line, `payloadType`
 * and `clockRate` `a=rtpmap`, `ssrc` `a=ssrc` (RFC 5576), `retransmission` and `repair` payload types of their own with
 * an `a=ssrc-group`, `frameMarks` `a=extmap` (RFC 8285 §5). On the control channel they are part of `hello` and
 * `welcome` (`control/stream-agreement.ts`).
 */
export interface StreamParameters {
  /** `udp`: one packet per datagram; `tcp`: RFC 4571 frames on a connection, without loss and reordering. */
  readonly transport: 'udp' | 'tcp';
  /** Codec of the access units; it also determines the RTP payload format. */
  readonly codec: Codec;
  /** SSRC of the media stream; `undefined` when a receiver learns it from the first packet. */
  readonly ssrc?: number;
  /** RTP payload type of the media, 0 … 127. */
  readonly payloadType: number;
  /** RTP clock rate, ticks per second: the codec's. Media time is 90 kHz whatever it is (`rtp/rtp-clock.ts`). */
  readonly clockRate: number;
  /** `undefined` when the sender does not retransmit. */
  readonly retransmission?: CompanionStream;
  /** `undefined` when the sender sends no repair packets. */
  readonly repair?: CompanionStream;
  /** Wire sequence number of the first packet; `undefined` when a receiver does not know it. */
  readonly initialSequence?: WireSequence;
  /** Wire timestamp of media time 0; `undefined` when a receiver does not know it. */
  readonly timestampBase?: WireTimestamp;
  /**
   * True when every packet carries a frame mark (`rtp/frame-mark.ts`); `edges` when the first, the last, the middle (from eight
   * packets on) and every 32nd packet of a frame do, which the receivers of control protocol 1.3 understand.
   */
  readonly frameMarks: boolean | 'edges';
  /** Frame number of the first frame mark, 0 … 65535. */
  readonly initialFrameNumber: number;
  /** True when the receiver sends RTCP: reports and requests. */
  readonly feedback: boolean;
  /** Loss recovery in force. */
  readonly recovery: Recovery;
  /** Bytes of retransmission and repair allowed per byte of media, 0 … 1. */
  readonly redundancy: number;
  /** Play-out delay above the fastest observed transit. */
  readonly latency: Microseconds;
  /**
   * Time after its deadline for which a missing reference frame is still requested, so that later frames can be
   * decoded; 0 disables.
   */
  readonly mend: Microseconds;
  /** Largest datagram, UDP payload bytes. */
  readonly datagramBytesMax: number;
}

/** `StreamParameters` with the fields that the sender always knows. */
export interface SentStreamParameters extends StreamParameters {
  /** The media stream's SSRC, 32 bits. */
  readonly ssrc: number;
  /** Wire sequence number of the first packet, 0 … 65,535. */
  readonly initialSequence: WireSequence;
  /** Wire timestamp of media time 0, 32 bits. */
  readonly timestampBase: WireTimestamp;
}

/** Defaults of our own streams. Payload types are from the dynamic range (RFC 3551 §3). */
export const STREAM_DEFAULTS = {
  transport: 'udp',
  codec: DEFAULT_CODEC,
  payloadType: 96,
  retransmissionPayloadType: 97,
  repairPayloadType: 98,
  clockRate: DEFAULT_CODEC.clockRate,
  frameMarks: true,
  initialFrameNumber: 0,
  feedback: true,
  recovery: 'hybrid',
  redundancy: 0.25,
  latency: milliseconds(120),
  mend: milliseconds(MEND_MS_DEFAULT),
  datagramBytesMax: 1_200,
} as const;

/** Recoveries whose sender transmits redundancy. */
const REDUNDANT: ReadonlySet<Recovery> = new Set(['nack', 'fec', 'hybrid']);
/** Recoveries whose receiver requests missing packets. */
const ASKING: ReadonlySet<Recovery> = new Set(['nack', 'hybrid']);
/** Recoveries with repair packets. */
const REPAIRING: ReadonlySet<Recovery> = new Set(['fec', 'hybrid']);

/** Parameters given to `streamParameters`: those without a default are required. */
export type AgreedStream<Parameters extends StreamParameters> = Partial<Parameters> &
  Pick<
    Parameters,
    { [Key in keyof Parameters]: Key extends keyof typeof STREAM_DEFAULTS ? never : Key }[keyof Parameters]
  >;

/**
 * Fills in defaults, and removes parameters that do not apply. TCP leaves nothing to recover, so the recovery is `none`
 * there; a recovery without redundancy has a redundancy of 0; repair packets exist for `fec` and `hybrid` only.
 * @throws {RangeError} when a parameter is out of its range.
 */
export function streamParameters(agreed: AgreedStream<SentStreamParameters>): SentStreamParameters;
export function streamParameters(agreed: AgreedStream<StreamParameters>): StreamParameters;
export function streamParameters({ repair, ...agreed }: AgreedStream<StreamParameters>): StreamParameters {
  const { retransmissionPayloadType: _, repairPayloadType: __, ...defaults } = STREAM_DEFAULTS;
  const codec = checkCodec(agreed.codec ?? defaults.codec);
  const parameters = { ...defaults, clockRate: codec.clockRate, ...agreed };
  checkParameters(repair ? { ...parameters, repair } : parameters);
  const recovery = parameters.transport === 'tcp' ? 'none' : parameters.recovery;
  return {
    ...parameters,
    recovery,
    redundancy: REDUNDANT.has(recovery) ? parameters.redundancy : 0,
    mend: ASKING.has(recovery) ? parameters.mend : microseconds(0),
    ...(repair && REPAIRING.has(recovery) && { repair }),
  };
}

const MEMBERS = Object.keys({
  transport: true,
  codec: true,
  ssrc: true,
  payloadType: true,
  clockRate: true,
  retransmission: true,
  repair: true,
  initialSequence: true,
  timestampBase: true,
  frameMarks: true,
  initialFrameNumber: true,
  feedback: true,
  recovery: true,
  redundancy: true,
  latency: true,
  mend: true,
  datagramBytesMax: true,
} satisfies Record<keyof StreamParameters, true>);
const WORD = { min: 0, max: 0xffff_ffff };
const HALF_WORD = { min: 0, max: 0xffff };
const PAYLOAD_TYPE = { min: 0, max: 127 };

function checkCodec(codec: Codec): Codec {
  if (typeof codec === 'object' && codec !== null && typeof codec.packetize === 'function') return codec;
  throw refused('codec', "a Codec, such as codecByName('h264')", codec);
}

/** Checks every parameter, for callers without types. */
function checkParameters(parameters: StreamParameters): void {
  checkKeys(parameters, MEMBERS);
  checkChoice('transport', parameters.transport, ['udp', 'tcp']);
  checkWhole('payloadType', parameters.payloadType, PAYLOAD_TYPE);
  checkWhole('clockRate', parameters.clockRate, { min: 1, max: 0xffff_ffff });
  for (const name of ['ssrc', 'timestampBase'] as const) {
    if (parameters[name] !== undefined) checkWhole(name, parameters[name], WORD);
  }
  if (parameters.initialSequence !== undefined) checkWhole('initialSequence', parameters.initialSequence, HALF_WORD);
  for (const name of ['retransmission', 'repair'] as const) {
    const companion = parameters[name];
    if (companion === undefined) continue;
    checkWhole(`${name}.ssrc`, companion.ssrc, WORD);
    checkWhole(`${name}.payloadType`, companion.payloadType, PAYLOAD_TYPE);
  }
  if (parameters.frameMarks !== 'edges') checkBoolean('frameMarks', parameters.frameMarks);
  checkWhole('initialFrameNumber', parameters.initialFrameNumber, HALF_WORD);
  checkBoolean('feedback', parameters.feedback);
  checkChoice('recovery', parameters.recovery, RECOVERIES);
  checkShare('redundancy', parameters.redundancy);
  checkNumber('latency', parameters.latency, 'microseconds', { min: 0, max: LATENCY_MS_MAX * 1_000 });
  checkNumber('mend', parameters.mend, 'microseconds', { min: 0, max: MEND_MS_MAX * 1_000 });
  checkWhole('datagramBytesMax', parameters.datagramBytesMax, { min: 300, max: 65_535 });
}
