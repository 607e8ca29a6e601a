import {
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
  /** How long a gap is taken for reordering before it is asked for at least, microseconds. */
  readonly reorderWait: Microseconds;
  /** Most packets remembered as missing; the oldest are given up first. */
  readonly missingMax: number;
}

interface Missing {
  readonly since: Instant;
  nextAskAt: Instant;
  rounds: number;
  /** Those of the rounds that came too late for the packet to be shown. */
  lateRounds: number;
}

/** What is to be known for a request. */
export interface NackTerms {
  readonly roundTrip: Microseconds | undefined;
  /** How long packets have been overtaken of late: a gap is waited for so long, as long as there is time to ask then. */
  readonly reordering: Microseconds;
  /** By when a packet must be here; `undefined` when its frame is not known. */
  deadlineOf(sequence: Sequence): Instant | undefined;
  /** Until when it is of use to the decoder after that; −∞: it is of none. */
  referenceDeadlines(): (sequence: Sequence) => Instant;
}

/** Packets to ask for. */
export interface Asked {
  /** Those that can still be shown in time. */
  readonly inTime: readonly Sequence[];
  /** Those that are of use to the decoder alone, and until when. */
  readonly late: readonly Sequence[];
  readonly lateUntil: Instant;
}

/** No request is repeated sooner than this, however short the path: an answer takes time to make as well. */
const REPEAT_MIN: Microseconds = milliseconds(5);
/** Before the round trip is known. */
const ROUND_TRIP_DEFAULT: Microseconds = milliseconds(50);
/** One NACK packet asks for no more than this, so that it fits any path. */
const REQUESTS_PER_POLL = 256;

const NOTHING: Asked = { inTime: [], late: [], lateUntil: instant(Number.NEGATIVE_INFINITY) };

/**
 * Which packets to ask for again, and when (generic NACK, RFC 4585 §6.2.1): once the reorder wait is over, then once a
 * round trip; when the answer would have to be late, only as long as frames that can be decoded refer to it.
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

  /** A packet that should have been here by now is not. */
  onMissing(now: Instant, sequence: Sequence): void {
    if (this.#missing.has(sequence)) return;
    if (this.#missing.size >= this.#options.missingMax) {
      const oldest = this.#missing.keys().next().value;
      if (oldest !== undefined) this.#missing.delete(oldest);
    }
    const nextAskAt = later(now, this.#options.reorderWait);
    this.#missing.set(sequence, { since: now, nextAskAt, rounds: 0, lateRounds: 0 });
    if (this.#nextAt === undefined || nextAskAt < this.#nextAt) this.#nextAt = nextAskAt;
  }

  /** How often the packet was asked for. */
  roundsOf(sequence: Sequence): number {
    return this.#missing.get(sequence)?.rounds ?? 0;
  }

  /** The packet is here. @returns since when it was missing, if it was. */
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
          // Too late for this one, and later will be no better; it may still come by itself.
          if (now + expected >= until) missing.nextAskAt = NEVER;
          else if (missing.rounds === 0 && now < missing.since + reordering) {
            missing.nextAskAt = later(missing.since, reordering);
          } else if (!this.#late.take(now, repeat)) missing.nextAskAt = instant(now + repeat);
          else {
            missing.nextAskAt = later(now, LateRequests.interval(repeat, ++missing.lateRounds));
            missing.rounds++;
            late.push(sequence);
            lateUntil = latest(lateUntil, until);
          }
        } else {
          missing.nextAskAt = instant(now + repeat);
          missing.rounds++;
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
