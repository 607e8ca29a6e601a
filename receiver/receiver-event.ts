import type { AccessUnit } from '../protocol/access-unit.ts';
import type { Microseconds } from '../protocol/base/units.ts';
import type { ReleasedFrameClass } from '../protocol/frame-class.ts';

/** Events of a receiver. Each frame is released in an event of its own, or dropped in exactly one. */
export type ReceiverEvent =
  | {
      readonly kind: 'access-unit';
      readonly unit: AccessUnit;
      readonly frame: number;
      readonly class: ReleasedFrameClass;
      /**
       * True when the frame serves the decoder only: its time has passed, and a newer one can be shown (`mended`). A
       * `late` frame is shown at once, all others at their time.
       */
      readonly decodeOnly: boolean;
      /** Time from the fastest observed transit to the release, microseconds. */
      readonly playoutDelay: Microseconds;
      /** Time from the fastest observed transit to the arrival of the last packet, microseconds. */
      readonly completionDelay: Microseconds;
    }
  | {
      readonly kind: 'dropped';
      readonly frame: number;
      /** Number of consecutive frames dropped, from `frame` on; more than 1 only when none of them arrived. */
      readonly frames: number;
      readonly cause: 'incomplete' | 'neverArrived' | 'undecodable';
    }
  | { readonly kind: 'malformed'; readonly cause: string }
  /** The sender ended the stream, and every frame has been decided. */
  | { readonly kind: 'ended' };

/** Limit of unpolled events about malformed datagrams; events about frames are never discarded. */
const MALFORMED_MAX = 4096;

/** Queue of unpolled events. */
export class EventQueue {
  readonly #events: ReceiverEvent[] = [];
  #head = 0;

  push(event: ReceiverEvent): void {
    if (this.#events.length < MALFORMED_MAX || event.kind !== 'malformed') this.#events.push(event);
  }

  poll(): ReceiverEvent | undefined {
    const event = this.#events[this.#head];
    if (event === undefined) return undefined;
    this.#head++;
    if (this.#head === this.#events.length) {
      this.#events.length = 0;
      this.#head = 0;
    }
    return event;
  }
}
