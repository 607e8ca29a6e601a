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

/** Path and frame properties that the schedule depends on. */
export interface Terms {
  /** Time from a request to its answer, including path variation. */
  readonly answerTime: Microseconds;
  /** True when the answer time was measured. */
  readonly answerTimeKnown: boolean;
  /** Part of the answer time that is variation. */
  readonly spread: Microseconds;
  /** Reorder wait, when it costs no attempt. */
  readonly reorderWait: Microseconds;
  /** True when a gap is so likely to be reordering that an early request is not worth it even for another attempt. */
  readonly stragglersLikely: boolean;
  /** True when stragglers are so frequent that a gap is waited for even at the cost of the only attempt. */
  readonly patient: boolean;
  /** Part of the reorder wait that is waited for at any cost when stragglers are frequent. */
  readonly reorderWaitMin: Microseconds;
  /** Usual time from a request to its answer: later than this before the deadline, a request has less than half a chance. */
  readonly roundTrip: Microseconds;
  /** Share of recent round trips that were at most this long, 0 … 1. */
  roundTripsWithin(span: Microseconds): number;
  /** Time by which a packet must arrive; `undefined` when unknown, −∞ when it is useless. */
  deadlineOf(sequence: Sequence): Instant | undefined;
  /**
   * Returns a function from a packet to the time until which it is useful to the decoder after that; −∞ when it is not.
   */
  referenceDeadlines(): (sequence: Sequence) => Instant;
}

/** Packets of one frame to request together. */
export interface Request {
  readonly deadline: Instant;
  /** True when a later request could not be answered in time. */
  readonly last: boolean;
  /** True when the packets serve the decoder only; `deadline` is then the decoder's. */
  readonly late: boolean;
  readonly sequences: readonly Sequence[];
  /** Time over which the copies of the request may be spread without losing an attempt. */
  readonly spare: Microseconds;
}

interface Missing {
  readonly since: Instant;
  /** Arrival of a later packet; `undefined` for packets missed by the clock alone, which may not have been sent yet. */
  overtakenAt: Instant | undefined;
  askAt: Instant;
  rounds: number;
  /** Rounds after the packet became too late to be shown. */
  lateRounds: number;
  /** True when the reorder wait has been computed, which needs the packet's deadline. */
  waited: boolean;
}

/** Shortest interval between requests for a packet: even on a short path the answer takes time. */
const ANSWER_TIME_MIN: Microseconds = milliseconds(3);
/** Tolerance for a late answer, limited to this share of the spare time. */
const SPREAD_MAX: Microseconds = milliseconds(6);
const SPARE_WAITED = 0.25;
/** Interval between requests for a late packet until an answer time has been measured. */
const ANSWER_TIME_UNKNOWN_MAX: Microseconds = milliseconds(250);
const ANSWER_TIME_RECHECK: Microseconds = milliseconds(5);
/** Number of lost packets over which the share of late answers is averaged. */
const LATE_MEMORY_PACKETS = 64;
/** Share below which repair packets against late answers would cost more than they save. */
const LATE_MIN = 1 / 512;
/** Deadline of packets whose frame is unknown. */
const FAR: Instant = instant(Number.MAX_SAFE_INTEGER);

/** Number of answers that can still arrive in time, and the time left over. */
export function attemptsBy(deadline: Instant, now: Instant, answerTime: Microseconds) {
  const left = Math.max(0, deadline - now - 1);
  const count = Math.floor(left / answerTime);
  return { count, spare: microseconds(left - count * answerTime) };
}

/**
 * Schedules retransmission requests: the first as soon as waiting for reordering would cost an attempt or is useless,
 * then one per answer time, while an answer can arrive in time or still serves the decoder.
 */
export class RequestSchedule {
  readonly #missing = new Map<Sequence, Missing>();
  readonly #late = new LateRequests();
  #nextAt: Instant = NEVER;
  #requests = 0;
  #answersLate = 0;

  get requests(): number {
    return this.#requests;
  }

  /** Share of the recent losses whose first answer comes too late, or that are not requested in time; 0 when they are few. */
  get answersLate(): number {
    return this.#answersLate < LATE_MIN ? 0 : this.#answersLate;
  }

  get nextAt(): Instant {
    return this.#nextAt;
  }

  /** A packet is missing, as shown by a later one. */
  onMissing(now: Instant, sequence: Sequence): void {
    this.onOverdue(now, sequence);
    const missing = this.#missing.get(sequence)!;
    missing.overtakenAt ??= now;
    // It was missed before its frame, or a later one, was known.
    if (missing.askAt === Number.POSITIVE_INFINITY) missing.askAt = now;
    if (missing.askAt < this.#nextAt) this.#nextAt = missing.askAt;
  }

  /** A packet is overdue by the clock alone. @param since start of the reorder wait. */
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

  /** The packet has arrived. @returns the arrival time of the first later one, if there was one. */
  onArrival(sequence: Sequence): Instant | undefined {
    const missing = this.#missing.get(sequence);
    if (missing) this.#missing.delete(sequence);
    return missing?.overtakenAt;
  }

  forgetThrough(sequence: Sequence): void {
    for (const candidate of this.#missing.keys()) if (candidate <= sequence) this.#missing.delete(candidate);
    if (this.#missing.size === 0) this.#nextAt = NEVER;
  }

  /** Returns the requests due now, nearest deadline first. */
  poll(now: Instant, terms: Terms): Request[] {
    if (now < this.#nextAt) return [];
    const answerTime = microseconds(Math.max(ANSWER_TIME_MIN, terms.answerTime));
    const path = { ...terms, answerTime };
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

  #countLate(chance: number): void {
    this.#answersLate += (chance - this.#answersLate) / LATE_MEMORY_PACKETS;
  }

  /** Returns true when the packet is to be requested now; otherwise reschedules it. */
  #ask(
    now: Instant,
    missing: Missing,
    deadline: Instant,
    path: Omit<Terms, 'deadlineOf' | 'referenceDeadlines' | 'answerTimeKnown'>,
  ): boolean {
    const { answerTime, spread, reorderWait, reorderWaitMin, roundTrip, stragglersLikely, patient } = path;
    const { count, spare } = attemptsBy(deadline, now, answerTime);
    // An attempt that was planned at the first request is not given up for a late timer, or because the measured answer
    // time has grown slightly.
    const asReckoned = missing.rounds > 0 && attemptsBy(deadline, now, microseconds(answerTime - spread / 2)).count > 0;
    // The only request may be answered late, and is worth its bytes all the same.
    const asHoped = missing.rounds === 0 && attemptsBy(deadline, now, roundTrip).count > 0;
    if (count === 0 && !asReckoned && !asHoped) {
      // Too late for a request now and later; the packet may still arrive by itself.
      missing.askAt = NEVER;
      if (missing.rounds === 0 && Number.isFinite(deadline)) this.#countLate(1);
      return false;
    }
    if (!missing.waited) {
      missing.waited = true;
      // With many attempts left, one of them is worth less than avoiding requests for stragglers.
      const beforeLast = spare + Math.max(0, count - 1) * answerTime;
      const timeToWait = count > 2 || stragglersLikely ? beforeLast : spare;
      const wait = patient && count > 1 ? reorderWait : Math.min(reorderWait, timeToWait);
      missing.askAt = instant(missing.since + (patient ? Math.max(reorderWaitMin, wait) : wait));
      if (missing.askAt > now) return false;
    }
    if (missing.rounds === 0 && deadline !== FAR)
      this.#countLate(1 - path.roundTripsWithin(microseconds(Math.max(0, deadline - now))));
    missing.rounds++;
    // Without a deadline nothing else ends the requests.
    const interval = deadline === FAR ? LateRequests.interval(answerTime, missing.rounds) : answerTime;
    missing.askAt = instant(Math.ceil(now + interval + Math.min(SPREAD_MAX, spare * SPARE_WAITED)));
    return true;
  }
}

/** Packets of one poll that serve the decoder only; requested last. */
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

  /** Takes a packet that can no longer be shown in time but still serves the decoder. */
  consider(sequence: Sequence, missing: Missing, shownBy: Instant): void {
    this.#usefulUntil ??= this.#terms.referenceDeadlines();
    const until = this.#usefulUntil(sequence);
    const { answerTime, answerTimeKnown } = this.#terms;
    if (attemptsBy(until, this.#now, answerTime).count === 0) return;
    missing.waited = true;
    if (missing.rounds > 0 && !answerTimeKnown && this.#now < missing.since + ANSWER_TIME_UNKNOWN_MAX) {
      // The first answer may still be on its way, and will measure the answer time.
      missing.askAt = later(this.#now, ANSWER_TIME_RECHECK);
      return;
    }
    if (missing.rounds === 0) {
      // Repair packets may still recover it in time, and a straggler arrives by itself.
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
