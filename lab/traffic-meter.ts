import type { Instant } from '../protocol/base/units.ts';
import type { Direction } from '../sim/direction.ts';
import type { PathObserver } from './path-observer.ts';

/** Counts the traffic offered to both paths, with headers, after the warm-up. */
export class TrafficMeter implements PathObserver {
  readonly #headerBytes: number;
  readonly #counting: () => boolean;
  readonly forward = { datagrams: 0, bytes: 0 };
  readonly back = { datagrams: 0, bytes: 0 };

  /** @param headerBytes header bytes below each datagram. */
  constructor(headerBytes: number, counting: () => boolean) {
    this.#headerBytes = headerBytes;
    this.#counting = counting;
  }

  onSent(_now: Instant, direction: Direction, datagram: Uint8Array): void {
    if (!this.#counting()) return;
    const way = this[direction];
    way.datagrams++;
    way.bytes += datagram.length + this.#headerBytes;
  }

  onDelivered(): void {}
}
