import { elapsed, type Instant, instant, later, type Microseconds } from '../../../protocol/base/units.ts';
import { ECT_1 } from '../../../protocol/ecn.ts';
import type { PacketQueue } from './packet-queue.ts';
import { type CodelOptions, mark, type QueuedDatagram } from './queue-discipline.ts';

/** Below one full packet of backlog no delay is persistent (RFC 8289 §5.4: the interface's MTU), bytes. */
const MTU_BYTES = 1_500;
/** A dropping state that follows an earlier one within this many intervals resumes its drop rate (RFC 8289 §5.5). */
const RESUME_INTERVALS = 16;

/**
 * CoDel's estimator and control loop for one queue (RFC 8289 §5): once the delay has exceeded the target for an
 * interval, datagrams are dropped at times interval/√count apart, until the delay is below the target.
 */
export class CodelControl {
  readonly #options: Pick<CodelOptions, 'target' | 'interval' | 'ecn' | 'ceThreshold'>;
  /** Time from which a delay that stays above the target is persistent; `undefined` while it is below. */
  #firstAboveAt: Instant | undefined;
  #dropping = false;
  #dropNextAt: Instant = instant(0);
  #count = 0;
  #lastCount = 0;
  #marked = 0;

  constructor(options: Pick<CodelOptions, 'target' | 'interval' | 'ecn' | 'ceThreshold'>) {
    this.#options = options;
  }

  /** Datagrams marked so far. */
  get marked(): number {
    return this.#marked;
  }

  /** Returns the next datagram of `queue`; those dropped before it are added to `dropped`. */
  dequeue(now: Instant, queue: PacketQueue, dropped: QueuedDatagram[]): QueuedDatagram | undefined {
    const packet = this.#control(now, queue, dropped);
    if (packet === undefined) return undefined;
    const { ceThreshold } = this.#options;
    if (ceThreshold !== undefined && packet.ecn === ECT_1 && elapsed(packet.arrivedAt, now) > ceThreshold) {
      mark(packet);
      this.#marked++;
    }
    return packet;
  }

  #control(now: Instant, queue: PacketQueue, dropped: QueuedDatagram[]): QueuedDatagram | undefined {
    let packet = queue.shift();
    let isPersistent = this.#isPersistent(now, packet, queue);
    if (!this.#dropping) {
      if (!isPersistent) return packet;
      if (!this.#marks(packet!)) {
        dropped.push(packet!);
        packet = queue.shift();
        this.#isPersistent(now, packet, queue);
      }
      this.#startDropping(now);
      return packet;
    }
    if (!isPersistent) this.#dropping = false;
    while (this.#dropping && now >= this.#dropNextAt) {
      this.#count++;
      if (this.#marks(packet!)) {
        this.#dropNextAt = this.#controlLaw(this.#dropNextAt);
        return packet;
      }
      dropped.push(packet!);
      packet = queue.shift();
      isPersistent = this.#isPersistent(now, packet, queue);
      if (isPersistent) this.#dropNextAt = this.#controlLaw(this.#dropNextAt);
      else this.#dropping = false;
    }
    return packet;
  }

  #startDropping(now: Instant): void {
    const delta = this.#count - this.#lastCount;
    const isRecent = now - this.#dropNextAt < RESUME_INTERVALS * this.#options.interval;
    this.#dropping = true;
    this.#count = delta > 1 && isRecent ? delta : 1;
    this.#lastCount = this.#count;
    this.#dropNextAt = this.#controlLaw(now);
  }

  #controlLaw(from: Instant): Instant {
    return later(from, (this.#options.interval / Math.sqrt(this.#count)) as Microseconds);
  }

  #marks(packet: QueuedDatagram): boolean {
    if (!this.#options.ecn || !mark(packet)) return false;
    this.#marked++;
    return true;
  }

  /** True when the delay has been above the target for an interval; `packet` was just taken from `queue`. */
  #isPersistent(now: Instant, packet: QueuedDatagram | undefined, queue: PacketQueue): boolean {
    const { target, interval } = this.#options;
    if (packet === undefined || elapsed(packet.arrivedAt, now) < target || queue.bytes <= MTU_BYTES) {
      this.#firstAboveAt = undefined;
      return false;
    }
    if (this.#firstAboveAt === undefined) {
      this.#firstAboveAt = later(now, interval);
      return false;
    }
    return now >= this.#firstAboveAt;
  }
}
