import { type Microseconds, microseconds, milliseconds, seconds } from '../protocol/base/units.ts';
import type { Recovery } from '../protocol/control/recovery.ts';
import type { SentStreamParameters } from '../protocol/stream-parameters.ts';
import type { HistoryBudget } from './history-budget.ts';
import type { PacketizerOptions } from './packetizer.ts';
import { createRateController, type RateControl, type RateTerms } from './rate/rate-control.ts';
import type { RateController } from './rate/rate-controller.ts';
import type { PathRepairOptions } from './repair/path-repair.ts';

/** Options of a sender, derived from the stream's parameters by `senderOptions`. */
export interface SenderOptions extends PacketizerOptions {
  /** SSRC of retransmissions; `undefined` when every request for one is refused. */
  readonly retransmissionSsrc?: number;
  /** RTP payload type of retransmissions. */
  readonly retransmissionPayloadType?: number;
  /**
   * Recovery chosen by the receiver. `fec` and `hybrid` send repair packets, which makes media packets slightly
   * shorter.
   */
  readonly recovery: Recovery;
  /** SSRC of repair packets; `undefined` when there are none. */
  readonly repairSsrc?: number;
  /** RTP payload type of repair packets. */
  readonly repairPayloadType?: number;
  /** Canonical name in RTCP (RFC 3550 §6.5.1). */
  readonly cname: string;
  /** Limit of packets kept for retransmission. */
  readonly historyPackets: number;
  /** Time that a packet is kept for retransmission. */
  readonly historyTime: Microseconds;
  /**
   * Byte budget of the history, shared with the senders of other receivers; `undefined` when this sender has its own.
   */
  readonly historyBudget?: HistoryBudget;
  /** Play-out delay of the receiver above the fastest observed transit. */
  readonly latency: Microseconds;
  /** Time after its deadline for which the receiver still requests a frame, microseconds; 0 when it does not. */
  readonly mend: Microseconds;
  /** Bytes of retransmission and repair allowed per byte of media, 0 … 1. */
  readonly redundancy: number;
  /**
   * Datagrams that leave at once, 1 or more: a frame of at most this many leaves in one piece, a larger one in groups.
   */
  readonly burstDatagrams: number;
  /** Longest time over which a large frame is spread, however long its frame interval, microseconds. */
  readonly spreadMax: Microseconds;
  /** Limit of the send queue, bytes; a frame that does not fit is refused as a whole. */
  readonly queueBytesMax: number;
  /** Creates the rate controller; called once per sender. */
  readonly createRateController: () => RateController;
  /** With two paths: repair packets against the failure of either; absent with one path. */
  readonly pathRepair?: PathRepairOptions;
}

/** Settings that are local to the sender and not negotiated. */
export type SenderSettings = Pick<
  SenderOptions,
  'cname' | 'historyPackets' | 'historyBudget' | 'burstDatagrams' | 'spreadMax' | 'queueBytesMax' | 'pathRepair'
> & {
  /** Rate control by name, or a custom factory; called once per sender. */
  readonly rate: RateControl | ((terms: RateTerms) => RateController);
};

export const SENDER_DEFAULTS: SenderSettings = {
  cname: 'dropframe',
  historyPackets: 32_768,
  burstDatagrams: 16,
  spreadMax: milliseconds(50),
  queueBytesMax: 32_000_000,
  rate: 'measured',
};

/** Bytes of packets kept for retransmission, for all receivers of a stream together. */
export const HISTORY_BYTES = 128_000_000;
/** Added to the useful life of a packet, because a request and its answer take time. */
const HISTORY_MARGIN: Microseconds = seconds(1);

/** Largest share of the receiver's latency that spreading a frame may use. */
const SPREAD_OF_LATENCY = 0.5;

/** Returns the options of the sender of a stream with these parameters. */
export function senderOptions(parameters: SentStreamParameters, settings: Partial<SenderSettings> = {}): SenderOptions {
  const { retransmission, repair, latency, mend } = parameters;
  const { rate, ...own } = { ...SENDER_DEFAULTS, ...settings };
  const terms = { latency };
  return {
    ...own,
    codec: parameters.codec,
    clockRate: parameters.clockRate,
    ssrc: parameters.ssrc,
    payloadType: parameters.payloadType,
    initialSequence: parameters.initialSequence,
    timestampBase: parameters.timestampBase,
    initialFrameNumber: parameters.initialFrameNumber,
    datagramBytesMax: parameters.datagramBytesMax,
    frameMarks: parameters.frameMarks,
    ...(retransmission && {
      retransmissionSsrc: retransmission.ssrc,
      retransmissionPayloadType: retransmission.payloadType,
    }),
    ...(repair && { repairSsrc: repair.ssrc, repairPayloadType: repair.payloadType }),
    recovery: parameters.recovery,
    redundancy: parameters.redundancy,
    latency,
    mend,
    createRateController: () => (typeof rate === 'function' ? rate(terms) : createRateController(rate, terms)),
    historyTime: microseconds(latency + mend + HISTORY_MARGIN),
    spreadMax: microseconds(Math.min(own.spreadMax, latency * SPREAD_OF_LATENCY)),
  };
}
