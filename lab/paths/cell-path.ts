import { Link } from '../../sim/link/link.ts';
import { assertConserved } from '../../sim/link/link-counters.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { ObservedPath, type PathObserver } from '../path-observer.ts';

/** Links of both directions of a path. */
export interface CellLinks {
  readonly forward: LinkSpecification;
  readonly back: LinkSpecification;
}

/** Options that all paths of a cell share. */
export interface CellPathOptions {
  /** Header bytes below each datagram. */
  readonly headerBytes: number;
  readonly observers: readonly PathObserver[];
  /** Returns the newest captured frame, from 0. */
  readonly frame: () => number;
}

/** One path of a cell, in both directions, with its observers. */
export class CellPath {
  readonly forward: ObservedPath;
  readonly back: ObservedPath;
  readonly #links: readonly [Link, Link];

  constructor({ forward, back }: CellLinks, { headerBytes, observers, frame }: CellPathOptions) {
    this.#links = [
      new Link(forward, 'forward', { headerBytes, reports: 'queued' }),
      new Link(back, 'back', { headerBytes, reports: 'queued' }),
    ];
    this.forward = new ObservedPath(this.#links[0], 'forward', observers, frame);
    this.back = new ObservedPath(this.#links[1], 'back', observers, frame);
  }

  /** Datagrams offered in both directions. */
  get datagrams(): number {
    const [forward, back] = this.#links;
    return forward.counters.offered + back.counters.offered;
  }

  /** Throws unless each datagram was delivered, lost, dropped or is in flight. */
  assertConserved(): void {
    for (const link of this.#links) assertConserved(link.counters);
  }
}
