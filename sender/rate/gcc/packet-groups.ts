import { elapsed, type Instant, type Microseconds, microseconds } from '../../../protocol/base/units.ts';
import type { GccOptions } from './gcc-options.ts';

/** Two successive groups of packets, compared (§5.1). */
export interface GroupDelta {
  /** Arrival of the last packet of the newer group, on the receiver's clock. */
  readonly arrivedAt: Microseconds;
  /** Inter-arrival and inter-departure time, between the last packets of both. */
  readonly arrival: Microseconds;
  readonly departure: Microseconds;
}

interface Group {
  readonly firstSentAt: Instant;
  readonly firstArrivedAt: Microseconds;
  sentAt: Instant;
  arrivedAt: Microseconds;
}

/**
 * Pre-filtering (draft-ietf-rmcat-gcc-02 §5.2): packets sent within the burst time form a group, and so do packets that
 * arrive in a burst after an outage. Packets received out of order are ignored (§5.1).
 */
export class PacketGroups {
  readonly #options: Pick<GccOptions, 'burstTime' | 'burstMax'>;
  #before: Group | undefined;
  #current: Group | undefined;

  constructor(options: Pick<GccOptions, 'burstTime' | 'burstMax'>) {
    this.#options = options;
  }

  /** Takes a received packet. @returns the previous two groups, when the packet is the first of a new one. */
  onPacket(sentAt: Instant, arrivedAt: Microseconds): GroupDelta | undefined {
    const current = this.#current;
    if (!current) {
      this.#current = groupOf(sentAt, arrivedAt);
      return undefined;
    }
    if (sentAt < current.firstSentAt) return undefined;
    if (this.#belongs(current, sentAt, arrivedAt)) {
      if (sentAt > current.sentAt) current.sentAt = sentAt;
      if (arrivedAt > current.arrivedAt) current.arrivedAt = arrivedAt;
      return undefined;
    }
    const before = this.#before;
    this.#before = current;
    this.#current = groupOf(sentAt, arrivedAt);
    if (!before) return undefined;
    const arrival = microseconds(current.arrivedAt - before.arrivedAt);
    // Groups that arrive out of order are no measure of the queue.
    if (arrival < 0) return undefined;
    return { arrivedAt: current.arrivedAt, arrival, departure: elapsed(before.sentAt, current.sentAt) };
  }

  #belongs(group: Group, sentAt: Instant, arrivedAt: Microseconds): boolean {
    const { burstTime, burstMax } = this.#options;
    if (sentAt - group.firstSentAt <= burstTime) return true;
    const arrival = arrivedAt - group.arrivedAt;
    const variation = arrival - (sentAt - group.sentAt);
    return arrival <= burstTime && variation < 0 && arrivedAt - group.firstArrivedAt < burstMax;
  }
}

const groupOf = (sentAt: Instant, arrivedAt: Microseconds): Group => ({
  firstSentAt: sentAt,
  firstArrivedAt: arrivedAt,
  sentAt,
  arrivedAt,
});
