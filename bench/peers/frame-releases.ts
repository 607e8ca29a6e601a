import { PAYLOADS_PER_FRAME, type PayloadMark } from './workload.ts';

/** A received frame: `[number, payloads received, time of the last one]`, microseconds of `hrtime`. */
export type ReceivedFrame = readonly [frame: number, payloads: number, at: number];

/** Collects the output of a program, per payload or per frame. */
export class FrameReleases {
  readonly #frames = new Map<number, { seen: number; count: number; at: number }>();

  /** Adds a payload; duplicates are ignored. */
  add({ frame, index }: PayloadMark, at: number): void {
    const entry = this.#frames.get(frame) ?? { seen: 0, count: 0, at };
    const bit = 1 << index;
    if ((entry.seen & bit) !== 0) return;
    entry.seen |= bit;
    entry.count++;
    entry.at = at;
    this.#frames.set(frame, entry);
  }

  /** Adds a complete frame. */
  addWhole(frame: number, at: number): void {
    if (!this.#frames.has(frame)) this.#frames.set(frame, { seen: -1, count: PAYLOADS_PER_FRAME, at });
  }

  get records(): ReceivedFrame[] {
    return [...this.#frames].map(([frame, { count, at }]) => [frame, count, at]);
  }
}
