import { type Microseconds, microseconds, milliseconds, seconds } from '../protocol/base/units.ts';
import { codecByName } from '../protocol/codec/codecs.ts';
import type { Recovery } from '../protocol/control/recovery.ts';
import type { SentStreamParameters } from '../protocol/stream-parameters.ts';
import type { HistoryBudget } from './history-budget.ts';
import type { PacketizerOptions } from './packetizer.ts';
import type { RateController } from './rate/rate-controller.ts';
import { RateLimit } from './rate/rate-limit.ts';

/** How a sender is set up. Derived from the stream's parameters by `senderOptions`. */
export interface SenderOptions extends PacketizerOptions {
  /** SSRC of retransmissions; `undefined` when every request for one is refused. */
  readonly retransmissionSsrc?: number;
  /** RTP payload type of retransmissions. */
  readonly retransmissionPayloadType?: number;
  /** The receiver's choice: `fec` and `hybrid` make repair packets, for which media packets are somewhat shorter. */
  readonly recovery: Recovery;
  /** SSRC of repair packets; `undefined` when there are none. */
  readonly repairSsrc?: number;
  /** RTP payload type of repair packets. */
  readonly repairPayloadType?: number;
  /** RTCP's canonical name (RFC 3550 §6.5.1). */
  readonly cname: string;
  /** Limit of packets kept for retransmission. */
  readonly historyPackets: number;
  /** Time that a packet is kept for retransmission. */
  readonly historyTime: Microseconds;
  /** Bytes of packets kept, shared with the senders of other receivers; `undefined` when they are this sender's alone. */
  readonly historyBudget?: HistoryBudget;
  /** How long after its deadline the receiver still asks for a frame, microseconds; 0 when it does not. */
  readonly mend: Microseconds;
  /** Bytes of retransmission and repair allowed for each byte of media, 0 … 1. */
  readonly redundancy: number;
  /** Datagrams that leave at once, 1 or more: a frame of no more goes in one piece, a larger one in groups. */
  readonly burstDatagrams: number;
  /** Longest time over which a large frame is spread, however long its frame interval, microseconds. */
  readonly spreadMax: Microseconds;
  /** Most bytes that may wait to be sent; frames beyond are refused whole. */
  readonly queueBytesMax: number;
  /** Makes the controller of the rate, one for each sender. */
  readonly createRateController: () => RateController;
}

/** The sender's own settings, on which its receiver has no say. */
export type SenderSettings = Pick<
  SenderOptions,
  | 'cname'
  | 'historyPackets'
  | 'historyBudget'
  | 'burstDatagrams'
  | 'spreadMax'
  | 'queueBytesMax'
  | 'createRateController'
>;

export const SENDER_DEFAULTS: SenderSettings = {
  cname: 'dropframe',
  historyPackets: 32_768,
  burstDatagrams: 16,
  spreadMax: milliseconds(50),
  queueBytesMax: 32_000_000,
  createRateController: () => new RateLimit(),
};

/** Bytes of packets kept for retransmission, for all receivers of a stream together. */
export const HISTORY_BYTES = 128_000_000;
/** Longer than a packet is of use: a request and its answer are under way for a while. */
const HISTORY_MARGIN: Microseconds = seconds(1);

/** Spreading a frame uses up the receiver's latency: at most this share of it. */
const SPREAD_OF_LATENCY = 0.5;

/** Returns the options of the sender of a stream with these parameters. */
export function senderOptions(parameters: SentStreamParameters, settings: Partial<SenderSettings> = {}): SenderOptions {
  const { retransmission, repair, latency, mend } = parameters;
  const own = { ...SENDER_DEFAULTS, ...settings };
  return {
    ...own,
    codec: codecByName(parameters.codec),
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
    mend,
    historyTime: microseconds(latency + mend + HISTORY_MARGIN),
    spreadMax: microseconds(Math.min(own.spreadMax, latency * SPREAD_OF_LATENCY)),
  };
}
