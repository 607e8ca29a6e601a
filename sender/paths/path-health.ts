import {
  type Instant,
  instant,
  later,
  type Microseconds,
  milliseconds,
  NEVER,
  seconds,
} from '../../protocol/base/units.ts';
import { WindowedMaximum } from '../../protocol/base/windowed-maximum.ts';
import { PATHS, type PathReport } from '../../protocol/rtcp/path-report.ts';
import { asSequence, extend, type Sequence } from '../../protocol/rtp/sequence.ts';

/** Media packets of a path that have not been reported: those of half a second at 50 Mb/s. */
const OUTSTANDING_MAX = 2_048;
/** Overdue packets in a row from which a path counts as down: 2 % of independent losses reach it once in 100,000 packets. */
const OVERDUE_PACKETS = 3;
/** Assumed difference of the delays of both paths until it is measured. */
const LAG_INITIAL: Microseconds = milliseconds(50);
const LAG_MIN: Microseconds = milliseconds(5);
const LAG_MARGIN = 1.25;
const LAG_SLOT: Microseconds = seconds(8);
/** Interval of probes on a path that is down. */
const PROBE_INTERVAL: Microseconds = milliseconds(100);
/** Datagrams that must arrive by a path that was down until it is used again. */
const ARRIVALS_TO_RETURN = 3;

/** A media packet that was sent by a path and not reported. */
interface Outstanding {
  readonly sequence: Sequence;
  readonly at: Instant;
}

interface PathState {
  outstanding: Outstanding[];
  newest: Sequence;
  /** Departure of the newest packet that arrived. */
  arrivedSentAt: Instant;
  /** Datagrams reported last, modulo 65,536; `undefined` before the first report. */
  datagrams: number | undefined;
  /** Time by which packets of this path arrive behind those that left at the same time by the other. */
  readonly lag: WindowedMaximum;
  /** True when its receiver's address is known. */
  isProved: boolean;
  isUp: boolean;
  arrivalsSinceDown: number;
  probeAt: Instant;
}

/**
 * State of the paths of one stream, from the receiver's reports. A path is down when several packets in a row that left
 * by it are missing, while packets that left later by the other path have arrived; of those that are proved, one is
 * always up.
 */
export class PathHealth {
  readonly #states: readonly PathState[];
  #highestSent: Sequence;
  /** Departure of the newest packet that had arrived by each path at the report before. */
  #seenBefore: Instant[] = new Array<Instant>(PATHS).fill(instant(Number.NEGATIVE_INFINITY));

  /** @param areProved false where `onProved` is called once for each path. */
  constructor(initialSequence: number, { areProved = true }: { readonly areProved?: boolean } = {}) {
    this.#highestSent = asSequence(initialSequence - 1);
    this.#states = Array.from({ length: PATHS }, () => ({
      outstanding: [],
      newest: asSequence(initialSequence - 1),
      arrivedSentAt: instant(Number.NEGATIVE_INFINITY),
      datagrams: undefined,
      lag: new WindowedMaximum({ slot: LAG_SLOT, initial: LAG_INITIAL, outlastsSilence: true }),
      isProved: areProved,
      isUp: areProved,
      arrivalsSinceDown: 0,
      probeAt: NEVER,
    }));
  }

  /** True while media travel by both paths. */
  get isSplit(): boolean {
    return this.#states.every(({ isUp }) => isUp);
  }

  isUp(path: number): boolean {
    return this.#states[path]!.isUp;
  }

  /** The receiver has proved its address on a path: the only one is up at once, another when datagrams arrive by it. */
  onProved(now: Instant, path: number): void {
    const state = this.#states[path]!;
    if (state.isProved) return;
    state.isProved = true;
    if (this.#states[1 - path]!.isUp) {
      this.#take(now, state);
      state.probeAt = now;
    } else state.isUp = true;
  }

  /** Nothing may be sent by a path any more, until its address is proved again. */
  onRevoked(path: number): void {
    const [state, other] = [this.#states[path]!, this.#states[1 - path]!];
    Object.assign(state, { isProved: false, isUp: false, outstanding: [], probeAt: NEVER });
    if (other.isProved) other.isUp = true;
  }

  /** A media packet leaves by a path. */
  onMedia(now: Instant, path: number, sequence: Sequence): void {
    if (sequence > this.#highestSent) this.#highestSent = sequence;
    const { outstanding } = this.#states[path]!;
    outstanding.push({ sequence, at: now });
    if (outstanding.length > OUTSTANDING_MAX) outstanding.shift();
  }

  onReport(now: Instant, report: PathReport): void {
    for (const [path, arrivals] of report.paths.entries()) {
      const state = this.#states[path]!;
      const fresh = state.datagrams === undefined ? 0 : ahead(state.datagrams, arrivals.datagrams);
      if (state.datagrams === undefined || fresh > 0) state.datagrams = arrivals.datagrams;
      if (state.isProved && !state.isUp) this.#onReturning(state, fresh);
      const newest = extend(arrivals.newest, this.#highestSent);
      if (newest <= this.#highestSent && newest > state.newest) this.#onProgress(now, path, newest);
    }
    for (const [path, state] of this.#states.entries()) {
      this.#seenBefore[path] = state.arrivedSentAt;
      if (state.isUp && this.#isOverdue(now, path)) this.#take(now, state);
    }
  }

  /** Returns the path to probe now; `undefined` when none is due. */
  pollProbe(now: Instant): number | undefined {
    const path = this.#states.findIndex(({ isProved, isUp, probeAt }) => isProved && !isUp && probeAt <= now);
    if (path < 0) return undefined;
    this.#states[path]!.probeAt = later(now, PROBE_INTERVAL);
    return path;
  }

  pollTimeout(): Instant | undefined {
    const down = this.#states.find(({ isProved, isUp }) => isProved && !isUp);
    return down?.probeAt;
  }

  #onProgress(now: Instant, path: number, newest: Sequence): void {
    const state = this.#states[path]!;
    state.newest = newest;
    const count = state.outstanding.findIndex(({ sequence }) => sequence > newest);
    const reported = state.outstanding.splice(0, count < 0 ? state.outstanding.length : count);
    const last = reported.at(-1);
    if (last?.sequence !== newest) return;
    // It was missing at the report before, although it had left before packets that had arrived by the other path.
    state.lag.observe(now, Math.max(0, this.#seenBefore[1 - path]! - last.at));
    state.arrivedSentAt = last.at;
  }

  #isOverdue(now: Instant, path: number): boolean {
    const { outstanding, lag } = this.#states[path]!;
    const other = this.#states[1 - path]!;
    const allowed = Math.max(LAG_MIN, lag.at(now) * LAG_MARGIN);
    const overdue = outstanding[OVERDUE_PACKETS - 1];
    return other.isUp && overdue !== undefined && overdue.at + allowed < other.arrivedSentAt;
  }

  #take(now: Instant, state: PathState): void {
    state.isUp = false;
    state.arrivalsSinceDown = 0;
    state.outstanding = [];
    state.probeAt = later(now, PROBE_INTERVAL);
  }

  #onReturning(state: PathState, fresh: number): void {
    state.arrivalsSinceDown += fresh;
    if (state.arrivalsSinceDown >= ARRIVALS_TO_RETURN) state.isUp = true;
  }
}

/** Distance from one count to a later one, modulo 65,536; 0 for an earlier one, whose report was overtaken. */
function ahead(before: number, count: number): number {
  const distance = (count - before) & 0xffff;
  return distance < 0x8000 ? distance : 0;
}
