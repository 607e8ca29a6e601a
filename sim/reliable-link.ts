import type { Instant } from '../protocol/instant.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import type { LinkSpecification } from './link-specification.ts';
import { LossProcess } from './loss-process.ts';
import { RandomStream } from './random.ts';

/** Linux waits at least this long before it resends the last segment of a burst (RTO_MIN, 200 ms). */
const RETRANSMISSION_TIMEOUT_MIN = 200_000;

/**
 * One direction of an impaired path as a byte stream over TCP sees it: nothing is lost and nothing overtakes, and each
 * lost segment holds back everything behind it until it has been sent again.
 *
 * A model, and a kind one: a first loss costs one round trip (fast retransmit), the loss of what was sent again a
 * timeout that doubles from Linux's minimum; there is no congestion window, so throughput never suffers. It exists because a process
 * cannot drop the segments of a real TCP connection.
 */
export class ReliableLink {
  readonly #link: LinkSpecification;
  readonly #loss: LossProcess;
  readonly #jitter: RandomStream;
  readonly #queue = new DeliveryQueue<Uint8Array>();
  #index = 0;
  #bottleneckFreeAt: Instant = 0;
  #releasedAt: Instant = 0;
  #held = 0;

  constructor(link: LinkSpecification, direction: string) {
    this.#link = link;
    this.#loss = new LossProcess(link, direction);
    this.#jitter = new RandomStream(link.seed, `${direction}/jitter`);
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
    for (let attempt = 0; this.#loss.next(); attempt++) {
      if (attempt === 0) this.#held++;
      at += attempt === 0 ? roundTrip : roundTrip + RETRANSMISSION_TIMEOUT_MIN * 2 ** Math.min(attempt - 1, 9);
      if (attempt >= 15) break; // tcp_retries2: a real connection would give up about here
    }
    this.#index++;
    this.#releasedAt = Math.max(at, this.#releasedAt);
    this.#queue.push(this.#releasedAt, segment);
  }

  pollDelivery(now: Instant): Uint8Array | undefined {
    return this.#queue.pop(now);
  }

  pollTimeout(): Instant | undefined {
    return this.#queue.nextAt;
  }
}
