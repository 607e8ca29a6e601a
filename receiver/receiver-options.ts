import { type Microseconds, microseconds, milliseconds, SECOND, type Ticks } from '../protocol/base/units.ts';
import type { Codec } from '../protocol/codec/codec.ts';
import type { Recovery } from '../protocol/control/recovery.ts';
import type { WireSequence, WireTimestamp } from '../protocol/rtp/sequence.ts';
import type { StreamParameters } from '../protocol/stream-parameters.ts';
import { CLOCK_WINDOW, PlayoutClock } from './frames/playout-clock.ts';
import type { RecoveryFactory } from './recovery/loss-recovery.ts';

export type { Recovery } from '../protocol/control/recovery.ts';

/** Options of a receiver, derived from the stream's parameters by `receiverOptions`. */
export interface ReceiverOptions {
  /** Codec of the access units; it also determines the RTP payload format. */
  readonly codec: Codec;
  /** RTP clock rate, ticks per second; access units are timed at 90 kHz whatever it is. */
  readonly clockRate: number;
  /** SSRC of the stream; `undefined` to take that of the first packet (plain RTP). */
  readonly ssrc?: number;
  /** RTP payload type of the media; `undefined` to accept any. */
  readonly payloadType?: number;
  /** SSRC of retransmissions; `undefined` when there are none. */
  readonly retransmissionSsrc?: number;
  /** RTP payload type of retransmissions. */
  readonly retransmissionPayloadType?: number;
  /** SSRC of repair packets; `undefined` when there are none. */
  readonly repairSsrc?: number;
  /** RTP payload type of repair packets. */
  readonly repairPayloadType?: number;
  /** Largest media datagram that repair packets can recover, UDP payload bytes. */
  readonly datagramBytesMax: number;
  /** Own SSRC for reports and requests. */
  readonly reportSsrc: number;
  /** Canonical name in RTCP (RFC 3550 §6.5.1). */
  readonly cname: string;
  /** Wire sequence number of the first packet; `undefined` when unknown. */
  readonly initialSequence?: WireSequence;
  /** Frame number of the first frame mark; `undefined` when unknown. */
  readonly initialFrameNumber?: number;
  /** Wire timestamp of media time 0. */
  readonly timestampBase?: WireTimestamp;
  /** Play-out delay above the fastest observed transit, microseconds. */
  readonly latency: Microseconds;
  /**
   * `none`: discard out-of-order packets; `reorder`: accept them until their deadline; `nack`: request missing packets;
   * `fec`: recover from repair packets; `hybrid`: request by deadline when there is time, and use repair packets when
   * there is not.
   */
  readonly recovery: Recovery;
  /**
   * Custom loss recovery in place of the one that `recovery` selects. Use with `nack`, whose sender answers requests.
   */
  readonly createRecovery?: RecoveryFactory;
  /**
   * After the loss of a reference: `freeze` releases nothing until the next key frame, `smear` every complete frame.
   */
  readonly onLoss: 'freeze' | 'smear';
  /** `deadline`: release a frame at its deadline; `asap`: as soon as it can be decoded. */
  readonly release: 'deadline' | 'asap';
  /**
   * Time after its deadline for which a missing reference frame is mended, so that later frames can be decoded,
   * microseconds; 0 to drop it. Applies to recoveries with requests (`nack`, `hybrid`), and not to `smear`.
   */
  readonly mend: Microseconds;
  /**
   * True when every frame is recorded, shown or not: while a frame is mended after its deadline, discardable ones are
   * too, and the sender does not drop those that would be late.
   */
  readonly records: boolean;
  /** True when frames are recorded and never shown: a key frame does not end the mending of those before it. */
  readonly recordsOnly: boolean;
  /** Limit of bytes held in frames past their deadline while a frame is being mended. */
  readonly heldBytesMax: number;
  /** `drop` an overdue frame, or `wait` and release it late (for transports without loss). */
  readonly overdue: 'drop' | 'wait';
  /** Time for which a gap counts as reordering before it is requested, microseconds. */
  readonly reorderWait: Microseconds;
  /** Maximum number of frames held. */
  readonly framesMax: number;
  /** True to read our frame mark from header extensions; other senders may use the same ids for other elements. */
  readonly frameMarks: boolean;
  /** True to send reports; false for plain RTP without a return path. */
  readonly reports: boolean;
  /** A sender of another program, which knows RTCP but none of our notices; `undefined` for one of ours. */
  readonly foreign?: ForeignSender;
  /** True when the stream comes by several paths, so that a packet may arrive after it was repaired; false by default. */
  readonly multipath?: boolean;
}

/** Sender of plain RTP, as its session description announces it. */
export interface ForeignSender {
  /** True when it takes requests for a key frame (PLI). */
  readonly keyFrames: boolean;
  /** Payload type of its retransmissions; `undefined` when it is learned from the first (RFC 4588 §5.3). */
  readonly retransmissionPayloadType?: number | undefined;
  /** Longest time between two reports, microseconds; 1 s by default. */
  readonly reportInterval?: Microseconds | undefined;
}

/** Settings that are local to the receiver and not negotiated. */
export type ReceiverSettings = Pick<
  ReceiverOptions,
  | 'cname'
  | 'createRecovery'
  | 'onLoss'
  | 'release'
  | 'records'
  | 'recordsOnly'
  | 'heldBytesMax'
  | 'reorderWait'
  | 'framesMax'
  | 'reportSsrc'
  | 'multipath'
>;

export const RECEIVER_DEFAULTS = {
  cname: 'dropframe',
  onLoss: 'freeze',
  release: 'deadline',
  records: false,
  recordsOnly: false,
  heldBytesMax: 32_000_000,
  reorderWait: milliseconds(3),
} as const satisfies Partial<ReceiverSettings>;

/** Frames held at least, and the frame rate up to which all frames of the latency and of the time for mending are. */
const FRAMES_MAX_LEAST = 1_024;
const FRAMES_PER_SECOND_MAX = 240;

/** Returns the options of the receiver of a stream with these parameters. */
export function receiverOptions(
  parameters: StreamParameters,
  settings: Partial<ReceiverSettings> & Pick<ReceiverSettings, 'reportSsrc'>,
): ReceiverOptions {
  const { ssrc, retransmission, repair, initialSequence, timestampBase, frameMarks, initialFrameNumber } = parameters;
  const heldFor = parameters.latency + parameters.mend;
  return {
    ...RECEIVER_DEFAULTS,
    framesMax: Math.max(FRAMES_MAX_LEAST, Math.ceil((FRAMES_PER_SECOND_MAX * heldFor) / SECOND)),
    ...settings,
    ...(ssrc !== undefined && { ssrc }),
    codec: parameters.codec,
    clockRate: parameters.clockRate,
    payloadType: parameters.payloadType,
    ...(retransmission && {
      retransmissionSsrc: retransmission.ssrc,
      retransmissionPayloadType: retransmission.payloadType,
    }),
    ...(repair && { repairSsrc: repair.ssrc, repairPayloadType: repair.payloadType }),
    datagramBytesMax: parameters.datagramBytesMax,
    ...(initialSequence !== undefined && { initialSequence }),
    ...(timestampBase !== undefined && { timestampBase }),
    frameMarks: frameMarks !== false,
    ...(frameMarks && { initialFrameNumber }),
    latency: parameters.latency,
    mend: parameters.mend,
    recovery: parameters.recovery,
    overdue: parameters.transport === 'tcp' ? 'wait' : 'drop',
    reports: parameters.feedback,
  };
}

/** Returns the play-out clock of a receiver with these options. */
export const playoutClockOf = (options: ReceiverOptions): PlayoutClock =>
  new PlayoutClock({
    latency: options.latency,
    mend: mendOf(options),
    window: CLOCK_WINDOW,
    followsStalls: options.overdue === 'drop',
  });

/** Time for which a receiver with these options mends frames after their deadline; 0 when it drops them. */
export function mendOf({ recovery, onLoss, overdue, mend }: ReceiverOptions): Microseconds {
  const asks = recovery === 'nack' || recovery === 'hybrid';
  return asks && onLoss === 'freeze' && overdue === 'drop' ? mend : microseconds(0);
}

/** Buffer limit for plain RTP, packets; the oldest are dropped. */
export const PLAIN_PACKETS_MAX = 16_384;

/** Media time: relative to the sender's base, or to the first packet when that is unknown. */
export type MediaTime = Ticks;
