import {
  elapsed,
  type Instant,
  type Microseconds,
  seconds,
  type Ticks,
  ticks,
  ticksToMicroseconds,
} from '../../protocol/base/units.ts';
import { now } from '../os/clock.ts';
import { isLostAgain } from './lost-again.ts';
import type { RenditionPicture, RenditionRun } from './rendition-run.ts';

export interface RenditionFeedOptions {
  /** Starts a run at about this media time. @param plan index of the plan, 0 being the best. */
  readonly start: (from: Ticks, plan: number) => Pick<RenditionRun, 'pictures' | 'close'>;
  readonly plans: number;
  /** False where a run reaches its place by counting pictures: another plan would have to encode from the beginning. */
  readonly canSeek: boolean;
  /** Distance of two pictures, 90 kHz. */
  readonly interval: Ticks;
  /** Called when a run has failed and another one takes over. */
  readonly onRestart: (cause: string) => void;
  /** Called when the processor is too slow for a plan, or fast enough for a better one. */
  readonly onPlan: (plan: number) => void;
}

/** Pictures encoded ahead, 90 kHz and bytes: three seconds outlast the loss of ffmpeg, and the start of another. */
const AHEAD: Ticks = ticks(270_000);
const AHEAD_BYTES = 32_000_000;
/** Time of a run, read without a pause, from which fewer pictures ahead than `LOW` show a plan that is too slow. */
const JUDGED_AFTER: Microseconds = seconds(2);
const LOW: Ticks = ticks(36_000);
/** Time for which the pictures ahead stay complete before a better plan is tried; twice as long after each failure. */
const BETTER_AFTER: Microseconds = seconds(20);
const BETTER_FACTOR_MAX = 32;

/** Reads the pictures of an input ahead, and keeps them coming when ffmpeg is lost or too slow. */
export class RenditionFeed {
  readonly #options: RenditionFeedOptions;
  readonly #queue: RenditionPicture[] = [];
  #queueBytes = 0;
  #run: Pick<RenditionRun, 'pictures' | 'close'> | undefined;
  #plan: number;
  /** Media time of the first picture, and after the newest one. */
  readonly #start: Ticks;
  #end: Ticks;
  #error: Error | undefined;
  #isExhausted = false;
  #lostAt: Instant | undefined;
  /** Time of the first picture of the run. */
  #begunAt: Instant | undefined;
  /** Time and place since which the run has been read without a pause. */
  #judgedFrom: { readonly at: Instant; readonly end: Ticks } | undefined;
  #betterFactor = 1;
  #wake: () => void = () => {};
  #roomMade: () => void = () => {};

  constructor(options: RenditionFeedOptions, { from, plan }: { readonly from: Ticks; readonly plan: number }) {
    this.#options = options;
    this.#plan = plan;
    this.#start = from;
    this.#end = from;
    this.#begin();
  }

  get plan(): number {
    return this.#plan;
  }

  /** Returns the next picture; `undefined` at the end, and after `close`. @throws when ffmpeg keeps failing. */
  async next(): Promise<RenditionPicture | undefined> {
    this.#judge();
    while (this.#queue.length === 0) {
      if (this.#error) throw this.#error;
      if (this.#isExhausted) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const picture = this.#queue.shift()!;
    this.#queueBytes -= bytesOf(picture);
    this.#roomMade();
    return picture;
  }

  async close(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    this.#isExhausted = true;
    this.#wake();
    this.#roomMade();
    await run?.close();
  }

  /** Starts a run behind the newest picture, in place of the present one. */
  #begin(): void {
    void this.#run?.close();
    const run = this.#options.start(this.#end, this.#plan);
    this.#run = run;
    this.#begunAt = undefined;
    this.#judgedFrom = undefined;
    this.#roomMade();
    void this.#read(run);
  }

  async #read(run: Pick<RenditionRun, 'pictures' | 'close'>): Promise<void> {
    try {
      for await (const picture of run.pictures()) {
        if (this.#run !== run) return;
        this.#begunAt ??= now();
        this.#judgedFrom ??= { at: now(), end: this.#end };
        this.#queue.push(picture);
        this.#queueBytes += bytesOf(picture);
        this.#end = ticks(picture.timestamp + this.#options.interval);
        this.#wake();
        while (this.#run === run && this.#isFull) {
          // A run that waits is not slow.
          this.#judgedFrom = undefined;
          await new Promise<void>((resolve) => {
            this.#roomMade = resolve;
          });
        }
      }
      if (this.#run !== run) return;
      this.#isExhausted = true;
    } catch (error) {
      if (this.#run !== run) return;
      this.#lose(error as Error);
    }
    this.#wake();
  }

  get #ahead(): number {
    return this.#queue.length === 0 ? 0 : this.#end - this.#queue[0]!.timestamp;
  }

  get #isFull(): boolean {
    return this.#ahead >= AHEAD || this.#queueBytes >= AHEAD_BYTES;
  }

  #lose(error: Error): void {
    const before = this.#lostAt;
    this.#lostAt = now();
    const isUnreadable = this.#end === this.#start;
    if (isUnreadable || isLostAgain(before, this.#lostAt)) {
      this.#error = error;
      return;
    }
    this.#options.onRestart(error.message);
    this.#begin();
  }

  /** Fewer pictures than real time needs, and few ahead: the plan is too slow. */
  #judge(): void {
    if (!this.#options.canSeek || this.#begunAt === undefined || this.#isExhausted || this.#error) return;
    if (this.#isTooSlow()) {
      if (this.#plan + 1 >= this.#options.plans) return;
      this.#betterFactor = Math.min(BETTER_FACTOR_MAX, this.#betterFactor * 2);
      this.#change(this.#plan + 1);
    } else if (this.#plan > 0 && this.#isFull && elapsed(this.#begunAt, now()) > BETTER_AFTER * this.#betterFactor) {
      this.#change(this.#plan - 1);
    }
  }

  #isTooSlow(): boolean {
    if (this.#judgedFrom === undefined || this.#ahead >= LOW) return false;
    const passed = elapsed(this.#judgedFrom.at, now());
    return passed > JUDGED_AFTER && ticksToMicroseconds(ticks(this.#end - this.#judgedFrom.end)) < passed;
  }

  #change(plan: number): void {
    this.#plan = plan;
    this.#options.onPlan(plan);
    this.#begin();
  }
}

const bytesOf = ({ encodes }: RenditionPicture): number =>
  encodes.reduce((sum, parts) => parts.reduce((bytes, part) => bytes + part.length, sum), 0);
