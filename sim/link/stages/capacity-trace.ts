import { malformed, type Parsed, parsed } from '../../../protocol/base/parsed.ts';
import { type Instant, instant, MILLISECOND } from '../../../protocol/base/units.ts';
import { contentHash } from '../content-hash.ts';

/** A recorded capacity in Mahimahi's format. */
export interface CapacityTrace {
  readonly name: string;
  /** Hash of the opportunities and their size, 16 hexadecimal digits. */
  readonly hash: string;
  /** Delivery opportunities, milliseconds, ascending. The last one is the trace's length and greater than 0. */
  readonly opportunities: Uint32Array;
  /** Bytes per opportunity. */
  readonly opportunityBytes: number;
}

/** Bytes per opportunity in Mahimahi's code (its README says 1500). */
export const OPPORTUNITY_BYTES = 1_504;
/** Four weeks. */
const TIME_MS_MAX = 2_419_200_000;

/** The most recent trace. A link under adjustment is parsed at each step, usually with the same trace. */
let last: { readonly text: string; readonly trace: CapacityTrace } | undefined;

/** Parses Mahimahi's format: one whole number of milliseconds per line, ascending, the last one greater than 0. */
export function parseCapacityTrace(
  name: string,
  text: string,
  opportunityBytes = OPPORTUNITY_BYTES,
): Parsed<CapacityTrace> {
  const same = last?.trace.name === name && last.trace.opportunityBytes === opportunityBytes && last.text === text;
  if (same) return parsed(last!.trace);
  const opportunities: number[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const word = line.trim();
    if (word === '') continue;
    const time = /^\d+$/.test(word) ? Number(word) : Number.NaN;
    if (!(time <= TIME_MS_MAX)) {
      return malformed(`line ${index + 1}: '${word.slice(0, 40)}' is not a whole number of milliseconds`);
    }
    const before = opportunities.at(-1) ?? 0;
    if (time < before) return malformed(`line ${index + 1}: ${time} follows ${before}; times must not decrease`);
    opportunities.push(time);
  }
  const end = opportunities.at(-1);
  if (end === undefined) return malformed('empty: expected one whole number of milliseconds per line');
  if (end === 0) return malformed('the last time is 0, so the trace has no length');
  const times = Uint32Array.from(opportunities);
  const hash = contentHash([opportunityBytes, ...times]);
  last = { text, trace: { name, hash, opportunities: times, opportunityBytes } };
  return parsed(last.trace);
}

/**
 * Steps through a trace's opportunities in a loop. An opportunity with nothing queued is lost. Capacity left in an
 * opportunity goes to the next datagram queued at that instant; a large datagram may need several opportunities.
 */
export class CapacityCursor {
  readonly #trace: CapacityTrace;
  readonly #startsAt: Instant;
  #round = 0;
  #index = 0;
  #bytesLeft: number;

  constructor(trace: CapacityTrace, startsAt: Instant) {
    this.#trace = trace;
    this.#startsAt = startsAt;
    this.#bytesLeft = trace.opportunityBytes;
  }

  /**
   * Returns when a datagram that arrives at `now`, behind all earlier ones, starts to leave. `now` must not decrease.
   */
  begins(now: Instant): Instant {
    if (this.#at < now) this.#skipTo(now);
    else if (this.#bytesLeft === 0) this.#next();
    return this.#at;
  }

  /** Consumes capacity from where `begins` stopped. Returns when the last byte leaves. */
  take(bytes: number): Instant {
    let wanted = bytes;
    for (;;) {
      const taken = Math.min(wanted, this.#bytesLeft);
      this.#bytesLeft -= taken;
      wanted -= taken;
      if (wanted === 0) return this.#at;
      this.#next();
    }
  }

  /** Returns when capacity is next left after `bytes` more have been taken from where the cursor is. */
  leftAfter(bytes: number): Instant {
    const beyond = bytes - this.#bytesLeft;
    if (beyond < 0) return this.#at;
    return this.#timeOf(this.#index + 1 + Math.floor(beyond / this.#trace.opportunityBytes));
  }

  get #at(): Instant {
    return this.#timeOf(this.#index);
  }

  /** Time of an opportunity of this round, or of a later one when `index` exceeds the round. */
  #timeOf(index: number): Instant {
    const { opportunities } = this.#trace;
    const roundMs = opportunities[opportunities.length - 1]!;
    const rounds = index < opportunities.length ? 0 : Math.floor(index / opportunities.length);
    const at = opportunities[index - rounds * opportunities.length]!;
    return instant(this.#startsAt + ((this.#round + rounds) * roundMs + at) * MILLISECOND);
  }

  #next(): void {
    this.#bytesLeft = this.#trace.opportunityBytes;
    this.#index++;
    if (this.#index < this.#trace.opportunities.length) return;
    this.#index = 0;
    this.#round++;
  }

  /** Moves to the first opportunity at or after `now`, which is later than the current one. */
  #skipTo(now: Instant): void {
    const { opportunities } = this.#trace;
    const roundMs = opportunities[opportunities.length - 1]!;
    const ms = Math.ceil((now - this.#startsAt) / MILLISECOND);
    // In (0, length]: the last opportunity of a round precedes the first of the next round at the same instant.
    const round = Math.max(Math.ceil(ms / roundMs) - 1, 0);
    const wanted = ms - round * roundMs;
    let low = round === this.#round ? this.#index : 0;
    let high = opportunities.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (opportunities[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    this.#round = round;
    this.#index = low;
    this.#bytesLeft = this.#trace.opportunityBytes;
  }
}
