import type { Instant } from '../../protocol/base/units.ts';

/** Datagrams that wait for their departure, in order. */
export class DepartureQueue {
  readonly #waiting: { readonly at: Instant; readonly datagram: Uint8Array }[] = [];

  /** @param at not before that of the datagram added last. */
  add(at: Instant, datagram: Uint8Array): void {
    this.#waiting.push({ at, datagram });
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    const first = this.#waiting[0];
    if (!first || first.at > now) return undefined;
    this.#waiting.shift();
    return first.datagram;
  }

  pollTimeout(): Instant | undefined {
    return this.#waiting[0]?.at;
  }
}
