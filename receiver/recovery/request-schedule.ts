import type { Instant, Microseconds } from '../../protocol/base/instant.ts';
import type { Sequence } from '../../protocol/rtp/sequence.ts';
import { MISSING_MAX } from './loss-recovery.ts';

/** What the schedule needs to know of the path and of the frames. */
export interface Terms {
  /** From a request to its answer, the variation of the path included. */
  readonly answerTime: Microseconds;
  /** What of it is variation. */
  readonly spread: Microseconds;
  /** How long a gap is taken for reordering, where that costs no round trip. */
  readonly reorderWait: Microseconds;
  /** A gap is so much more likely to be a straggler than a loss that not even another attempt is worth asking early. */
  readonly stragglersLikely: boolean;
  /** So many gaps are stragglers that all of them are waited for, whatever that costs. */
  readonly patient: boolean;
  /** `undefined`: not known; -∞: of no use. */
  deadlineOf(sequence: Sequence): Instant | undefined;
}

/** Packets of one frame, to be asked for together. */
export interface Request {
  readonly deadline: Instant;
  /** No later request can be answered in time. */
  readonly last: boolean;
  readonly sequences: readonly Sequence[];
  /** How long after the request its copies may be spread without costing a round trip. */
  readonly spare: Microseconds;
}

interface Missing {
  readonly since: Instant;
  /** When a later packet came; what the clock alone misses may not have been sent yet. */
  overtakenAt: Instant | undefined;
  askAt: Instant;
  rounds: number;
  /** The reorder wait is reckoned when the packet's deadline is known. */
  waited: boolean;
}

/** No request is repeated sooner than this, however short the path: an answer takes time to make as well. */
const ANSWER_TIME_MIN: Microseconds = 3_000;
/** An answer that is late is waited for so much longer, and for no more than this share of the time to spare. */
const SPREAD_MAX: Microseconds = 6_000;
const SPARE_WAITED = 0.25;
/** What is not known has this deadline: nothing is urgent about it. */
const FAR: Instant = Number.MAX_SAFE_INTEGER;

/** How many answers can still come in time, and how much time is left beside them. */
export function attemptsBy(deadline: Instant, now: Instant, answerTime: Microseconds) {
  const left = Math.max(0, deadline - now - 1);
  const count = Math.floor(left / answerTime);
  return { count, spare: left - count * answerTime };
}

/**
 * Which packets to ask for again, and when: as soon as waiting for stragglers costs a round trip or is of no use, then
 * once an answer time, as long as an answer can be in time.
 */
export class RequestSchedule {
  readonly #missing = new Map<Sequence, Missing>();
  #nextAt: Instant = Number.POSITIVE_INFINITY;
  #requests = 0;

  get requests(): number {
    return this.#requests;
  }

  get nextAt(): Instant {
    return this.#nextAt;
  }

  /** A later packet is here. */
  onMissing(now: Instant, sequence: Sequence): void {
    this.onOverdue(now, sequence);
    this.#missing.get(sequence)!.overtakenAt ??= now;
  }

  /** By the clock alone it should be here. @param since what is only out of order is waited for from here. */
  onOverdue(now: Instant, sequence: Sequence, since = now): void {
    if (this.#missing.has(sequence)) return;
    if (this.#missing.size >= MISSING_MAX) this.#missing.delete(this.#missing.keys().next().value!);
    this.#missing.set(sequence, { since, overtakenAt: undefined, askAt: now, rounds: 0, waited: false });
    if (now < this.#nextAt) this.#nextAt = now;
  }

  isMissing(sequence: Sequence): boolean {
    return this.#missing.has(sequence);
  }

  roundsOf(sequence: Sequence): number {
    return this.#missing.get(sequence)?.rounds ?? 0;
  }

  /** The packet is here. @returns when the first later one came, if one did. */
  onArrival(sequence: Sequence): Instant | undefined {
    const missing = this.#missing.get(sequence);
    if (missing) this.#missing.delete(sequence);
    return missing?.overtakenAt;
  }

  forgetThrough(sequence: Sequence): void {
    for (const candidate of this.#missing.keys()) if (candidate <= sequence) this.#missing.delete(candidate);
    if (this.#missing.size === 0) this.#nextAt = Number.POSITIVE_INFINITY;
  }

  /** What is to be asked for now, the nearest deadline first. */
  poll(now: Instant, terms: Terms): Request[] {
    if (now < this.#nextAt) return [];
    const answerTime = Math.max(ANSWER_TIME_MIN, terms.answerTime);
    const { spread, reorderWait, stragglersLikely, patient } = terms;
    const path = { answerTime, spread, reorderWait, stragglersLikely, patient };
    const byDeadline = new Map<Instant, Sequence[]>();
    this.#nextAt = Number.POSITIVE_INFINITY;
    for (const [sequence, missing] of this.#missing) {
      if (missing.askAt <= now) {
        const deadline = terms.deadlineOf(sequence) ?? FAR;
        if (this.#ask(now, missing, deadline, path)) {
          const others = byDeadline.get(deadline);
          if (others) others.push(sequence);
          else byDeadline.set(deadline, [sequence]);
        }
      }
      if (missing.askAt < this.#nextAt) this.#nextAt = missing.askAt;
    }
    return [...byDeadline]
      .sort(([one], [other]) => one - other)
      .map(([deadline, sequences]) => {
        const { count, spare } = attemptsBy(deadline, now, answerTime);
        this.#requests += sequences.length;
        return { deadline, last: count <= 1, sequences: sequences.sort((a, b) => a - b), spare };
      });
  }

  /** Whether the packet is to be asked for now; else its time is moved on. */
  #ask(now: Instant, missing: Missing, deadline: Instant, path: Omit<Terms, 'deadlineOf'>): boolean {
    const { answerTime, spread, reorderWait, stragglersLikely, patient } = path;
    const { count, spare } = attemptsBy(deadline, now, answerTime);
    // What was reckoned with when the first was sent is not given up for a timer that rang late or a path that has
    // since come to look a little longer.
    const asReckoned = missing.rounds > 0 && attemptsBy(deadline, now, answerTime - spread / 2).count > 0;
    if (count === 0 && !asReckoned) {
      // Too late for this one, and later will be no better; it may still come by itself.
      missing.askAt = Number.POSITIVE_INFINITY;
      return false;
    }
    if (!missing.waited) {
      missing.waited = true;
      // With many attempts left, one of them is worth less than not taking every straggler for a loss.
      const beforeLast = spare + Math.max(0, count - 1) * answerTime;
      const timeToWait = count > 2 || stragglersLikely ? beforeLast : spare;
      const wait = patient ? reorderWait : Math.min(reorderWait, timeToWait);
      missing.askAt = missing.since + wait;
      if (missing.askAt > now) return false;
    }
    missing.rounds++;
    missing.askAt = Math.ceil(now + answerTime + Math.min(SPREAD_MAX, spare * SPARE_WAITED));
    return true;
  }
}
