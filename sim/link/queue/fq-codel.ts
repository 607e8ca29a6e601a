import type { Instant } from '../../../protocol/base/units.ts';
import { CodelControl } from './codel-control.ts';
import { PacketQueue } from './packet-queue.ts';
import type { FqCodelOptions, QueueDiscipline, QueuedDatagram } from './queue-discipline.ts';

/** Most datagrams dropped at once from the flow with the longest backlog (RFC 8290 §4.1.3). */
const DROP_BATCH_MAX = 64;

interface FlowQueue {
  readonly queue: PacketQueue;
  readonly control: CodelControl;
  /** Bytes that the flow may still send in this round; may be negative. */
  credits: number;
  isListed: boolean;
}

/**
 * Flow queueing with CoDel (RFC 8290): deficit round robin over flows, those that have just become active first. Each
 * flow has a queue of its own; collisions of a hash are not modelled.
 */
export class FqCodel implements QueueDiscipline {
  readonly dropped: QueuedDatagram[] = [];
  readonly #options: FqCodelOptions;
  readonly #flows = new Map<number, FlowQueue>();
  readonly #new: FlowQueue[] = [];
  readonly #old: FlowQueue[] = [];
  #packets = 0;
  #bytes = 0;

  constructor(options: FqCodelOptions) {
    this.#options = options;
  }

  get packets(): number {
    return this.#packets;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get marked(): number {
    let sum = 0;
    for (const { control } of this.#flows.values()) sum += control.marked;
    return sum;
  }

  enqueue(_now: Instant, packet: QueuedDatagram, full: boolean): void {
    const flow = this.#flowOf(packet.flow);
    flow.queue.push(packet);
    this.#packets++;
    this.#bytes += packet.bytes;
    if (!flow.isListed) {
      flow.isListed = true;
      flow.credits = this.#options.quantum;
      this.#new.push(flow);
    }
    if (full) this.#dropFromLongest();
  }

  dequeue(now: Instant): QueuedDatagram | undefined {
    for (;;) {
      const list = this.#new.length > 0 ? this.#new : this.#old;
      const flow = list[0];
      if (flow === undefined) return undefined;
      if (flow.credits <= 0) {
        flow.credits += this.#options.quantum;
        list.shift();
        this.#old.push(flow);
        continue;
      }
      const before = this.dropped.length;
      const packet = flow.control.dequeue(now, flow.queue, this.dropped);
      for (let index = before; index < this.dropped.length; index++) this.#forget(this.dropped[index]!.bytes);
      if (packet === undefined) {
        // An empty new flow becomes an old one first, so that it cannot stay ahead of the others (RFC 8290 §4.2).
        list.shift();
        if (list === this.#new && this.#old.length > 0) this.#old.push(flow);
        else flow.isListed = false;
        continue;
      }
      this.#forget(packet.bytes);
      flow.credits -= packet.bytes;
      return packet;
    }
  }

  takeAll(): QueuedDatagram[] {
    const all = [...this.#flows.values()].flatMap(({ queue }) => queue.takeAll());
    this.#packets = 0;
    this.#bytes = 0;
    return all.sort((one, other) => one.arrivedAt - other.arrivedAt);
  }

  #flowOf(number: number): FlowQueue {
    let flow = this.#flows.get(number);
    if (flow === undefined) {
      flow = { queue: new PacketQueue(), control: new CodelControl(this.#options), credits: 0, isListed: false };
      this.#flows.set(number, flow);
    }
    return flow;
  }

  /** Drops half of the longest backlog from its head, at most a batch (RFC 8290 §4.1.3). */
  #dropFromLongest(): void {
    let longest: FlowQueue | undefined;
    for (const flow of this.#flows.values()) {
      if (longest === undefined || flow.queue.bytes > longest.queue.bytes) longest = flow;
    }
    if (longest === undefined) return;
    const half = Math.ceil(longest.queue.packets / 2);
    for (let drops = Math.min(DROP_BATCH_MAX, half); drops > 0; drops--) {
      const packet = longest.queue.shift()!;
      this.#forget(packet.bytes);
      this.dropped.push(packet);
    }
  }

  #forget(bytes: number): void {
    this.#packets--;
    this.#bytes -= bytes;
  }
}
