import type { Importance } from '../protocol/access-unit.ts';
import type { Instant, Microseconds } from '../protocol/base/instant.ts';
import type { RequestNotice } from '../protocol/rtcp/recovery-notice.ts';
import { RETRANSMISSION_OVERHEAD_BYTES, wrapRetransmission } from '../protocol/rtp/retransmission.ts';
import { extend, type Sequence, type WireSequence } from '../protocol/rtp/sequence.ts';
import { type Kept, PacketHistory } from './packet-history.ts';
import type { ForwardRepair } from './repair/forward-repair.ts';
import { repairsOfLastAnswer } from './repair/repair-budget.ts';
import type { TokenBucket } from './repair/token-bucket.ts';
import type { SenderStatistics } from './sender-statistics.ts';

export interface RetransmissionOptions {
  /** SSRC of retransmissions; `undefined` when every request is refused. */
  readonly retransmissionSsrc?: number;
  readonly retransmissionPayloadType?: number;
  readonly initialSequence: number;
  readonly historyPackets: number;
}

/** A NACK, and what the receiver said of it. */
export interface AnswerableRequest {
  readonly wires: readonly WireSequence[];
  readonly notice?: RequestNotice | undefined;
}

/** Before anything is measured: a request within this of the last answer is taken for the same loss. */
const ROUND_TRIP_DEFAULT: Microseconds = 10_000;
/** Copies of a request come within some milliseconds; so many others may come in between. */
const NUMBERS_MAX = 256;
/** What is not for discardable frames: some six packets of others. */
const RESERVED_BYTES = 8_000;

const RANK: Readonly<Record<Importance, number>> = { key: 0, reference: 1, discardable: 2 };

/** Answers requests from the history, within the budget: what others depend on first, and nothing that must be late. */
export class Retransmissions {
  readonly #options: RetransmissionOptions;
  readonly #history: PacketHistory;
  readonly #budget: TokenBucket;
  readonly #repair: ForwardRepair | undefined;
  readonly #statistics: SenderStatistics;
  readonly #answered = new Set<number>();
  #sequence: number;

  constructor(
    options: RetransmissionOptions,
    parts: { budget: TokenBucket; repair: ForwardRepair | undefined; statistics: SenderStatistics },
  ) {
    this.#options = options;
    this.#history = new PacketHistory(options.historyPackets);
    this.#budget = parts.budget;
    this.#repair = parts.repair;
    this.#statistics = parts.statistics;
    this.#sequence = options.initialSequence ^ 0x5555;
  }

  keep(now: Instant, packet: { sequence: Sequence; datagram: Uint8Array; importance: Importance }): void {
    this.#history.keep(packet.sequence, packet.datagram, now, packet.importance);
  }

  /**
   * @param requests of one datagram.
   * @param highest the newest sequence number sent.
   * @returns the datagrams to send, in their order.
   */
  answer(now: Instant, requests: readonly AnswerableRequest[], highest: Sequence): Uint8Array[] {
    const found: { notice: RequestNotice | undefined; kept: Kept[]; rank: number }[] = [];
    for (const { wires, notice } of requests) {
      if (notice && this.#isCopy(notice)) continue;
      const kept = wires.flatMap((wire) => this.#history.find(extend(wire, highest)) ?? []);
      this.#statistics.requestsRefused += wires.length - kept.length;
      if (kept.length === 0) continue;
      if (notice && notice.usefulFor < (this.#roundTrip * 7) / 8) this.#statistics.requestsRefused += kept.length;
      else found.push({ notice, kept, rank: Math.min(...kept.map(({ importance }) => RANK[importance])) });
    }
    found.sort((one, other) => one.rank - other.rank);
    return found.flatMap(({ notice, kept }) => this.#answerOne(now, kept, notice));
  }

  get #roundTrip(): Microseconds {
    return this.#statistics.roundTrip ?? 0;
  }

  #isCopy({ number }: RequestNotice): boolean {
    if (this.#answered.has(number)) return true;
    if (this.#answered.size >= NUMBERS_MAX) this.#answered.delete(this.#answered.keys().next().value!);
    this.#answered.add(number);
    return false;
  }

  #answerOne(now: Instant, kept: readonly Kept[], notice: RequestNotice | undefined): Uint8Array[] {
    const last = notice?.last === true;
    const datagrams: Uint8Array[] = [];
    for (const packet of kept) {
      const datagram = this.#again(now, packet, last);
      if (datagram) datagrams.push(datagram);
    }
    const path = this.#repair?.path;
    if (!last || !this.#repair || !path || datagrams.length < kept.length) return datagrams;
    const importance = kept[0]!.importance;
    const sequences = kept.map(({ sequence }) => sequence);
    const window = {
      firstSequence: Math.min(...sequences),
      lastSequence: Math.max(...sequences),
      timestamp: timestampOf(kept[0]!.datagram),
    };
    const repairs = this.#repair.repairs(window, repairsOfLastAnswer(kept.length, path, importance));
    return [...datagrams, ...repairs];
  }

  #again(now: Instant, kept: Kept, last: boolean): Uint8Array | undefined {
    const { retransmissionSsrc: ssrc, retransmissionPayloadType: payloadType } = this.#options;
    const guard = this.#statistics.roundTrip ?? ROUND_TRIP_DEFAULT;
    // One answer a round trip: a second request that crossed the first answer asks for nothing new. The slack of an
    // eighth is the receiver's own spacing of its requests, which is no exact clock.
    const recent = !last && kept.resentAt !== undefined && now - kept.resentAt < (guard * 7) / 8;
    const reserve = kept.importance === 'discardable' ? RESERVED_BYTES : 0;
    const offered = ssrc !== undefined && payloadType !== undefined;
    if (!offered || recent || !this.#budget.spend(bytesAgain(kept.datagram), reserve)) {
      this.#statistics.requestsRefused++;
      return undefined;
    }
    kept.resentAt = now;
    const datagram = wrapRetransmission(kept.datagram, {
      ssrc,
      payloadType,
      sequenceNumber: this.#sequence++ & 0xffff,
    });
    this.#statistics.retransmissions++;
    this.#statistics.retransmissionBytes += datagram.length;
    return datagram;
  }
}

/** Length of the retransmission: with the number that it had first (RFC 4588 §4). */
const bytesAgain = (datagram: Uint8Array): number => datagram.length + RETRANSMISSION_OVERHEAD_BYTES;

const timestampOf = (datagram: Uint8Array): number =>
  ((datagram[4]! << 24) | (datagram[5]! << 16) | (datagram[6]! << 8) | datagram[7]!) >>> 0;
