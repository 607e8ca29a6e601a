import { equalBytes } from '../base/equal-bytes.ts';

/** Datagrams remembered: those of a second at the shortest interval of path reports, with requests between. */
const REMEMBERED = 64;

interface Remembered {
  readonly datagram: Uint8Array;
  /** Arrivals by each path. */
  readonly arrivals: number[];
}

/**
 * Recognizes RTCP that was sent by every path and has already arrived by another. A datagram that was sent several
 * times counts as often as it came by the path that delivered most of them.
 */
export class RepeatedFeedback {
  readonly #paths: number;
  readonly #recent: Remembered[] = [];

  constructor(paths: number) {
    this.#paths = paths;
  }

  /** @returns false for the first arrival of what was sent, and true for its copies by other paths. */
  isRepeated(datagram: Uint8Array, path: number): boolean {
    const known = this.#recent.find((each) => equalBytes(each.datagram, datagram));
    if (!known) {
      const arrivals = new Array<number>(this.#paths).fill(0);
      arrivals[path] = 1;
      this.#recent.push({ datagram: datagram.slice(), arrivals });
      if (this.#recent.length > REMEMBERED) this.#recent.shift();
      return false;
    }
    const before = Math.max(...known.arrivals);
    return ++known.arrivals[path]! <= before;
  }
}
