import {
  earliestOf,
  elapsed,
  type Instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
  seconds,
} from '../protocol/base/units.ts';

export interface PathMtuSearchOptions {
  /** Largest datagram that may be sent, UDP payload bytes; a multiple of four is tried. */
  readonly bytesMax: number;
  /** Bytes by which protection lengthens each datagram on the path; default 0. */
  readonly overheadBytes?: number;
}

/** Probe to send with DF set; its acknowledgment echoes `number`. */
export interface PathProbe {
  readonly number: number;
  readonly bytes: number;
}

/** Length that every path carries: IPv4 hosts accept 576 bytes (RFC 1122 §3.3.2), here without IP and UDP headers. */
const BYTES_BASE = 548;
/** Rounds that a length has to fail before it counts as too long (RFC 8899 §5.1.2, MAX_PROBES). */
const FAILURES_MAX = 3;
/** Rounds in a row without any answer before a trial is given up. */
const SILENT_ROUNDS_MAX = 3;
/** The same before the first answer of a receiver, which may know no probes: its address has just been proved. */
const SILENT_ROUNDS_MAX_FIRST = 6;
/** Rounds after which an inconclusive trial is given up, because the receiver's own system drops datagrams. */
const ROUNDS_MAX = 10;
/** A search ends when the remaining interval is below this, bytes: 1 % of a datagram. */
const RESOLUTION_BYTES = 12;
/** Time until a probe counts as lost while the round trip is not known, and its bounds afterwards. */
const PROBE_TIMER_FIRST: Microseconds = milliseconds(500);
const PROBE_TIMER_MIN: Microseconds = milliseconds(150);
const PROBE_TIMER_MAX: Microseconds = seconds(3);
/** Time between searches for a longer datagram than the one found; RFC 8899 §5.1.1 has ten minutes, for idle flows. */
const RAISE_TIMER: Microseconds = seconds(5);
/** Time between confirmations of the present length while packets are lost. */
const CONFIRM_INTERVAL: Microseconds = seconds(1);

/** `searching`: longer lengths are tried; `confirming`: the present one is tried; `complete`: none is tried. */
type Phase = 'idle' | 'searching' | 'confirming' | 'complete' | 'unanswered';

/** A length that is tried, in rounds of one probe of that length and one of the base length. */
interface Trial {
  readonly bytes: number;
  /** Probes of this round that are not sent yet, by length. */
  readonly due: number[];
  sentAt: Instant | undefined;
  /** Numbers of this round's probes. */
  long: number | undefined;
  short: number | undefined;
  /** Cause of an unanswered long probe, by the short one's answer: its length, or the receiver's own drops. */
  shows: 'nothing' | 'length' | 'host-drops';
  failures: number;
  silentRounds: number;
  rounds: number;
}

/**
 * Packetization-layer path MTU discovery (RFC 8899), without ICMP: probes of various lengths, whose acknowledgments
 * show what the path carries. The search begins at a length that every path carries, tries the longest one first, and
 * then divides what is between. Loss triggers a confirmation of the current length; if that fails (black hole, RFC 8899
 * §4.3), the search restarts. A receiver that answers no probe at all gets the longest datagrams.
 *
 * A probe can be lost for reasons other than its length. A short one therefore follows each, and the long one has
 * failed only where the short one is answered and the answer reports no new drops by the receiver's own system.
 */
export class PathMtuSearch {
  readonly #longest: number;
  readonly #bytesMax: number;
  readonly #bytesBase: number;
  #phase: Phase = 'idle';
  /** Longest datagram known to arrive, and shortest one known not to. */
  #bytes: number;
  #tooLong: number;
  #answered = false;
  #number = 0;
  #trial: Trial | undefined;
  #raiseAt: Instant | undefined;
  #confirmedAt: Instant | undefined;
  #roundTrip: Microseconds | undefined;
  /** Datagrams dropped by the receiver's own system, as last reported. */
  #hostDrops = 0;

  constructor({ bytesMax, overheadBytes = 0 }: PathMtuSearchOptions) {
    this.#longest = bytesMax;
    this.#bytesMax = wholeWords(bytesMax);
    this.#bytesBase = Math.min(BYTES_BASE - overheadBytes, this.#bytesMax);
    this.#bytes = this.#bytesBase;
    this.#tooLong = this.#bytesMax + 4;
  }

  /** Longest datagram to send now, bytes. */
  get bytes(): number {
    return this.#phase === 'unanswered' || this.#bytes >= this.#bytesMax ? this.#longest : this.#bytes;
  }

  /** True when no search is under way: `bytes` is its result. */
  get settled(): boolean {
    return this.#phase === 'complete' || this.#phase === 'unanswered';
  }

  /** The receiver's address is proved, for the first time or again: the path may be another one. */
  start(): void {
    this.#bytes = this.#bytesBase;
    this.#tooLong = this.#bytesMax + 4;
    this.#phase = 'searching';
    this.#raiseAt = undefined;
    this.#try(this.#bytesMax);
  }

  /** @param answer its number, and the datagrams dropped so far by the receiver's own system, when reported. */
  handleAnswer(now: Instant, answer: { readonly number: number; readonly hostDrops?: number }): void {
    const trial = this.#trial;
    if (trial?.sentAt === undefined || (answer.number !== trial.long && answer.number !== trial.short)) return;
    this.#answered = true;
    this.#roundTrip = elapsed(trial.sentAt, now);
    const { hostDrops = this.#hostDrops } = answer;
    const dropped = hostDrops !== this.#hostDrops;
    this.#hostDrops = hostDrops;
    if (answer.number === trial.short) {
      trial.shows = dropped ? 'host-drops' : 'length';
      return;
    }
    this.#trial = undefined;
    if (this.#phase === 'confirming') return this.#complete(now);
    this.#bytes = Math.max(this.#bytes, trial.bytes);
    this.#searchOn(now);
  }

  /** The operating system has refused to send this probe: it does not fit the first link. */
  handleRefused(now: Instant, number: number): void {
    if (this.#trial?.long === number) this.#fail(now, this.#trial.bytes);
  }

  /** Packets are lost, which may be because of their length. */
  handleLoss(now: Instant): void {
    if (this.#phase !== 'complete' || this.#bytes <= this.#bytesBase) return;
    if (this.#confirmedAt !== undefined && now - this.#confirmedAt < CONFIRM_INTERVAL) return;
    this.#phase = 'confirming';
    this.#try(this.#bytes);
  }

  handleTimeout(now: Instant): void {
    const trial = this.#trial;
    if (trial?.sentAt !== undefined && now >= later(trial.sentAt, this.#probeTimer)) this.#endRound(now, trial);
    if (this.#raiseAt === undefined || now < this.#raiseAt || this.#phase !== 'complete') return;
    this.#raiseAt = undefined;
    this.#phase = 'searching';
    this.#tooLong = this.#bytesMax + 4;
    this.#try(this.#bytesMax);
  }

  /** The next probe to send; call until `undefined`. */
  pollProbe(now: Instant): PathProbe | undefined {
    const trial = this.#trial;
    const bytes = trial?.due.shift();
    if (!trial || bytes === undefined) return undefined;
    this.#number = (this.#number + 1) >>> 0;
    trial.sentAt = now;
    if (trial.long === undefined) trial.long = this.#number;
    else trial.short = this.#number;
    return { number: this.#number, bytes };
  }

  pollTimeout(): Instant | undefined {
    const sentAt = this.#trial?.sentAt;
    const roundEnds = sentAt === undefined ? undefined : later(sentAt, this.#probeTimer);
    return earliestOf(roundEnds, this.#phase === 'complete' ? this.#raiseAt : undefined);
  }

  get #probeTimer(): Microseconds {
    if (this.#roundTrip === undefined) return PROBE_TIMER_FIRST;
    return microseconds(Math.min(Math.max(PROBE_TIMER_MIN, 3 * this.#roundTrip), PROBE_TIMER_MAX));
  }

  #try(bytes: number): void {
    this.#trial = { bytes, ...this.#round(bytes), failures: 0, silentRounds: 0, rounds: 0 };
  }

  /** A round's state before its probes are sent. */
  #round(bytes: number): Pick<Trial, 'due' | 'sentAt' | 'long' | 'short' | 'shows'> {
    const due = bytes > this.#bytesBase ? [bytes, this.#bytesBase] : [bytes];
    return { due, sentAt: undefined, long: undefined, short: undefined, shows: 'nothing' };
  }

  /** The long probe of a round was not answered in time. */
  #endRound(now: Instant, trial: Trial): void {
    trial.rounds++;
    trial.silentRounds = trial.shows === 'nothing' ? trial.silentRounds + 1 : 0;
    if (trial.shows === 'length' && ++trial.failures >= FAILURES_MAX) return this.#fail(now, trial.bytes);
    const silentMax = this.#answered ? SILENT_ROUNDS_MAX : SILENT_ROUNDS_MAX_FIRST;
    if (trial.silentRounds >= silentMax || trial.rounds >= ROUNDS_MAX) return this.#giveUp(now);
    Object.assign(trial, this.#round(trial.bytes));
  }

  /** The length is too long for the path. */
  #fail(now: Instant, bytes: number): void {
    this.#trial = undefined;
    // The confirmed length no longer passes; restart the search.
    if (this.#phase === 'confirming') return this.start();
    // Not even the base length passes.
    if (bytes <= this.#bytesBase) return this.#giveUp(now);
    this.#tooLong = Math.min(this.#tooLong, bytes);
    // Before the first answer, a short probe distinguishes a narrow path from a receiver that does not answer.
    if (!this.#answered) return this.#try(this.#bytesBase);
    this.#searchOn(now);
  }

  /** The trial shows nothing about the path: an outage, drops at the receiver, or a receiver that knows no probes. */
  #giveUp(now: Instant): void {
    this.#trial = undefined;
    if (this.#answered) return this.#complete(now);
    this.#phase = 'unanswered';
  }

  #searchOn(now: Instant): void {
    if (this.#tooLong - this.#bytes <= RESOLUTION_BYTES || this.#bytes >= this.#bytesMax) return this.#complete(now);
    this.#try(wholeWords((this.#bytes + this.#tooLong) / 2));
  }

  #complete(now: Instant): void {
    if (this.#phase === 'confirming') this.#confirmedAt = now;
    this.#phase = 'complete';
    this.#raiseAt = this.#bytes < this.#bytesMax ? later(now, RAISE_TIMER) : undefined;
  }
}

/** The length of an RTCP packet is a multiple of four. */
const wholeWords = (bytes: number): number => Math.floor(bytes / 4) * 4;
