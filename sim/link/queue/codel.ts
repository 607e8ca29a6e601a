import type { Instant } from '../../../protocol/base/units.ts';
import { CodelControl } from './codel-control.ts';
import { PacketQueue } from './packet-queue.ts';
import type { CodelOptions, QueueDiscipline, QueuedDatagram } from './queue-discipline.ts';

/** One queue under CoDel (RFC 8289). */
export class Codel implements QueueDiscipline {
  readonly dropped: QueuedDatagram[] = [];
  readonly #queue = new PacketQueue();
  readonly #control: CodelControl;

  constructor(options: CodelOptions) {
    this.#control = new CodelControl(options);
  }

  get packets(): number {
    return this.#queue.packets;
  }

  get bytes(): number {
    return this.#queue.bytes;
  }

  get marked(): number {
    return this.#control.marked;
  }

  enqueue(_now: Instant, packet: QueuedDatagram, full: boolean): void {
    if (full) this.dropped.push(packet);
    else this.#queue.push(packet);
  }

  dequeue(now: Instant): QueuedDatagram | undefined {
    return this.#control.dequeue(now, this.#queue, this.dropped);
  }

  takeAll(): QueuedDatagram[] {
    return this.#queue.takeAll();
  }
}
