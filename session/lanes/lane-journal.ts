import type { Instant } from '../../protocol/base/instant.ts';
import { FRAME_CLASSES, type FrameClass } from '../../protocol/frame-class.ts';
import {
  type FrameDecided,
  type LaneEvents,
  PACKET_KINDS,
  type PacketArrived,
  type PacketFreed,
  type PacketKind,
} from '../../protocol/page/lane-message.ts';

interface Sent {
  readonly number: number;
  readonly kind: PacketKind;
  /** Asked when the events are taken: a byte stream tells only later which frame its bytes were of. */
  readonly frame: () => number;
  readonly at: Instant;
  readonly lost: boolean;
}

/** Nobody has taken the events for so long that they are not worth keeping. */
const EVENTS_MAX = 20_000;

/** Milliseconds with two decimals: what a picture can show. */
export const toMilliseconds = (at: Instant): number => Math.round(at / 10) / 100;

/** What happened on a lane since it was last asked: for the page's river, never for its figures. */
export class LaneJournal {
  #sent: Sent[] = [];
  #arrived: PacketArrived[] = [];
  #freed: PacketFreed[] = [];
  #frames: FrameDecided[] = [];
  #packets = 0;

  /** @returns the packet's number. */
  packetSent(at: Instant, kind: PacketKind, frame: () => number, lost: boolean): number {
    const number = this.#packets++;
    if (this.#sent.length < EVENTS_MAX) this.#sent.push({ number, kind, frame, at, lost });
    return number;
  }

  packetArrived(number: number, at: Instant, held: boolean): void {
    if (this.#arrived.length < EVENTS_MAX) this.#arrived.push([number, toMilliseconds(at), held ? 1 : 0]);
  }

  packetFreed(number: number, at: Instant): void {
    if (this.#freed.length < EVENTS_MAX) this.#freed.push([number, toMilliseconds(at)]);
  }

  /** @param completeAt `undefined`: it never was whole. */
  frameDecided(
    frame: number,
    times: { readonly capturedAt: Instant; readonly completeAt: Instant | undefined; readonly decidedAt: Instant },
    fate: FrameClass,
  ): void {
    if (this.#frames.length >= EVENTS_MAX) return;
    const { capturedAt, completeAt, decidedAt } = times;
    const whole = completeAt === undefined ? -1 : toMilliseconds(completeAt);
    this.#frames.push([
      frame,
      toMilliseconds(capturedAt),
      whole,
      toMilliseconds(decidedAt),
      FRAME_CLASSES.indexOf(fate),
    ]);
  }

  take(run: number): LaneEvents {
    const events: LaneEvents = {
      run,
      sent: this.#sent.map(({ number, kind, frame, at, lost }) => {
        return [number, PACKET_KINDS.indexOf(kind), frame(), toMilliseconds(at), lost ? 1 : 0];
      }),
      arrived: this.#arrived,
      freed: this.#freed,
      frames: this.#frames,
    };
    this.#sent = [];
    this.#arrived = [];
    this.#freed = [];
    this.#frames = [];
    return events;
  }
}
