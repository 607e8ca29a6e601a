import type { Instant } from '../protocol/instant.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import type { LinkOptions } from './link.ts';
import type { LinkSpecification } from './link-specification.ts';
import { LossProcess, meanLossOf } from './loss-process.ts';
import { RandomStream } from './random.ts';

/** Even without any delay a loss has to be noticed: a few segments at video rates. */
const ROUND_TRIP_MIN = 10_000;
/** tcp_retries2: a real connection would give up about here. */
const ATTEMPTS_MAX = 15;

/**
 * One direction of an impaired path as a byte stream over TCP sees it: nothing is lost and nothing overtakes, and each
 * lost segment holds back everything behind it until it has been sent again.
 *
 * A model, and a kind one: each time a segment is lost costs one round trip, as where later segments show the loss at
 * once (RACK, RFC 8985); there is no timeout and no congestion window, so throughput never suffers. What is sent again
 * meets the mean loss and not the burst that took the original: that has passed by then. Of a link it knows loss,
 * delay, jitter from nothing to all of it, and rate. It exists because a process cannot drop the segments of a real TCP
 * connection.
 */
export class ReliableLink {
  readonly #link: LinkSpecification;
  readonly #startsAt: Instant;
  readonly #meanLoss: number;
  readonly #loss: LossProcess;
  readonly #jitter: RandomStream;
  readonly #again: RandomStream;
  #draws = 0;
  readonly #queue = new DeliveryQueue<Uint8Array>();
  #index = 0;
  #bottleneckFreeAt: Instant = 0;
  #releasedAt: Instant = 0;
  #held = 0;

  constructor(link: LinkSpecification, direction: string, { startsAt = 0 }: LinkOptions = {}) {
    this.#link = link;
    this.#startsAt = startsAt;
    this.#meanLoss = meanLossOf(link);
    this.#loss = new LossProcess(link, direction);
    this.#jitter = new RandomStream(link.seed, `${direction}/jitter`);
    this.#again = new RandomStream(link.seed, `${direction}/again`);
  }

  /** Segments that were lost at least once and so held back what followed. */
  get held(): number {
    return this.#held;
  }

  send(now: Instant, segment: Uint8Array): void {
    const startsAt = Math.max(now, this.#bottleneckFreeAt);
    const serialization = this.#link.rate === 0 ? 0 : Math.round((segment.length * 8_000_000) / this.#link.rate);
    this.#bottleneckFreeAt = startsAt + serialization;
    const jitter = this.#link.jitter > 0 ? this.#jitter.below(this.#index, 0x10_0000) / 0x10_0000 : 0;
    let at = this.#bottleneckFreeAt + Math.round(this.#link.delay + jitter * this.#link.jitter);
    const roundTrip = 2 * this.#link.delay + this.#link.jitter;
    if (this.#loss.next(this.#bottleneckFreeAt - this.#startsAt)) {
      this.#held++;
      at += this.#attempts() * Math.max(roundTrip, ROUND_TRIP_MIN);
    }
    this.#index++;
    this.#releasedAt = Math.max(at, this.#releasedAt);
    this.#queue.push(this.#releasedAt, segment);
  }

  /** How often the segment is sent again until it comes through. */
  #attempts(): number {
    let attempts = 1;
    while (attempts < ATTEMPTS_MAX && this.#again.chance(this.#draws++, this.#meanLoss)) attempts++;
    return attempts;
  }

  pollDelivery(now: Instant): Uint8Array | undefined {
    return this.#queue.pop(now);
  }

  pollTimeout(): Instant | undefined {
    return this.#queue.nextAt;
  }
}
