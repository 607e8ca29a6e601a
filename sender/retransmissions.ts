import type { Importance } from '../protocol/access-unit.ts';
import { type Instant, type Microseconds, microseconds, milliseconds } from '../protocol/base/units.ts';
import type { RequestNotice } from '../protocol/rtcp/recovery-notice.ts';
import type { PacketSource } from '../protocol/rtp/packet-source.ts';
import { RETRANSMISSION_OVERHEAD_BYTES, wrapRetransmission } from '../protocol/rtp/retransmission.ts';
import {
  asSequence,
  extend,
  type Sequence,
  type WireSequence,
  type WireTimestamp,
  wireSequence,
  wireTimestamp,
} from '../protocol/rtp/sequence.ts';
import type { HistoryBudget } from './history-budget.ts';
import { type Kept, PacketHistory } from './packet-history.ts';
import type { ForwardRepair } from './repair/forward-repair.ts';
import { repairsOfLastAnswer, repairsOfLateAnswer } from './repair/repair-budget.ts';
import { TokenBucket } from './repair/token-bucket.ts';
import type { SenderStatistics } from './sender-statistics.ts';

export interface RetransmissionOptions {
  /** SSRC of retransmissions; `undefined` when every request is refused. */
  readonly retransmissionSsrc?: number;
  readonly retransmissionPayloadType?: number;
  readonly initialSequence: number;
  readonly historyPackets: number;
  readonly historyTime: Microseconds;
  /** Bytes allowed per byte of media, 0 … 1. */
  readonly redundancy: number;
}

/** A media packet that leaves. */
export interface HistoryPacket {
  readonly sequence: Sequence;
  readonly datagram: Uint8Array;
  readonly importance: Importance;
  readonly source: PacketSource | undefined;
}

/** A NACK and the request notice that came with it. */
export interface AnswerableRequest {
  readonly wires: readonly WireSequence[];
  readonly notice?: RequestNotice | undefined;
}

/** Assumed round trip before it is measured: a request within this of the last answer concerns the same loss. */
const ROUND_TRIP_DEFAULT: Microseconds = milliseconds(10);
/**
 * Request numbers remembered. Copies of a request arrive within milliseconds, with at most this many others between.
 */
const NUMBERS_MAX = 256;
/** Budget closed to discardable frames: some six packets of other frames. */
const RESERVED_BYTES = 8_000;
/** Budget kept for answers in time: when less is left, late packets get at most half of the earnings. */
const RESERVED_FROM_LATE_BYTES = 12_000;
const LATE_SHARE = 0.5;
const LATE_BYTES_MAX = 128_000;
/**
 * Permitted overdraft for late packets, repaid first. Every frame after a late one waits for it, and at the start of a
 * stream a lost packet of the key frame would otherwise wait until the stream has earned it.
 */
const LATE_ADVANCE_BYTES: Readonly<Record<Importance, number>> = { key: 32_000, reference: 8_000, discardable: 0 };

const RANK: Readonly<Record<Importance, number>> = { key: 0, reference: 1, discardable: 2 };
const RANK_LATE = 3;

/** Order of answers: packets that can still be shown in time before late ones; within each, more important frames first. */
const rankOf = (kept: readonly Kept[], notice: RequestNotice | undefined): number =>
  Math.min(...kept.map(({ importance }) => RANK[importance])) + (notice?.late ? RANK_LATE : 0);

/**
 * Answers requests from the history within the budget, most important frames first. Skips answers that would be too
 * late.
 */
export class Retransmissions {
  readonly #options: RetransmissionOptions;
  readonly #history: PacketHistory;
  readonly #budget: TokenBucket;
  readonly #repair: ForwardRepair | undefined;
  readonly #worthOf: (importance: Importance) => number;
  readonly #statistics: SenderStatistics;
  /** Part of the budget for packets too late to be shown. */
  readonly #lateBudget: TokenBucket;
  readonly #answered = new Set<number>();
  #sequence: Sequence;

  constructor(
    options: RetransmissionOptions,
    parts: {
      budget: TokenBucket;
      history: HistoryBudget;
      repair: ForwardRepair | undefined;
      worthOf: (importance: Importance) => number;
      statistics: SenderStatistics;
    },
  ) {
    this.#options = options;
    const { historyPackets: packetsMax, historyTime: keptFor } = options;
    this.#history = new PacketHistory({ packetsMax, keptFor, budget: parts.history });
    this.#budget = parts.budget;
    this.#lateBudget = new TokenBucket({
      share: options.redundancy * LATE_SHARE,
      bytesMax: LATE_BYTES_MAX,
      advance: LATE_ADVANCE_BYTES.key,
    });
    this.#repair = parts.repair;
    this.#worthOf = parts.worthOf;
    this.#statistics = parts.statistics;
    this.#sequence = asSequence(options.initialSequence ^ 0x5555);
  }

  /** @param packet with a source that is retained in its place, or itself retained. */
  keep(now: Instant, packet: HistoryPacket): void {
    this.#history.keep(packet.sequence, packet.datagram, now, packet.importance, packet.source);
    this.#lateBudget.earn(packet.datagram.length);
  }

  /**
   * @param requests of one datagram.
   * @param highest the newest sequence number sent.
   * @returns the datagrams to send, in order.
   */
  answer(now: Instant, requests: readonly AnswerableRequest[], highest: Sequence): Uint8Array[] {
    const found: { notice: RequestNotice | undefined; kept: Kept[]; rank: number }[] = [];
    for (const { wires, notice } of requests) {
      if (notice && this.#isCopy(notice)) continue;
      const kept = wires.flatMap((wire) => this.#history.find(extend(wire, highest)) ?? []);
      this.#statistics.requestsRefused += wires.length - kept.length;
      if (kept.length === 0) continue;
      if (notice && notice.usefulFor < (this.#roundTrip * 7) / 8) this.#statistics.requestsRefused += kept.length;
      else found.push({ notice, kept, rank: rankOf(kept, notice) });
    }
    found.sort((one, other) => one.rank - other.rank);
    return found.flatMap(({ notice, kept }) => this.#answerOne(now, kept, notice));
  }

  get #roundTrip(): Microseconds {
    return this.#statistics.roundTrip ?? microseconds(0);
  }

  #isCopy({ number }: RequestNotice): boolean {
    if (this.#answered.has(number)) return true;
    if (this.#answered.size >= NUMBERS_MAX) this.#answered.delete(this.#answered.keys().next().value!);
    this.#answered.add(number);
    return false;
  }

  #answerOne(now: Instant, kept: readonly Kept[], notice: RequestNotice | undefined): Uint8Array[] {
    const { last = false, late = false } = notice ?? {};
    const datagrams: Uint8Array[] = [];
    for (const packet of kept) {
      const datagram = this.#again(now, packet, { last, late });
      if (datagram) datagrams.push(datagram);
    }
    const path = this.#repair?.path;
    if (!(last || late) || !this.#repair || !path || datagrams.length < kept.length) return datagrams;
    const importance = kept[0]!.importance;
    const sequences = kept.map(({ sequence }) => sequence);
    const window = {
      firstSequence: asSequence(Math.min(...sequences)),
      lastSequence: asSequence(Math.max(...sequences)),
      timestamp: timestampOf(datagrams[0]!),
    };
    const count = late
      ? repairsOfLateAnswer(kept.length, path)
      : repairsOfLastAnswer(kept.length, path, this.#worthOf(importance) * this.#repair.thrift);
    const repairs = this.#repair.repairs(window, count);
    if (late) for (const { length } of repairs) this.#countLate(length);
    return [...datagrams, ...repairs];
  }

  #again(now: Instant, kept: Kept, { last, late }: { last: boolean; late: boolean }): Uint8Array | undefined {
    const { retransmissionSsrc: ssrc, retransmissionPayloadType: payloadType } = this.#options;
    const guard = this.#statistics.roundTrip ?? ROUND_TRIP_DEFAULT;
    // One answer per round trip: a second request that crossed the first answer is redundant. The tolerance of an
    // eighth allows for the inexact spacing of the receiver's requests.
    const recent = !last && kept.resentAt !== undefined && now - kept.resentAt < (guard * 7) / 8;
    const offered = ssrc !== undefined && payloadType !== undefined;
    const bytes = bytesAgain(kept);
    if (!offered || recent || !this.#spend(bytes, kept.importance, late)) {
      this.#statistics.requestsRefused++;
      return undefined;
    }
    kept.resentAt = now;
    const datagram = wrapRetransmission(kept.datagram, {
      ssrc,
      payloadType,
      sequenceNumber: wireSequence(this.#sequence++ & 0xffff),
    });
    this.#statistics.retransmissions++;
    this.#statistics.retransmissionBytes += datagram.length;
    if (late) this.#countLate(datagram.length);
    return datagram;
  }

  /** Late packets share the whole budget while enough is left for answers in time. */
  #spend(bytes: number, importance: Importance, late: boolean): boolean {
    if (!late) return this.#budget.spend(bytes, importance === 'discardable' ? RESERVED_BYTES : 0);
    if (this.#budget.spend(bytes, RESERVED_FROM_LATE_BYTES)) return true;
    if (this.#lateBudget.bytes < bytes) return false;
    return this.#budget.spend(bytes, -LATE_ADVANCE_BYTES[importance]) && this.#lateBudget.spend(bytes);
  }

  #countLate(bytes: number): void {
    this.#statistics.lateBytes += bytes;
  }
}

/** Size of the retransmission, which includes the original sequence number (RFC 4588 §4). */
const bytesAgain = ({ bytes }: Kept): number => bytes + RETRANSMISSION_OVERHEAD_BYTES;

/** Timestamp of an RTP packet; a retransmission has that of the original (RFC 4588 §4). */
const timestampOf = (datagram: Uint8Array): WireTimestamp =>
  wireTimestamp((datagram[4]! << 24) | (datagram[5]! << 16) | (datagram[6]! << 8) | datagram[7]!);
