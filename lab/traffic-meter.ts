import type { Instant } from '../protocol/base/units.ts';
import type { Direction } from '../sim/direction.ts';
import type { DatagramFate, DecidedFate } from '../sim/link/datagram-fate.ts';
import type { PathObserver } from './path-observer.ts';

/** Traffic of one direction. Datagrams that are duplicated on the path are delivered twice. */
const noTraffic = () => ({ datagrams: 0, bytes: 0, lost: 0, dropped: 0, bytesDelivered: 0 });

/** Counts the traffic of both paths, with headers, after the warm-up. */
export class TrafficMeter implements PathObserver {
  readonly #headerBytes: number;
  readonly #counting: () => boolean;
  readonly forward = noTraffic();
  readonly back = noTraffic();
  /** Counted datagrams in a queue that has not decided about them. */
  readonly #queued = new Set<Uint8Array>();

  /** @param headerBytes header bytes below each datagram. */
  constructor(headerBytes: number, counting: () => boolean) {
    this.#headerBytes = headerBytes;
    this.#counting = counting;
  }

  onSent(_now: Instant, direction: Direction, datagram: Uint8Array, fate: DatagramFate): void {
    if (!this.#counting()) return;
    const way = this[direction];
    way.datagrams++;
    way.bytes += datagram.length + this.#headerBytes;
    if (fate === 'queued') this.#queued.add(datagram);
    else this.#note(direction, fate);
  }

  onDecided(_now: Instant, direction: Direction, datagram: Uint8Array, fate: DecidedFate): void {
    if (this.#queued.delete(datagram)) this.#note(direction, fate);
  }

  onDelivered(_now: Instant, direction: Direction, datagram: Uint8Array): void {
    if (this.#counting()) this[direction].bytesDelivered += datagram.length + this.#headerBytes;
  }

  #note(direction: Direction, fate: DecidedFate): void {
    if (fate === 'lost') this[direction].lost++;
    else if (fate === 'overflowed') this[direction].dropped++;
  }
}
