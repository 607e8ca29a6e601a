import type { Instant } from '../protocol/base/instant.ts';
import type { Direction } from '../sim/direction.ts';
import type { PathObserver } from './path-observer.ts';

/** What is offered to either path, headers included, from when on it counts. */
export class TrafficMeter implements PathObserver {
  readonly #headerBytes: number;
  readonly #counting: () => boolean;
  readonly forward = { datagrams: 0, bytes: 0 };
  readonly back = { datagrams: 0, bytes: 0 };

  /** @param headerBytes of each datagram, beneath what is handed to the path. */
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
