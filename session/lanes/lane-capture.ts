import { type Instant, seconds } from '../../protocol/base/instant.ts';
import type { Direction } from '../../sim/direction.ts';
import type { Path } from '../../sim/simulation.ts';
import { PathCapture } from '../relay/path-capture.ts';

interface Crossing {
  readonly at: Instant;
  readonly end: 'sent' | 'delivered';
  readonly direction: Direction;
  readonly datagram: Uint8Array;
}

/** As far back as a capture reaches, and what it may hold. */
const KEPT = seconds(30);
const BYTES_MAX = 16_000_000;
/** What is kept beside the bytes of a datagram: many small ones are not free. */
const CROSSING_BYTES = 100;

/** The last half minute of what crossed both ends of a lane's path, for whoever asks for it as a file. */
export class LaneCapture {
  /** By time; what is before `#first` is forgotten. */
  #crossings: Crossing[] = [];
  #first = 0;
  #bytes = 0;

  sent(at: Instant, direction: Direction, datagram: Uint8Array): void {
    this.#add({ at, end: 'sent', direction, datagram });
  }

  delivered(at: Instant, direction: Direction, datagram: Uint8Array): void {
    this.#add({ at, end: 'delivered', direction, datagram });
  }

  /** The same path, of which everything is noted. */
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

  /** As pcapng. @param protocol what the datagrams are beneath IP: 17 or 6. */
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
