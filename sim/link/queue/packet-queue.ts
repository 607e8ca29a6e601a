import type { Instant, Microseconds } from '../../../protocol/base/units.ts';
import { elapsed, microseconds } from '../../../protocol/base/units.ts';
import type { QueuedDatagram } from './queue-discipline.ts';

/** First in, first out, with the size in bytes. */
export class PacketQueue {
  #items: QueuedDatagram[] = [];
  #first = 0;
  #bytes = 0;

  get packets(): number {
    return this.#items.length - this.#first;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How long the oldest datagram has waited at `now`, microseconds; 0 when there is none. */
  waited(now: Instant): Microseconds {
    const head = this.#items[this.#first];
    return head === undefined ? microseconds(0) : elapsed(head.arrivedAt, now);
  }

  push(packet: QueuedDatagram): void {
    this.#items.push(packet);
    this.#bytes += packet.bytes;
  }

  shift(): QueuedDatagram | undefined {
    const packet = this.#items[this.#first];
    if (packet === undefined) return undefined;
    this.#first++;
    this.#bytes -= packet.bytes;
    if (this.#first >= 64 && this.#first * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return packet;
  }

  takeAll(): QueuedDatagram[] {
    const all = this.#items.slice(this.#first);
    this.#items = [];
    this.#first = 0;
    this.#bytes = 0;
    return all;
  }
}
