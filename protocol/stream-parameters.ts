import { CLOCK_RATE, type Microseconds, microseconds, milliseconds } from './base/units.ts';
import type { CodecName } from './codec/codecs.ts';
import { MEND_MS_DEFAULT } from './control/latency-limit.ts';
import type { Recovery } from './control/recovery.ts';
import type { WireSequence, WireTimestamp } from './rtp/sequence.ts';

/** An RTP stream beside the media stream, for its retransmissions (RFC 4588) or its repair packets. */
export interface CompanionStream {
  readonly ssrc: number;
  readonly payloadType: number;
}

/**
 * Parameters of one media stream, as agreed between its sender and its receiver. Made once, by `streamParameters`;
 * `senderOptions` and `receiverOptions` derive from them how each end is set up.
 *
 * In a session description (RFC 8866) they are: `transport` and `feedback` the protocol of the `m=` line, `payloadType`
 * and `clockRate` `a=rtpmap`, `ssrc` `a=ssrc` (RFC 5576), `retransmission` and `repair` payload types of their own with
 * an `a=ssrc-group`, `frameMarks` `a=extmap` (RFC 8285 §5). On the control channel they are part of `hello` and
 * `welcome` (`control/stream-agreement.ts`).
 */
export interface StreamParameters {
  /** `udp`: one packet a datagram; `tcp`: RFC 4571 frames on a connection, which loses and reorders nothing. */
  readonly transport: 'udp' | 'tcp';
  /** Codec of the access units, which also decides on their RTP payload format. */
  readonly codec: CodecName;
  /** The media stream's SSRC; `undefined` when a receiver learns it from the first packet. */
  readonly ssrc?: number;
  /** RTP payload type of the media, 0 … 127. */
  readonly payloadType: number;
  /** RTP clock, ticks a second. */
  readonly clockRate: number;
  /** `undefined` when the sender retransmits nothing. */
  readonly retransmission?: CompanionStream;
  /** `undefined` when the sender makes no repair packets. */
  readonly repair?: CompanionStream;
  /** The first packet's sequence number as on the wire; `undefined` when a receiver was not told. */
  readonly initialSequence?: WireSequence;
  /** The wire timestamp of media time 0; `undefined` when a receiver was not told. */
  readonly timestampBase?: WireTimestamp;
  /** True when each packet carries our frame mark (`rtp/frame-mark.ts`). */
  readonly frameMarks: boolean;
  /** The first frame's number in its mark, 0 … 65535. */
  readonly initialFrameNumber: number;
  /** True when the receiver sends RTCP back: reports, requests. */
  readonly feedback: boolean;
  /** Loss recovery in force. */
  readonly recovery: Recovery;
  /** Bytes of retransmission and repair allowed for each byte of media, 0 … 1. */
  readonly redundancy: number;
  /** Play-out delay above the fastest transit seen. */
  readonly latency: Microseconds;
  /** How long after its deadline a frame that others refer to is still asked for, so that they can be decoded; 0: not. */
  readonly mend: Microseconds;
  /** Largest datagram, UDP payload bytes. */
  readonly datagramBytesMax: number;
}

/** The same with what only its sender always knows. */
export interface SentStreamParameters extends StreamParameters {
  /** The media stream's SSRC, 32 bits. */
  readonly ssrc: number;
  /** The first packet's sequence number as on the wire, 0 … 65,535. */
  readonly initialSequence: WireSequence;
  /** The wire timestamp of media time 0, 32 bits. */
  readonly timestampBase: WireTimestamp;
}

/** Our own streams, where nothing else was agreed. Payload types are dynamic ones (RFC 3551 §3). */
export const STREAM_DEFAULTS = {
  transport: 'udp',
  codec: 'h264',
  payloadType: 96,
  retransmissionPayloadType: 97,
  repairPayloadType: 98,
  clockRate: CLOCK_RATE,
  frameMarks: true,
  initialFrameNumber: 0,
  feedback: true,
  recovery: 'hybrid',
  redundancy: 0.25,
  latency: milliseconds(120),
  mend: milliseconds(MEND_MS_DEFAULT),
  datagramBytesMax: 1_200,
} as const;

/** Recoveries whose sender transmits more than the media. */
const REDUNDANT: ReadonlySet<Recovery> = new Set(['nack', 'fec', 'hybrid']);
/** Those whose receiver asks for what is missing. */
const ASKING: ReadonlySet<Recovery> = new Set(['nack', 'hybrid']);
/** Those of them with repair packets. */
const REPAIRING: ReadonlySet<Recovery> = new Set(['fec', 'hybrid']);

type Agreed<Parameters extends StreamParameters> = Partial<Parameters> &
  Pick<
    Parameters,
    { [Key in keyof Parameters]: Key extends keyof typeof STREAM_DEFAULTS ? never : Key }[keyof Parameters]
  >;

/**
 * Returns the parameters of a stream for which `agreed` was agreed: defaults filled in, and nothing kept that the
 * transport or the recovery makes void. TCP recovers by itself, so that packets are at most put in order there; a
 * recovery that sends nothing beside the media has no redundancy; repair packets exist for `fec` and `hybrid` alone.
 */
export function streamParameters(agreed: Agreed<SentStreamParameters>): SentStreamParameters;
export function streamParameters(agreed: Agreed<StreamParameters>): StreamParameters;
export function streamParameters({ repair, ...agreed }: Agreed<StreamParameters>): StreamParameters {
  const { retransmissionPayloadType: _, repairPayloadType: __, ...defaults } = STREAM_DEFAULTS;
  const parameters = { ...defaults, ...agreed };
  const recovery = parameters.transport === 'tcp' ? 'reorder' : parameters.recovery;
  return {
    ...parameters,
    recovery,
    redundancy: REDUNDANT.has(recovery) ? parameters.redundancy : 0,
    mend: ASKING.has(recovery) ? parameters.mend : microseconds(0),
    ...(repair && REPAIRING.has(recovery) && { repair }),
  };
}
