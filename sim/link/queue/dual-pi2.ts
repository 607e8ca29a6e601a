import { type Instant, inSeconds, later, type Microseconds, microseconds } from '../../../protocol/base/units.ts';
import { CE, ECT_1 } from '../../../protocol/ecn.ts';
import { PacketQueue } from './packet-queue.ts';
import { type DualPi2Options, mark, type QueueDiscipline, type QueuedDatagram } from './queue-discipline.ts';

/** Longest usual round trip, for which the controller is stable (RFC 9332 appendix A.1), microseconds. */
const ROUND_TRIP_MAX: Microseconds = microseconds(100_000);
/** Coupled probability at which the L4S queue is overloaded and drops as well (RFC 9332 appendix A.1). */
const COUPLED_MAX = 1;
/** Backlog above which the L4S threshold applies, datagrams (RFC 9332 appendix A.1, `Th_len`). */
const THRESHOLD_PACKETS = 1;
/** Ramp around the step: 800 … 1200 µs for a step of 1 ms (RFC 9332 appendix A.1). */
const RAMP_FROM = 0.8;
const RAMP_WIDTH = 0.4;
/** Shares of the classic and the L4S queue while both wait: classic traffic has at least a tenth (RFC 9332 §4.2.2). */
const CLASSIC_WEIGHT = 10;
const L4S_WEIGHT = 90;
/** Credit of the scheduler at its start, bytes by weight. */
const CREDIT_AT_START = -L4S_WEIGHT * 1_500;

/** Marks or drops in a fixed ratio, without random numbers (RFC 9332 appendix A.1, `recur`). */
class Recurrence {
  #sum = 0;

  happens(probability: number): boolean {
    this.#sum += probability;
    if (this.#sum <= 1) return false;
    this.#sum -= 1;
    return true;
  }
}

/**
 * DualPI2 (RFC 9332 appendix A): ECT(1) and CE datagrams have a queue with a shallow marking threshold, all others one
 * under a PI controller with the output p'. Classic datagrams are dropped or marked with p'², L4S ones marked with at
 * least k·p', so that both kinds of flows have about the same rate.
 */
export class DualPi2 implements QueueDiscipline {
  readonly dropped: QueuedDatagram[] = [];
  readonly #options: DualPi2Options;
  readonly #classic = new PacketQueue();
  readonly #l4s = new PacketQueue();
  readonly #classicRecurrence = new Recurrence();
  readonly #l4sRecurrence = new Recurrence();
  readonly #overloadRecurrence = new Recurrence();
  readonly #updateInterval: Microseconds;
  /** Integral and proportional gain, Hz. */
  readonly #alpha: number;
  readonly #beta: number;
  #credit = CREDIT_AT_START;
  #baseProbability = 0;
  #delayBefore = 0;
  #updateAt: Instant | undefined;
  #marked = 0;

  constructor(options: DualPi2Options) {
    this.#options = options;
    this.#updateInterval = microseconds(Math.min(options.target, ROUND_TRIP_MAX / 3));
    this.#alpha = (0.1 * inSeconds(this.#updateInterval)) / inSeconds(ROUND_TRIP_MAX) ** 2;
    this.#beta = 0.3 / inSeconds(ROUND_TRIP_MAX);
  }

  get packets(): number {
    return this.#classic.packets + this.#l4s.packets;
  }

  get bytes(): number {
    return this.#classic.bytes + this.#l4s.bytes;
  }

  get marked(): number {
    return this.#marked;
  }

  /** Output p' of the controller, 0 … 1. */
  get baseProbability(): number {
    return this.#baseProbability;
  }

  enqueue(now: Instant, packet: QueuedDatagram, full: boolean): void {
    this.#update(now);
    if (full) this.dropped.push(packet);
    else if (packet.ecn === ECT_1 || packet.ecn === CE) this.#l4s.push(packet);
    else this.#classic.push(packet);
  }

  dequeue(now: Instant): QueuedDatagram | undefined {
    this.#update(now);
    for (;;) {
      const fromL4s = this.#isL4sTurn();
      const packet = (fromL4s ? this.#l4s : this.#classic).shift();
      if (packet === undefined) return undefined;
      this.#account(packet, fromL4s);
      if (fromL4s ? this.#passesL4s(now, packet) : this.#passesClassic(packet)) return packet;
      this.dropped.push(packet);
    }
  }

  takeAll(): QueuedDatagram[] {
    return [...this.#classic.takeAll(), ...this.#l4s.takeAll()].sort((one, other) => one.arrivedAt - other.arrivedAt);
  }

  #isL4sTurn(): boolean {
    if (this.#l4s.packets === 0) return false;
    return this.#classic.packets === 0 || this.#credit <= 0;
  }

  /** Weighted round robin by credit: the classic queue earns while the other sends, and the reverse. */
  #account({ bytes }: QueuedDatagram, fromL4s: boolean): void {
    const otherWaits = fromL4s ? this.#classic.packets > 0 : this.#l4s.packets > 0;
    if (otherWaits) this.#credit += bytes * (fromL4s ? CLASSIC_WEIGHT : -L4S_WEIGHT);
    else this.#credit = CREDIT_AT_START;
  }

  #passesL4s(now: Instant, packet: QueuedDatagram): boolean {
    const coupled = Math.min(1, this.#options.coupling * this.#baseProbability);
    if (coupled >= COUPLED_MAX && this.#overloadRecurrence.happens(this.#classicProbability)) return false;
    const native = this.#l4s.packets >= THRESHOLD_PACKETS ? this.#ramp(now - packet.arrivedAt) : 0;
    if (this.#l4sRecurrence.happens(Math.max(native, coupled))) this.#mark(packet);
    return true;
  }

  #passesClassic(packet: QueuedDatagram): boolean {
    if (!this.#classicRecurrence.happens(this.#classicProbability)) return true;
    const isOverloaded = this.#options.coupling * this.#baseProbability >= COUPLED_MAX;
    return !isOverloaded && this.#mark(packet);
  }

  get #classicProbability(): number {
    return this.#baseProbability ** 2;
  }

  /** Marking probability of the L4S queue's own threshold. @param waited microseconds. */
  #ramp(waited: number): number {
    const share = (waited / this.#options.step - RAMP_FROM) / RAMP_WIDTH;
    return Math.min(1, Math.max(0, share));
  }

  #mark(packet: QueuedDatagram): boolean {
    if (!mark(packet)) return false;
    this.#marked++;
    return true;
  }

  /** Runs the controller for all its times up to `now`; nothing changes the queue between two calls. */
  #update(now: Instant): void {
    this.#updateAt ??= later(now, this.#updateInterval);
    while (this.#updateAt <= now) {
      const waited = inSeconds(this.#classic.waited(this.#updateAt));
      const change =
        this.#alpha * (waited - inSeconds(this.#options.target)) + this.#beta * (waited - this.#delayBefore);
      this.#baseProbability = Math.min(1, Math.max(0, this.#baseProbability + change));
      this.#delayBefore = waited;
      this.#updateAt = later(this.#updateAt, this.#updateInterval);
      // Idle: nothing changes until a datagram arrives.
      if (waited === 0 && this.#baseProbability === 0) {
        const missed = Math.floor((now - this.#updateAt) / this.#updateInterval);
        if (missed > 0) this.#updateAt = later(this.#updateAt, microseconds(missed * this.#updateInterval));
      }
    }
  }
}
