import type { Instant } from '../../../protocol/base/instant.ts';
import { malformed, type Parsed, parsed } from '../../../protocol/base/parsed.ts';
import { contentHash } from '../content-hash.ts';

/** A recorded capacity in Mahimahi's form. */
export interface CapacityTrace {
  readonly name: string;
  /** Of the opportunities and their size, 16 hexadecimal digits. */
  readonly hash: string;
  /** When something can leave, milliseconds, ascending; the last is the length of a round and more than 0. */
  readonly opportunities: Uint32Array;
  /** Bytes that can leave at each. */
  readonly opportunityBytes: number;
}

/** What Mahimahi's code gives an opportunity (its README says 1500). */
export const OPPORTUNITY_BYTES = 1_504;
/** Four weeks. */
const TIME_MS_MAX = 2_419_200_000;

/** The one that was read last: a link that someone changes is read again at each step, and most steps leave this as it is. */
let last: { readonly text: string; readonly trace: CapacityTrace } | undefined;

/** Reads Mahimahi's form: a whole number of milliseconds each line, not descending, the last more than 0. */
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
      return malformed(`line ${index + 1}: '${word.slice(0, 40)}' is no time in whole milliseconds`);
    }
    const before = opportunities.at(-1) ?? 0;
    if (time < before) return malformed(`line ${index + 1}: ${time} comes after ${before}; times do not descend`);
    opportunities.push(time);
  }
  const end = opportunities.at(-1);
  if (end === undefined) return malformed('no time in it: expected a whole number of milliseconds each line');
  if (end === 0) return malformed('the last time is 0: a round of the trace takes no time');
  const times = Uint32Array.from(opportunities);
  const hash = contentHash([opportunityBytes, ...times]);
  last = { text, trace: { name, hash, opportunities: times, opportunityBytes } };
  return parsed(last.trace);
}

/**
 * Goes through a trace's opportunities, round after round. What nobody waits for is lost; what an opportunity has left
 * goes to the next that waits at that instant, and one datagram may need several.
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

  /** When something that comes at `now`, after all before it, begins to leave. `now` does not run backwards. */
  begins(now: Instant): Instant {
    if (this.#at < now) this.#skipTo(now);
    else if (this.#bytesLeft === 0) this.#next();
    return this.#at;
  }

  /** Takes bytes from the opportunities, from where `begins` stopped; when the last of them leaves. */
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

  get #at(): Instant {
    const { opportunities } = this.#trace;
    const roundMs = opportunities[opportunities.length - 1]!;
    return this.#startsAt + (this.#round * roundMs + opportunities[this.#index]!) * 1_000;
  }

  #next(): void {
    this.#bytesLeft = this.#trace.opportunityBytes;
    this.#index++;
    if (this.#index < this.#trace.opportunities.length) return;
    this.#index = 0;
    this.#round++;
  }

  /** To the first opportunity at or after `now`, which lies after the current one. */
  #skipTo(now: Instant): void {
    const { opportunities } = this.#trace;
    const roundMs = opportunities[opportunities.length - 1]!;
    const ms = Math.ceil((now - this.#startsAt) / 1_000);
    // In (0, length]: the last opportunity of a round comes before the first of the next at the same instant.
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
