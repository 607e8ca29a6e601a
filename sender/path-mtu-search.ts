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

/** A datagram of this length is to be sent unfragmented; its answer names the number. */
export interface PathProbe {
  readonly number: number;
  readonly bytes: number;
}

/** Length that every path carries: IPv4 hosts accept 576 bytes (RFC 1122 §3.3.2), here without IP and UDP headers. */
const BYTES_BASE = 548;
/** Probes of one length before it counts as too long (RFC 8899 §5.1.2, MAX_PROBES). */
const PROBES_MAX = 3;
/** A search ends when what is still open is below this, bytes: 1 % of a datagram. */
const RESOLUTION_BYTES = 12;
/** Time until a probe counts as lost while the round trip is not known, and its bounds afterwards. */
const PROBE_TIMER_FIRST: Microseconds = milliseconds(500);
const PROBE_TIMER_MIN: Microseconds = milliseconds(150);
const PROBE_TIMER_MAX: Microseconds = seconds(3);
/** Time between searches for a longer datagram than the one found; RFC 8899 §5.1.1 has ten minutes, for idle flows. */
const RAISE_TIMER: Microseconds = seconds(5);
/** Time between confirmations of the present length while packets are lost. */
const CONFIRM_INTERVAL: Microseconds = seconds(1);

/** `searching`: lengths above the present one are tried; `confirming`: the present one is; `complete`: none is. */
type Phase = 'idle' | 'searching' | 'confirming' | 'complete' | 'unanswered';

/**
 * Packetization-layer path MTU discovery (RFC 8899), without ICMP: probes of various lengths, whose answers show what the
 * path carries. The search begins at a length that every path carries, tries the longest one first, and then divides what
 * is between. Losses have the present length confirmed; one that is not confirmed (RFC 8899 §4.3, black hole detection)
 * begins the search anew. A receiver that answers no probe at all gets the longest datagrams, as before.
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
  #probe: (PathProbe & { readonly sentAt: Instant; readonly tries: number }) | undefined;
  #next: { readonly bytes: number; readonly tries: number } | undefined;
  #raiseAt: Instant | undefined;
  #confirmedAt: Instant | undefined;
  #roundTrip: Microseconds | undefined;

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

  /** The receiver's address is proved, for the first time or anew: the path may be another one. */
  start(): void {
    this.#bytes = this.#bytesBase;
    this.#tooLong = this.#bytesMax + 4;
    this.#phase = 'searching';
    this.#raiseAt = undefined;
    this.#try(this.#bytesMax);
  }

  handleAnswer(now: Instant, number: number): void {
    const probe = this.#probe;
    if (probe?.number !== number) return;
    this.#answered = true;
    this.#roundTrip = elapsed(probe.sentAt, now);
    this.#probe = undefined;
    if (this.#phase === 'confirming') {
      this.#confirmedAt = now;
      return this.#complete(now);
    }
    this.#bytes = Math.max(this.#bytes, probe.bytes);
    this.#searchOn(now);
  }

  /** The operating system has refused to send this probe: it does not fit the first link. */
  handleRefused(now: Instant, number: number): void {
    if (this.#probe?.number === number) this.#fail(now, this.#probe.bytes);
  }

  /** Packets are lost, which may be because of their length. */
  handleLoss(now: Instant): void {
    if (this.#phase !== 'complete') return;
    if (this.#confirmedAt !== undefined && now - this.#confirmedAt < CONFIRM_INTERVAL) return;
    this.#phase = 'confirming';
    this.#try(this.#bytes);
  }

  handleTimeout(now: Instant): void {
    const probe = this.#probe;
    if (probe && now >= later(probe.sentAt, this.#probeTimer)) {
      this.#probe = undefined;
      if (probe.tries < PROBES_MAX) this.#next = { bytes: probe.bytes, tries: probe.tries + 1 };
      else this.#fail(now, probe.bytes);
    }
    if (this.#raiseAt === undefined || now < this.#raiseAt || this.#phase !== 'complete') return;
    this.#raiseAt = undefined;
    this.#phase = 'searching';
    this.#tooLong = this.#bytesMax + 4;
    this.#try(this.#bytesMax);
  }

  /** The next probe to send; call until `undefined`. */
  pollProbe(now: Instant): PathProbe | undefined {
    const next = this.#next;
    if (!next) return undefined;
    this.#next = undefined;
    this.#number = (this.#number + 1) >>> 0;
    this.#probe = { number: this.#number, sentAt: now, ...next };
    return this.#probe;
  }

  pollTimeout(): Instant | undefined {
    const lostAt = this.#probe && later(this.#probe.sentAt, this.#probeTimer);
    return earliestOf(lostAt, this.#phase === 'complete' ? this.#raiseAt : undefined);
  }

  get #probeTimer(): Microseconds {
    if (this.#roundTrip === undefined) return PROBE_TIMER_FIRST;
    return microseconds(Math.min(Math.max(PROBE_TIMER_MIN, 3 * this.#roundTrip), PROBE_TIMER_MAX));
  }

  #try(bytes: number): void {
    this.#probe = undefined;
    this.#next = { bytes, tries: 1 };
  }

  #fail(now: Instant, bytes: number): void {
    this.#probe = undefined;
    // What was confirmed before is carried no longer: what is carried now has to be found anew.
    if (this.#phase === 'confirming') return this.start();
    if (bytes <= this.#bytesBase) {
      // Not even the shortest came back: an outage, or a receiver that knows no probes.
      if (!this.#answered) this.#phase = 'unanswered';
      else this.#complete(now);
      return;
    }
    this.#tooLong = Math.min(this.#tooLong, bytes);
    // Before the first answer, a short probe tells a path that is too narrow from a receiver that does not answer.
    if (!this.#answered) return this.#try(this.#bytesBase);
    this.#searchOn(now);
  }

  #searchOn(now: Instant): void {
    if (this.#tooLong - this.#bytes <= RESOLUTION_BYTES || this.#bytes >= this.#bytesMax) return this.#complete(now);
    this.#try(wholeWords((this.#bytes + this.#tooLong) / 2));
  }

  #complete(now: Instant): void {
    this.#phase = 'complete';
    this.#raiseAt = this.#bytes < this.#bytesMax ? later(now, RAISE_TIMER) : undefined;
  }
}

/** RTCP packets have whole words. */
const wholeWords = (bytes: number): number => Math.floor(bytes / 4) * 4;
