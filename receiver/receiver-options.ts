import { type Microseconds, microseconds, milliseconds, type Ticks } from '../protocol/base/units.ts';
import type { Codec } from '../protocol/codec/codec.ts';
import { codecByName } from '../protocol/codec/codecs.ts';
import type { Recovery } from '../protocol/control/recovery.ts';
import type { WireSequence, WireTimestamp } from '../protocol/rtp/sequence.ts';
import type { StreamParameters } from '../protocol/stream-parameters.ts';
import type { RecoveryFactory } from './recovery/loss-recovery.ts';

export type { Recovery } from '../protocol/control/recovery.ts';

/** How a receiver is set up. Derived from the stream's parameters by `receiverOptions`. */
export interface ReceiverOptions {
  /** Codec of the access units, which also decides on their RTP payload format. */
  readonly codec: Codec;
  /** The stream's SSRC; `undefined`: that of the first packet (plain RTP from a stranger). */
  readonly ssrc?: number;
  /** RTP payload type of the media; `undefined`: any. */
  readonly payloadType?: number;
  /** SSRC of retransmissions; `undefined` when there are none. */
  readonly retransmissionSsrc?: number;
  /** RTP payload type of retransmissions. */
  readonly retransmissionPayloadType?: number;
  /** Of repair packets; `undefined`: there are none. */
  readonly repairSsrc?: number;
  /** RTP payload type of repair packets. */
  readonly repairPayloadType?: number;
  /** The largest media datagram that repair packets can bring back, UDP payload bytes. */
  readonly datagramBytesMax: number;
  /** Our own SSRC, for reports and requests. */
  readonly reportSsrc: number;
  /** RTCP's canonical name (RFC 3550 §6.5.1). */
  readonly cname: string;
  /** The first packet's sequence number as on the wire; `undefined` when the sender did not tell it. */
  readonly initialSequence?: WireSequence;
  /** The first frame's number in its mark; `undefined` when the sender did not tell it. */
  readonly initialFrameNumber?: number;
  /** The wire timestamp of media time 0. */
  readonly timestampBase?: WireTimestamp;
  /** Play-out delay above the fastest transit seen, microseconds. */
  readonly latency: Microseconds;
  /**
   * `none`: a packet that comes after a later one is not used; `reorder`: it is, until its deadline; `nack`: and what
   * is missing is asked for again; `fec`: what repair packets bring back is; `hybrid`: by deadline,
   * asked for again where there is time, and with repair packets where there is not.
   */
  readonly recovery: Recovery;
  /** A loss recovery of one's own in place of the requests of `recovery`; `nack` suits it, whose sender answers requests. */
  readonly createRecovery?: RecoveryFactory;
  /** What follows a lost reference: nothing until the next key frame, or whatever is whole. */
  readonly onLoss: 'freeze' | 'smear';
  /** `deadline`: a frame is released when it is due; `asap`: as soon as it can be decoded. */
  readonly release: 'deadline' | 'asap';
  /**
   * How long after its deadline a frame that others refer to is still mended, so that it can be decoded, microseconds;
   * 0: it is dropped. Only recoveries that ask (`nack`, `hybrid`) mend, and not where damage is shown (`smear`).
   */
  readonly mend: Microseconds;
  /** Bytes of frames past their deadline that are held at most for a frame that is being mended. */
  readonly heldBytesMax: number;
  /** Whether an overdue frame is dropped, or waited for and released late (a transport that loses nothing). */
  readonly overdue: 'drop' | 'wait';
  /** How long a gap is taken for reordering before it is asked for, microseconds. */
  readonly reorderWait: Microseconds;
  /** Frames held at most. */
  readonly framesMax: number;
  /** Whether header extensions are read for our frame mark; a stranger's use the same ids for things of their own. */
  readonly frameMarks: boolean;
  /** Whether reports are sent; a stranger's RTP has no way back. */
  readonly reports: boolean;
}

/** The receiver's own settings, on which its sender has no say. */
export type ReceiverSettings = Pick<
  ReceiverOptions,
  'cname' | 'createRecovery' | 'onLoss' | 'release' | 'heldBytesMax' | 'reorderWait' | 'framesMax' | 'reportSsrc'
>;

export const RECEIVER_DEFAULTS = {
  cname: 'dropframe',
  onLoss: 'freeze',
  release: 'deadline',
  heldBytesMax: 32_000_000,
  reorderWait: milliseconds(3),
  framesMax: 1024,
} as const satisfies Partial<ReceiverSettings>;

/** Returns the options of the receiver of a stream with these parameters. */
export function receiverOptions(
  parameters: StreamParameters,
  settings: Partial<ReceiverSettings> & Pick<ReceiverSettings, 'reportSsrc'>,
): ReceiverOptions {
  const { ssrc, retransmission, repair, initialSequence, timestampBase, frameMarks, initialFrameNumber } = parameters;
  return {
    ...RECEIVER_DEFAULTS,
    ...settings,
    ...(ssrc !== undefined && { ssrc }),
    codec: codecByName(parameters.codec),
    payloadType: parameters.payloadType,
    ...(retransmission && {
      retransmissionSsrc: retransmission.ssrc,
      retransmissionPayloadType: retransmission.payloadType,
    }),
    ...(repair && { repairSsrc: repair.ssrc, repairPayloadType: repair.payloadType }),
    datagramBytesMax: parameters.datagramBytesMax,
    ...(initialSequence !== undefined && { initialSequence }),
    ...(timestampBase !== undefined && { timestampBase }),
    frameMarks,
    ...(frameMarks && { initialFrameNumber }),
    latency: parameters.latency,
    mend: parameters.mend,
    recovery: parameters.recovery,
    overdue: parameters.transport === 'tcp' ? 'wait' : 'drop',
    reports: parameters.feedback,
  };
}

/** How long frames are mended after their deadline by a receiver with these options; 0 when it drops them. */
export function mendOf({ recovery, onLoss, overdue, mend }: ReceiverOptions): Microseconds {
  const asks = recovery === 'nack' || recovery === 'hybrid';
  return asks && onLoss === 'freeze' && overdue === 'drop' ? mend : microseconds(0);
}

/** What a stranger's stream may hold in its buffer before the oldest must go. */
export const PLAIN_PACKETS_MAX = 16_384;

/** Media time stands where the sender says, or begins at the first packet's. */
export type MediaTime = Ticks;
