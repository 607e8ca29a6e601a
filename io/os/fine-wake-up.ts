import { once } from 'node:events';
import { hrtime } from 'node:process';
import { Worker } from 'node:worker_threads';
import type { Instant } from '../../protocol/base/instant.ts';
import { now } from './clock.ts';
import { causeOf, Failure } from './failure.ts';
import { WakeUp } from './wake-up.ts';

/** What the two threads share: how often the alarm was set, and for when (milliseconds of `hrtime`). */
const ALARM_BYTES = 16;

/**
 * A wake-up that rings within some 0.1 ms of its time, where Node's own timers tick in whole milliseconds. The waiting
 * is done by a thread that sleeps on a futex with a time limit, so it costs no processor time while nothing is due.
 * Where the processors are busy a second thread has to wait for one: then Node's timer, which needs none, rings first.
 */
export class FineWakeUp {
  readonly #ring: () => void;
  readonly #coarse = new WakeUp(() => this.#rung());
  readonly #thread: Worker;
  readonly #settings: Int32Array;
  readonly #alarm: Float64Array;
  /** From this process's clock to `hrtime`, microseconds. */
  readonly #offset: number;
  #at: Instant = Number.POSITIVE_INFINITY;

  /** @param ring may be called for nothing. */
  static async open(ring: () => void): Promise<FineWakeUp> {
    const wakeUp = new FineWakeUp(ring);
    try {
      await once(wakeUp.#thread, 'online');
    } catch (error) {
      throw new Failure(`cannot start the thread that keeps the time: ${causeOf(error)}`);
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
    // Its text, and not a file of its own: the same source runs compiled and uncompiled.
    this.#thread = new Worker(`(${keepTime})()`, { eval: true, execArgv: [], workerData: shared });
    this.#thread.on('message', () => this.#rung());
  }

  /** Rings at `at` or soon after; an earlier call stands if it is due before. */
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
    this.#at = Number.POSITIVE_INFINITY;
    this.#ring();
  }
}

/**
 * The thread: sleeps until the alarm, rings, and sleeps until it is set again. It is started from its text, so it uses
 * nothing from outside and defines no function inside (compilers wrap those in helpers of theirs).
 */
function keepTime(): void {
  const { parentPort, workerData } = require('node:worker_threads') as typeof import('node:worker_threads');
  const settings = new Int32Array(workerData, 0, 1);
  const alarm = new Float64Array(workerData, 8, 1);
  for (;;) {
    const setting = Atomics.load(settings, 0);
    const [seconds, nanoseconds] = process.hrtime();
    const sleepMs = alarm[0]! - (seconds * 1e3 + nanoseconds / 1e6);
    // Woken before its time, it was set anew.
    if (sleepMs > 0 && Atomics.wait(settings, 0, setting, sleepMs) !== 'timed-out') continue;
    parentPort?.postMessage(undefined);
    Atomics.wait(settings, 0, setting);
  }
}
