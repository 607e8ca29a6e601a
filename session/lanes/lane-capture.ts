import { type Instant, seconds } from '../../protocol/base/units.ts';
import type { Direction } from '../../sim/direction.ts';
import type { Path } from '../../sim/simulation.ts';
import { PathCapture } from '../relay/path-capture.ts';

interface Crossing {
  readonly at: Instant;
  readonly end: 'sent' | 'delivered';
  readonly direction: Direction;
  readonly datagram: Uint8Array;
}

/** Time span and size limit of a capture. */
const KEPT = seconds(30);
const BYTES_MAX = 16_000_000;
/** Memory overhead of a stored datagram; it matters for small ones. */
const CROSSING_BYTES = 100;

/** Keeps the packets of the last 30 seconds at both ends of a lane's path, for export as a file. */
export class LaneCapture {
  /** In order of time; entries before `#first` are expired. */
  #crossings: Crossing[] = [];
  #first = 0;
  #bytes = 0;

  sent(at: Instant, direction: Direction, datagram: Uint8Array): void {
    this.#add({ at, end: 'sent', direction, datagram });
  }

  delivered(at: Instant, direction: Direction, datagram: Uint8Array): void {
    this.#add({ at, end: 'delivered', direction, datagram });
  }

  /** Wraps a path so that its traffic is recorded. */
  watching(path: Path, direction: Direction): Path {
    return {
      send: (now, datagram) => {
        this.sent(now, direction, datagram);
        path.send(now, datagram);
      },
      pollDelivery: (now) => {
        const datagram = path.pollDelivery(now);
        if (datagram) this.delivered(now, direction, datagram);
        return datagram;
      },
      pollTimeout: () => path.pollTimeout(),
    };
  }

  /** Returns the capture as pcapng. @param protocol IP protocol number of the datagrams: 17 (UDP) or 6 (TCP). */
  file(protocol: number): Uint8Array {
    const capture = new PathCapture(protocol);
    for (let index = this.#first; index < this.#crossings.length; index++) {
      const { at, end, direction, datagram } = this.#crossings[index]!;
      if (end === 'sent') capture.onSent(at, direction, datagram);
      else capture.onDelivered(at, direction, datagram);
    }
    return capture.bytes();
  }

  #add(crossing: Crossing): void {
    this.#crossings.push(crossing);
    this.#bytes += crossing.datagram.length + CROSSING_BYTES;
    while (this.#bytes > BYTES_MAX || this.#crossings[this.#first]!.at < crossing.at - KEPT) {
      this.#bytes -= this.#crossings[this.#first++]!.datagram.length + CROSSING_BYTES;
    }
    if (this.#first > this.#crossings.length / 2 && this.#first > 1_000) {
      this.#crossings = this.#crossings.slice(this.#first);
      this.#first = 0;
    }
  }
}
