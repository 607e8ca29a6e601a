import type { Microseconds } from '../../../protocol/base/units.ts';
import type { OutageWindow } from '../link-specification.ts';

/** Intervals of total loss. */
export class Outages {
  #windows: readonly OutageWindow[];

  /** @param windows ascending, without overlap. */
  constructor(windows: readonly OutageWindow[] = []) {
    this.#windows = windows;
  }

  reconfigure(windows: readonly OutageWindow[] = []): void {
    this.#windows = windows;
  }

  /** True when the path is down at `at`, microseconds since the link began. */
  covers(at: Microseconds): boolean {
    for (const { from, until } of this.#windows) if (at >= from && at < until) return true;
    return false;
  }
}
