import { networkOf } from './networks.ts';

export interface FairWorkOptions {
  /** Share of the thread's time that jobs may take while others wait, 0 … 1. */
  readonly share: number;
  /** Longest expected wait with which a job is admitted, milliseconds. */
  readonly waitMsMax: number;
  /** Limit of waiting jobs, of all networks together. */
  readonly waitingMax: number;
  /** Least time that a job counts, milliseconds: of one that goes on in later turns of the event loop. Default: 0. */
  readonly costMsMin?: number;
}

/** Result of a job, or the time after which another attempt makes sense. */
export type FairOutcome<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'busy'; readonly retrySeconds: number };

interface Job {
  readonly arrivedMs: number;
  readonly isWanted: () => boolean;
  /** Returns the time that the job took, milliseconds. */
  readonly run: () => number;
  readonly refuse: () => void;
}

/** Cost of a job before any has been measured, milliseconds. */
const COST_MS_INITIAL = 3;
const COST_WEIGHT = 0.1;
/** Time by which a job may run later than was expected, milliseconds. */
const LATE_MS_MAX = 2_000;
/** Smallest pause between jobs, milliseconds: those of timers. */
const PAUSE_MS_MIN = 1;

/**
 * Expensive jobs that strangers ask for. They run one at a time and take a share of the thread, networks take turns, and a job
 * whose turn would come late is refused at once. The first job of a network waits for one job of each other network at most.
 */
export class FairWork {
  readonly #options: FairWorkOptions;
  /** Waiting jobs of each network, in the order of their turns. */
  readonly #waiting = new Map<string, Job[]>();
  #count = 0;
  #costMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FairWorkOptions) {
    this.#options = options;
    this.#costMs = Math.max(COST_MS_INITIAL, options.costMsMin ?? 0);
  }

  /** Seconds after which another attempt makes sense; `undefined` when a job from this address would be admitted now. */
  busyFor(address: string): number | undefined {
    const own = this.#waiting.get(networkOf(address))?.length ?? 0;
    const waitMs = this.#waitMs(own);
    const isFull = this.#count >= this.#options.waitingMax && this.#crowd().length <= own + 1;
    return waitMs > this.#options.waitMsMax || isFull ? Math.max(1, Math.ceil(waitMs / 1_000)) : undefined;
  }

  /**
   * Runs a job when its turn comes, at once when nothing waits. Rejects when the job throws.
   * @param isWanted false when nobody waits for the job any more: it takes no turn, and its outcome is `busy`.
   */
  async run<Result>(
    address: string,
    job: () => Result,
    isWanted: () => boolean = () => true,
  ): Promise<FairOutcome<Result>> {
    const retrySeconds = this.busyFor(address);
    if (retrySeconds !== undefined) return { kind: 'busy', retrySeconds };
    return await new Promise((resolve, reject) => {
      const refuse = () =>
        resolve({ kind: 'busy', retrySeconds: Math.max(1, Math.ceil(this.#options.waitMsMax / 1_000)) });
      const run = () => {
        const from = performance.now();
        try {
          resolve({ kind: 'done', result: job() });
        } catch (error) {
          reject(error);
        }
        return performance.now() - from;
      };
      this.#add(networkOf(address), { arrivedMs: performance.now(), isWanted, run, refuse });
      if (this.#timer === undefined) this.#runNext();
    });
  }

  /** Refuses all that waits. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const jobs of this.#waiting.values()) for (const job of jobs) job.refuse();
    this.#waiting.clear();
    this.#count = 0;
  }

  /** Expected wait of the next job of a network that has `own` jobs waiting, milliseconds. */
  #waitMs(own: number): number {
    let before = 0;
    for (const jobs of this.#waiting.values()) before += Math.min(jobs.length, own + 1);
    return (before * this.#costMs) / this.#options.share;
  }

  #crowd(): Job[] {
    let crowd: Job[] = [];
    for (const jobs of this.#waiting.values()) if (jobs.length > crowd.length) crowd = jobs;
    return crowd;
  }

  #add(network: string, job: Job): void {
    if (this.#count >= this.#options.waitingMax) {
      // Its newest: the oldest has waited longest.
      this.#crowd().pop()?.refuse();
      this.#count--;
    }
    const jobs = this.#waiting.get(network);
    if (jobs) jobs.push(job);
    else this.#waiting.set(network, [job]);
    this.#count++;
  }

  #runNext(): void {
    this.#timer = undefined;
    const { share, waitMsMax, costMsMin = 0 } = this.#options;
    // When the estimate was wrong, as on a slow machine, the peer has given up, or is about to.
    const isLate = ({ arrivedMs }: Job) => performance.now() - arrivedMs > waitMsMax + LATE_MS_MAX;
    let job = this.#next();
    for (; job && (!job.isWanted() || isLate(job)); job = this.#next()) job.refuse();
    if (!job) return;
    const costMs = Math.max(job.run(), costMsMin);
    this.#costMs += COST_WEIGHT * (costMs - this.#costMs);
    this.#timer = setTimeout(() => this.#runNext(), Math.max(PAUSE_MS_MIN, costMs * (1 / share - 1)));
  }

  /** Takes the next job, and puts its network behind the others. */
  #next(): Job | undefined {
    const [turn] = this.#waiting;
    if (!turn) return undefined;
    const [network, jobs] = turn;
    const job = jobs.shift();
    this.#waiting.delete(network);
    if (jobs.length > 0) this.#waiting.set(network, jobs);
    this.#count--;
    return job;
  }
}
