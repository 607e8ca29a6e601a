import { once } from 'node:events';
import { hrtime } from 'node:process';
import { Worker } from 'node:worker_threads';
import { type Instant, NEVER } from '../../protocol/base/units.ts';
import { now } from './clock.ts';
import { causeOf, Failure } from './failure.ts';
import { WakeUp } from './wake-up.ts';

/** Memory shared by the two threads: number of the alarm setting, and its time (milliseconds of `hrtime`). */
const ALARM_BYTES = 16;

/**
 * Timer with a resolution of about 0.1 ms; Node's timers have whole milliseconds. A second thread sleeps on a futex
 * with a time limit, so waiting takes no CPU time. When all cores are busy that thread may be scheduled late; then
 * Node's timer fires first.
 */
export class FineWakeUp {
  readonly #ring: () => void;
  readonly #coarse = new WakeUp(() => this.#rung());
  readonly #thread: Worker;
  readonly #settings: Int32Array;
  readonly #alarm: Float64Array;
  /** Offset from this process's clock to `hrtime`, microseconds. */
  readonly #offset: number;
  #at: Instant = NEVER;

  /** @param ring called when the alarm is due; spurious calls are possible. */
  static async open(ring: () => void): Promise<FineWakeUp> {
    const wakeUp = new FineWakeUp(ring);
    try {
      await once(wakeUp.#thread, 'online');
    } catch (error) {
      throw new Failure(`cannot start the timer thread: ${causeOf(error)}`);
    }
    wakeUp.#thread.unref();
    return wakeUp;
  }

  private constructor(ring: () => void) {
    this.#ring = ring;
    const shared = new SharedArrayBuffer(ALARM_BYTES);
    this.#settings = new Int32Array(shared, 0, 1);
    this.#alarm = new Float64Array(shared, 8, 1);
    this.#alarm[0] = Number.POSITIVE_INFINITY;
    const [seconds, nanoseconds] = hrtime();
    this.#offset = seconds * 1e6 + nanoseconds / 1e3 - now();
    // Started from its source text, not from a file: works for compiled and uncompiled sources.
    this.#thread = new Worker(`(${keepTime})(require('node:worker_threads'))`, {
      eval: true,
      execArgv: [],
      workerData: shared,
    });
    this.#thread.on('message', () => this.#rung());
  }

  /** Rings at `at` or shortly after; an earlier alarm that is still pending is kept. */
  set(at: Instant | undefined): void {
    if (at === undefined || at >= this.#at) return;
    this.#at = at;
    this.#alarm[0] = (at + this.#offset) / 1e3;
    Atomics.add(this.#settings, 0, 1);
    Atomics.notify(this.#settings, 0);
    this.#coarse.set(at);
  }

  close(): void {
    this.#coarse.clear();
    this.#thread.removeAllListeners('message');
    void this.#thread.terminate();
  }

  #rung(): void {
    this.#at = NEVER;
    this.#ring();
  }
}

/**
 * Body of the thread: sleeps until the alarm, rings, and sleeps until it is set again. It runs from its source text, so
 * it uses no outer name, not even `require`, which a bundler renames, and defines no inner function (compilers wrap those
 * in helpers).
 */
function keepTime({ parentPort, workerData }: typeof import('node:worker_threads')): void {
  const settings = new Int32Array(workerData, 0, 1);
  const alarm = new Float64Array(workerData, 8, 1);
  for (;;) {
    const setting = Atomics.load(settings, 0);
    const [seconds, nanoseconds] = process.hrtime();
    const sleepMs = alarm[0]! - (seconds * 1e3 + nanoseconds / 1e6);
    // Woken early: the alarm was set again.
    if (sleepMs > 0 && Atomics.wait(settings, 0, setting, sleepMs) !== 'timed-out') continue;
    parentPort?.postMessage(undefined);
    Atomics.wait(settings, 0, setting);
  }
}
