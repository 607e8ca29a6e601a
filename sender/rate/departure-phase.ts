import { type Microseconds, microseconds } from '../../protocol/base/units.ts';
import type { BottleneckSharing } from './bottleneck-sharing.ts';

/** One frame in this many is held back to see the bottleneck at another time: every four seconds at 30 frames per second. */
const PROBE_FRAMES = 128;
/** Its delay: at least this share of the range, and up to this much more. */
const PROBE_FROM = 0.25;
const PROBE_RANGE = 0.5;
/** Multiplier of Fibonacci hashing, 2³² divided by the golden ratio. */
const FIBONACCI = 0x9e3779b1;

/**
 * Time by which each frame is held back before it leaves. Streams of the same frame rate keep their phase: the one whose
 * frames arrive right behind the other's always waits, takes that for a narrow path, and stays small. Where others use
 * the bottleneck, frames leave at a random phase of their interval, so that each stream waits behind all of the others
 * in the mean. The longer a frame is, the more often it meets its own predecessor, so the larger stream gives up more.
 */
export class DeparturePhase {
  #frames = 0;

  /**
   * Returns the delay of the next frame.
   * @param range longest delay: the frame interval, or less where the latency does not allow it.
   * @param sentBytes all bytes sent so far, which differ from stream to stream: the source of chance.
   */
  next(range: Microseconds, { isShared, isSteady }: BottleneckSharing, sentBytes: number): Microseconds {
    const isProbe = ++this.#frames % PROBE_FRAMES === 0 && isSteady;
    if (!isShared && !isProbe) return microseconds(0);
    const random = (Math.imul(sentBytes + this.#frames, FIBONACCI) >>> 0) / 2 ** 32;
    return microseconds(Math.round(range * (isShared ? random : PROBE_FROM + PROBE_RANGE * random)));
  }
}
