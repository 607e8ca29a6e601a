import type { Instant } from '../../protocol/base/units.ts';
import type { Link } from '../../sim/link/link.ts';
import type { Path } from '../../sim/simulation.ts';
import type { CarriedStream } from '../../sim/tcp/access-unit-framing.ts';
import type { LaneCapture } from './lane-capture.ts';

export interface LanePathObserver {
  /** Called for each datagram sent. @returns a number that identifies it on arrival; `undefined` when it is not observed. */
  onSent(now: Instant, datagram: Uint8Array, lost: boolean): number | undefined;
  /** Called for a datagram that was lost after it had been sent, in a queue. */
  onLost(number: number, datagram: Uint8Array): void;
  onArrived(now: Instant, number: number, datagram: Uint8Array): void;
}

/** Path towards a lane's receiver: a link that reports every datagram and can drop the next ones on demand. */
export class LanePath implements Path {
  readonly #link: Link;
  readonly #capture: LaneCapture;
  readonly #headerBytes: number;
  readonly #observer: LanePathObserver;
  readonly #streamOf: (datagram: Uint8Array) => CarriedStream | undefined;
  /** Number of each datagram in flight. A link returns the same array it was given, unless it corrupted it. */
  readonly #numbers = new WeakMap<Uint8Array, number>();
  readonly #toDrop: Record<CarriedStream, number> = { video: 0, sound: 0 };
  #bytes = 0;
  #bytesDelivered = 0;

  constructor(options: {
    readonly link: Link;
    readonly capture: LaneCapture;
    readonly headerBytes: number;
    readonly observer: LanePathObserver;
    /** Stream of a datagram with media; `undefined` for others. */
    readonly streamOf: (datagram: Uint8Array) => CarriedStream | undefined;
  }) {
    this.#link = options.link;
    this.#capture = options.capture;
    this.#headerBytes = options.headerBytes;
    this.#observer = options.observer;
    this.#streamOf = options.streamOf;
  }

  /** Bytes that entered the link, including UDP and IP headers. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that left the link, including UDP and IP headers. */
  get bytesDelivered(): number {
    return this.#bytesDelivered;
  }

  /** Drops the next media datagrams of each stream before they reach the link. */
  dropNext(packets: number): void {
    this.#toDrop.video = packets;
    this.#toDrop.sound = packets;
  }

  send(now: Instant, datagram: Uint8Array): void {
    this.#bytes += datagram.length + this.#headerBytes;
    this.#capture.sent(now, 'forward', datagram);
    const stream = this.#streamOf(datagram);
    if (stream !== undefined && this.#toDrop[stream] > 0) {
      this.#toDrop[stream]--;
      this.#observer.onSent(now, datagram, true);
      return;
    }
    const fate = this.#link.send(now, datagram);
    const isLost = fate === 'lost' || fate === 'overflowed';
    const number = this.#observer.onSent(now, datagram, isLost);
    if (!isLost && number !== undefined) this.#numbers.set(datagram, number);
    this.#takeOutcomes();
  }

  pollDelivery(now: Instant): Uint8Array | undefined {
    const datagram = this.#link.pollDelivery(now);
    this.#takeOutcomes();
    if (datagram) {
      this.#bytesDelivered += datagram.length + this.#headerBytes;
      this.#capture.delivered(now, 'forward', datagram);
    }
    const number = datagram && this.#numbers.get(datagram);
    if (datagram && number !== undefined) {
      this.#numbers.delete(datagram);
      this.#observer.onArrived(now, number, datagram);
    }
    return datagram;
  }

  pollTimeout(): Instant | undefined {
    return this.#link.pollTimeout();
  }

  /** Reports datagrams that the queue discipline or the loss stage dropped after sending. */
  #takeOutcomes(): void {
    for (let outcome = this.#link.pollOutcome(); outcome; outcome = this.#link.pollOutcome()) {
      const { datagram, fate } = outcome;
      const number = this.#numbers.get(datagram);
      if (number === undefined || fate === 'carried' || fate === 'duplicated') continue;
      this.#numbers.delete(datagram);
      this.#observer.onLost(number, datagram);
    }
  }
}
