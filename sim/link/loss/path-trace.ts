import { malformed, type Parsed, parsed } from '../../../protocol/base/parsed.ts';
import { type Microseconds, microseconds } from '../../../protocol/base/units.ts';
import { contentHash } from '../content-hash.ts';
import type { LossSource } from './loss-source.ts';

/** A recording of what a path did to each datagram, replayed by time. */
export interface PathTrace {
  readonly name: string;
  /** Hash of the content, 16 hexadecimal digits. */
  readonly hash: string;
  /** Times of sending, microseconds from the first one on, ascending. */
  readonly times: Float64Array;
  /** Delay of each datagram, microseconds; NaN when it was lost. */
  readonly delays: Float64Array;
  /** Time after which the recording repeats, microseconds: the last time and one mean distance. */
  readonly length: Microseconds;
}

/** About a day at one hundred datagrams per second. */
const DATAGRAMS_MAX = 10_000_000;
/** Longest delay and longest recording, milliseconds: one minute, one day. */
const DELAY_MS_MAX = 60_000;
const TIME_MS_MAX = 86_400_000;

/**
 * Parses a path trace: one line per datagram with its time of sending and its delay, both in milliseconds, or the word
 * `lost` in place of the delay. Lines that begin with `#` are comments.
 */
export function parsePathTrace(name: string, text: string): Parsed<PathTrace> {
  const times: number[] = [];
  const delays: number[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const read = /^(\d+(?:\.\d+)?)\s+(lost|\d+(?:\.\d+)?)$/.exec(trimmed);
    if (!read)
      return malformed(`line ${index + 1}: '${trimmed.slice(0, 40)}' is not a time and a delay in ms, or lost`);
    const at = Math.round(Number(read[1]) * 1_000);
    const delay = read[2] === 'lost' ? Number.NaN : Math.round(Number(read[2]) * 1_000);
    if (at > TIME_MS_MAX * 1_000) return malformed(`line ${index + 1}: later than one day`);
    if (delay > DELAY_MS_MAX * 1_000) return malformed(`line ${index + 1}: a delay of more than ${DELAY_MS_MAX} ms`);
    if (at < (times.at(-1) ?? 0)) return malformed(`line ${index + 1}: times must not decrease`);
    if (times.length === DATAGRAMS_MAX) return malformed(`more than ${DATAGRAMS_MAX} datagrams`);
    times.push(at);
    delays.push(delay);
  }
  const first = times[0] ?? 0;
  const span = (times.at(-1) ?? 0) - first;
  if (span === 0) return malformed('expected at least two times: one line per datagram, time and delay in ms, or lost');
  if (delays.every(Number.isNaN)) return malformed('every datagram is lost, so no delay is known');
  const relative = Float64Array.from(times, (at) => at - first);
  return parsed({
    name,
    hash: contentHash([
      ...relative,
      0xffff_ffff,
      ...delays.map((delay) => (Number.isNaN(delay) ? 0xffff_ffff : delay)),
    ]),
    times: relative,
    delays: Float64Array.from(delays),
    length: microseconds(span + Math.max(1, Math.round(span / (times.length - 1)))),
  });
}

/**
 * Index of the recorded datagram whose fate applies at a time: the last one sent by then. Datagrams of one instant take
 * the recorded ones of one instant in turn, so that a recorded burst is replayed packet by packet.
 */
class PathCursor {
  readonly #times: Float64Array;
  #last = -1;
  #lastAt = -1;

  constructor(times: Float64Array) {
    this.#times = times;
  }

  /** @param at microseconds within the recording, not before the first time. */
  indexAt(at: number): number {
    const newest = lastAtOrBefore(this.#times, at);
    if (this.#times[newest] !== at) return newest;
    const isNext = this.#lastAt === at && this.#last < newest;
    if (!isNext && this.#lastAt === at) return newest;
    this.#last = isNext ? this.#last + 1 : lastAtOrBefore(this.#times, at - 0.5) + 1;
    this.#lastAt = at;
    return this.#last;
  }
}

/** Index of the last time that is at most `at`; −1 when there is none. */
function lastAtOrBefore(times: Float64Array, at: number): number {
  let low = -1;
  let high = times.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (times[middle]! <= at) low = middle;
    else high = middle;
  }
  return low;
}

/** Losses of a path trace. */
export class RecordedPathLoss implements LossSource {
  readonly #trace: PathTrace;
  readonly #cursor: PathCursor;

  constructor(trace: PathTrace) {
    this.#trace = trace;
    this.#cursor = new PathCursor(trace.times);
  }

  lost(_index: number, at: Microseconds): boolean {
    return Number.isNaN(this.#trace.delays[this.#cursor.indexAt(at % this.#trace.length)]);
  }
}

/** Delays of a path trace: of the received datagrams, linear between them, so that a path that keeps order keeps it. */
export class RecordedPathDelay {
  readonly #trace: PathTrace;
  readonly #times: Float64Array;
  readonly #delays: Float64Array;
  readonly #cursor: PathCursor;

  constructor(trace: PathTrace) {
    this.#trace = trace;
    const isReceived = (_: number, index: number) => !Number.isNaN(trace.delays[index]);
    this.#times = trace.times.filter(isReceived);
    this.#delays = trace.delays.filter(isReceived);
    this.#cursor = new PathCursor(this.#times);
  }

  /** Delay of a datagram sent `at` microseconds after the start of the link, microseconds. */
  at(at: Microseconds): Microseconds {
    const time = at % this.#trace.length;
    if (time < this.#times[0]!) return microseconds(this.#delays[0]!);
    const index = this.#cursor.indexAt(time);
    const from = this.#times[index]!;
    const delay = this.#delays[index]!;
    if (from === time) return microseconds(delay);
    const until = this.#times[index + 1];
    if (until === undefined) return microseconds(delay);
    return microseconds(Math.round(delay + ((this.#delays[index + 1]! - delay) * (time - from)) / (until - from)));
  }
}
