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
import { MISSING_MAX } from './loss-recovery.ts';

/** What the schedule needs to know of the path and of the frames. */
export interface Terms {
  /** From a request to its answer, the variation of the path included. */
  readonly answerTime: Microseconds;
  /** True when the answer time was measured. */
  readonly answerTimeKnown: boolean;
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
  /** Until when each packet is of use to the decoder after that; −∞: it is of none. */
  referenceDeadlines(): (sequence: Sequence) => Instant;
}

/** Packets of one frame, to be asked for together. */
export interface Request {
  readonly deadline: Instant;
  /** No later request can be answered in time. */
  readonly last: boolean;
  /** The packets can only be decoded, as they are too late to be shown; then `deadline` is the decoder's. */
  readonly late: boolean;
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
  /** Those of the rounds that came too late for the packet to be shown. */
  lateRounds: number;
  /** The reorder wait is reckoned when the packet's deadline is known. */
  waited: boolean;
}

/** No request is repeated sooner than this, however short the path: an answer takes time to make as well. */
const ANSWER_TIME_MIN: Microseconds = milliseconds(3);
/** An answer that is late is waited for so much longer, and for no more than this share of the time to spare. */
const SPREAD_MAX: Microseconds = milliseconds(6);
const SPARE_WAITED = 0.25;
/** Before any answer time is measured, a late packet is not asked for twice within so long. */
const ANSWER_TIME_UNKNOWN_MAX: Microseconds = milliseconds(250);
const ANSWER_TIME_RECHECK: Microseconds = milliseconds(5);
/** What is not known has this deadline: nothing is urgent about it. */
const FAR: Instant = instant(Number.MAX_SAFE_INTEGER);

/** How many answers can still come in time, and how much time is left beside them. */
export function attemptsBy(deadline: Instant, now: Instant, answerTime: Microseconds) {
  const left = Math.max(0, deadline - now - 1);
  const count = Math.floor(left / answerTime);
  return { count, spare: microseconds(left - count * answerTime) };
}

/**
 * Which packets to ask for again, and when: as soon as waiting for stragglers costs a round trip or is of no use, then
 * once an answer time, as long as an answer can be in time, or is of use to the decoder after that.
 */
export class RequestSchedule {
  readonly #missing = new Map<Sequence, Missing>();
  readonly #late = new LateRequests();
  #nextAt: Instant = NEVER;
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
    const missing = this.#missing.get(sequence)!;
    missing.overtakenAt ??= now;
    // It was missed before anything was known of its frame, or of one behind it.
    if (missing.askAt === Number.POSITIVE_INFINITY) missing.askAt = now;
    if (missing.askAt < this.#nextAt) this.#nextAt = missing.askAt;
  }

  /** By the clock alone it should be here. @param since what is only out of order is waited for from here. */
  onOverdue(now: Instant, sequence: Sequence, since = now): void {
    if (this.#missing.has(sequence)) return;
    if (this.#missing.size >= MISSING_MAX) this.#missing.delete(this.#missing.keys().next().value!);
    this.#missing.set(sequence, { since, overtakenAt: undefined, askAt: now, rounds: 0, lateRounds: 0, waited: false });
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
    if (this.#missing.size === 0) this.#nextAt = NEVER;
  }

  /** What is to be asked for now, the nearest deadline first. */
  poll(now: Instant, terms: Terms): Request[] {
    if (now < this.#nextAt) return [];
    const answerTime = microseconds(Math.max(ANSWER_TIME_MIN, terms.answerTime));
    const { spread, reorderWait, stragglersLikely, patient } = terms;
    const path = { answerTime, spread, reorderWait, stragglersLikely, patient };
    const byDeadline = new Map<Instant, Sequence[]>();
    const late = new LateRound(now, this.#late, { ...terms, answerTime });
    this.#nextAt = NEVER;
    for (const [sequence, missing] of this.#missing) {
      if (missing.askAt <= now) {
        const deadline = terms.deadlineOf(sequence) ?? FAR;
        if (this.#ask(now, missing, deadline, path)) {
          const others = byDeadline.get(deadline);
          if (others) others.push(sequence);
          else byDeadline.set(deadline, [sequence]);
        } else if (missing.askAt === Number.POSITIVE_INFINITY) late.consider(sequence, missing, deadline);
      }
      if (missing.askAt < this.#nextAt) this.#nextAt = missing.askAt;
    }
    const inTime = [...byDeadline]
      .sort(([one], [other]) => one - other)
      .map(([deadline, sequences]) => {
        const { count, spare } = attemptsBy(deadline, now, answerTime);
        this.#requests += sequences.length;
        return { deadline, last: count <= 1, late: false, sequences: sequences.sort((a, b) => a - b), spare };
      });
    const { request } = late;
    if (!request) return inTime;
    this.#requests += request.sequences.length;
    return [...inTime, request];
  }

  /** Whether the packet is to be asked for now; else its time is moved on. */
  #ask(
    now: Instant,
    missing: Missing,
    deadline: Instant,
    path: Omit<Terms, 'deadlineOf' | 'referenceDeadlines' | 'answerTimeKnown'>,
  ): boolean {
    const { answerTime, spread, reorderWait, stragglersLikely, patient } = path;
    const { count, spare } = attemptsBy(deadline, now, answerTime);
    // What was reckoned with when the first was sent is not given up for a timer that rang late or a path that has
    // since come to look a little longer.
    const asReckoned = missing.rounds > 0 && attemptsBy(deadline, now, microseconds(answerTime - spread / 2)).count > 0;
    if (count === 0 && !asReckoned) {
      // Too late for this one, and later will be no better; it may still come by itself.
      missing.askAt = NEVER;
      return false;
    }
    if (!missing.waited) {
      missing.waited = true;
      // With many attempts left, one of them is worth less than not taking every straggler for a loss.
      const beforeLast = spare + Math.max(0, count - 1) * answerTime;
      const timeToWait = count > 2 || stragglersLikely ? beforeLast : spare;
      const wait = patient ? reorderWait : Math.min(reorderWait, timeToWait);
      missing.askAt = instant(missing.since + wait);
      if (missing.askAt > now) return false;
    }
    missing.rounds++;
    missing.askAt = instant(Math.ceil(now + answerTime + Math.min(SPREAD_MAX, spare * SPARE_WAITED)));
    return true;
  }
}

/** The packets of one poll that can only be decoded: asked for last. */
class LateRound {
  readonly #now: Instant;
  readonly #requests: LateRequests;
  readonly #terms: Terms;
  #usefulUntil: ((sequence: Sequence) => Instant) | undefined;
  readonly #sequences: Sequence[] = [];
  #deadline: Instant = instant(Number.NEGATIVE_INFINITY);

  constructor(now: Instant, requests: LateRequests, terms: Terms) {
    this.#now = now;
    this.#requests = requests;
    this.#terms = terms;
  }

  get request(): Request | undefined {
    if (this.#sequences.length === 0) return undefined;
    const sequences = this.#sequences.sort((a, b) => a - b);
    return { deadline: this.#deadline, last: false, late: true, sequences, spare: this.#terms.answerTime };
  }

  /** Takes a packet that cannot be shown in time any more, where the decoder still gains by it. */
  consider(sequence: Sequence, missing: Missing, shownBy: Instant): void {
    this.#usefulUntil ??= this.#terms.referenceDeadlines();
    const until = this.#usefulUntil(sequence);
    const { answerTime, answerTimeKnown } = this.#terms;
    if (attemptsBy(until, this.#now, answerTime).count === 0) return;
    missing.waited = true;
    if (missing.rounds > 0 && !answerTimeKnown && this.#now < missing.since + ANSWER_TIME_UNKNOWN_MAX) {
      // The first answer may still be under way, and tells how long that takes.
      missing.askAt = later(this.#now, ANSWER_TIME_RECHECK);
      return;
    }
    if (missing.rounds === 0) {
      // Repair packets may still bring it in time, and a straggler comes by itself.
      const earliest = Math.max(missing.since + this.#terms.reorderWait, shownBy - answerTime / 2);
      if (this.#now < earliest) {
        missing.askAt = instant(Math.ceil(earliest));
        return;
      }
    }
    if (!this.#requests.take(this.#now, answerTime)) {
      missing.askAt = later(this.#now, answerTime);
      return;
    }
    missing.rounds++;
    missing.askAt = instant(Math.ceil(this.#now + LateRequests.interval(answerTime, ++missing.lateRounds)));
    this.#sequences.push(sequence);
    this.#deadline = latest(this.#deadline, until);
  }
}
