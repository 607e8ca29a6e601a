import {
  elapsed,
  type Instant,
  instant,
  later,
  latest,
  type Microseconds,
  microseconds,
  milliseconds,
  NEVER,
} from '../../protocol/base/units.ts';
import type { Sequence } from '../../protocol/rtp/sequence.ts';
import { LateRequests } from './late-requests.ts';

export interface NackGeneratorOptions {
  /** Minimum time for which a gap counts as reordering before it is requested, microseconds. */
  readonly reorderWait: Microseconds;
  /** Maximum number of missing packets tracked; the oldest are dropped first. */
  readonly missingMax: number;
}

interface Missing {
  readonly since: Instant;
  nextAskAt: Instant;
  /** Time of the first request. */
  askedAt: Instant | undefined;
  rounds: number;
  /** Rounds after the packet became too late to be shown. */
  lateRounds: number;
}

/** Inputs of a retransmission request. */
export interface NackTerms {
  readonly roundTrip: Microseconds | undefined;
  /** Recent reordering delay: a gap is waited for this long if there is time for a request afterwards. */
  readonly reordering: Microseconds;
  /** Time by which a packet must arrive; `undefined` when its frame is unknown. */
  deadlineOf(sequence: Sequence): Instant | undefined;
  /**
   * Returns a function from a packet to the time until which it is useful to the decoder after that; −∞ when it is not.
   */
  referenceDeadlines(): (sequence: Sequence) => Instant;
}

/** Packets to request. */
export interface Asked {
  /** Packets that can still be shown in time. */
  readonly inTime: readonly Sequence[];
  /** Packets that serve the decoder only, and the time until which they do. */
  readonly late: readonly Sequence[];
  readonly lateUntil: Instant;
}

/** Shortest interval between requests for a packet: even on a short path the answer takes time. */
const REPEAT_MIN: Microseconds = milliseconds(5);
/** Assumed round trip until it is measured. */
const ROUND_TRIP_DEFAULT: Microseconds = milliseconds(50);
/** Maximum packets per NACK, so that it fits any path. */
const REQUESTS_PER_POLL = 256;

const NOTHING: Asked = { inTime: [], late: [], lateUntil: instant(Number.NEGATIVE_INFINITY) };

/**
 * Schedules retransmission requests (generic NACK, RFC 4585 §6.2.1): the first after the reorder wait, then one per
 * round trip. When an answer would be late, requests continue only while decodable frames refer to the packet.
 */
export class NackGenerator {
  readonly #options: NackGeneratorOptions;
  readonly #missing = new Map<Sequence, Missing>();
  readonly #late = new LateRequests();
  #nextAt: Instant | undefined;
  #requests = 0;

  constructor(options: NackGeneratorOptions) {
    this.#options = options;
  }

  /** Requests made so far, each for one packet. */
  get requests(): number {
    return this.#requests;
  }

  get missing(): number {
    return this.#missing.size;
  }

  /** A packet is missing. */
  onMissing(now: Instant, sequence: Sequence): void {
    if (this.#missing.has(sequence)) return;
    if (this.#missing.size >= this.#options.missingMax) {
      const oldest = this.#missing.keys().next().value;
      if (oldest !== undefined) this.#missing.delete(oldest);
    }
    const nextAskAt = later(now, this.#options.reorderWait);
    this.#missing.set(sequence, { since: now, nextAskAt, askedAt: undefined, rounds: 0, lateRounds: 0 });
    if (this.#nextAt === undefined || nextAskAt < this.#nextAt) this.#nextAt = nextAskAt;
  }

  isMissing(sequence: Sequence): boolean {
    return this.#missing.has(sequence);
  }

  /**
   * Time since the first request for this packet, and whether it is the only one, so that an arrival now answers it.
   */
  askedFor(now: Instant, sequence: Sequence): { readonly time: Microseconds; readonly once: boolean } | undefined {
    const { askedAt, rounds } = this.#missing.get(sequence) ?? { askedAt: undefined, rounds: 0 };
    return askedAt === undefined ? undefined : { time: elapsed(askedAt, now), once: rounds === 1 };
  }

  /** Number of requests made for the packet. */
  roundsOf(sequence: Sequence): number {
    return this.#missing.get(sequence)?.rounds ?? 0;
  }

  /** The packet has arrived. @returns the time since which it was missing, if it was. */
  onArrival(sequence: Sequence): Instant | undefined {
    const missing = this.#missing.get(sequence);
    if (missing) this.#missing.delete(sequence);
    return missing?.since;
  }

  /** Everything up to and including `sequence` has been decided. */
  forgetThrough(sequence: Sequence): void {
    if (this.#missing.size === 0) return;
    for (const candidate of this.#missing.keys()) if (candidate <= sequence) this.#missing.delete(candidate);
    if (this.#missing.size === 0) this.#nextAt = undefined;
  }

  poll(now: Instant, { roundTrip, reordering, deadlineOf, referenceDeadlines }: NackTerms): Asked {
    if (this.#nextAt === undefined || now < this.#nextAt) return NOTHING;
    const expected = roundTrip ?? ROUND_TRIP_DEFAULT;
    const repeat = microseconds(Math.max(REPEAT_MIN, expected + expected / 8));
    const asked: Sequence[] = [];
    const late: Sequence[] = [];
    let lateUntil = instant(Number.NEGATIVE_INFINITY);
    let usefulUntil: ((sequence: Sequence) => Instant) | undefined;
    let nextAt = NEVER;
    for (const [sequence, missing] of this.#missing) {
      if (missing.nextAskAt <= now && asked.length < REQUESTS_PER_POLL) {
        const deadline = deadlineOf(sequence);
        const waitUntil = instant(
          Math.min(missing.since + reordering, (deadline ?? Number.POSITIVE_INFINITY) - repeat),
        );
        if (missing.rounds === 0 && now < waitUntil) {
          missing.nextAskAt = waitUntil;
        } else if (deadline !== undefined && now + expected >= deadline) {
          usefulUntil ??= referenceDeadlines();
          const until = usefulUntil(sequence);
          // Too late for a request now and later; the packet may still arrive by itself.
          if (now + expected >= until) missing.nextAskAt = NEVER;
          else if (missing.rounds === 0 && now < missing.since + reordering) {
            missing.nextAskAt = later(missing.since, reordering);
          } else if (!this.#late.take(now, repeat)) missing.nextAskAt = instant(now + repeat);
          else {
            missing.nextAskAt = later(now, LateRequests.interval(repeat, ++missing.lateRounds));
            missing.rounds++;
            missing.askedAt ??= now;
            late.push(sequence);
            lateUntil = latest(lateUntil, until);
          }
        } else {
          missing.rounds++;
          missing.askedAt ??= now;
          // Without a deadline nothing else ends the requests.
          const interval = deadline === undefined ? LateRequests.interval(repeat, missing.rounds) : repeat;
          missing.nextAskAt = later(now, interval);
          asked.push(sequence);
        }
      }
      if (missing.nextAskAt < nextAt) nextAt = missing.nextAskAt;
    }
    this.#nextAt = Number.isFinite(nextAt) ? nextAt : undefined;
    this.#requests += asked.length + late.length;
    return { inTime: asked.sort((a, b) => a - b), late: late.sort((a, b) => a - b), lateUntil };
  }

  pollTimeout(): Instant | undefined {
    return this.#nextAt;
  }
}
