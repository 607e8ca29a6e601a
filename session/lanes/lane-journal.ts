import { type Instant, toMilliseconds } from '../../protocol/base/units.ts';
import { FRAME_CLASSES, type FrameClass } from '../../protocol/frame-class.ts';
import {
  type FrameDecided,
  type LaneEvents,
  PACKET_KINDS,
  type PacketArrived,
  type PacketFreed,
  type PacketKind,
  type SoundDecided,
} from '../../protocol/page/lane-message.ts';
import type { HandedFrame } from './lane-record.ts';

interface Sent {
  readonly number: number;
  readonly kind: PacketKind;
  /** Evaluated when the events are taken: in a byte stream, the frame of a segment is known only later. */
  readonly frame: () => number;
  readonly at: Instant;
  readonly lost: boolean;
}

/** Limit of stored events; beyond it they are not being taken. */
const EVENTS_MAX = 20_000;

/** Events of a lane since they were last taken. They feed the packet timeline of the page, never its figures. */
export class LaneJournal {
  #sent: Sent[] = [];
  #arrived: PacketArrived[] = [];
  #freed: PacketFreed[] = [];
  #lost: number[] = [];
  #frames: FrameDecided[] = [];
  #sounds: SoundDecided[] = [];
  #packets = 0;

  /** Records a sent packet. @returns the number of the packet. */
  packetSent(at: Instant, kind: PacketKind, frame: () => number, lost: boolean): number {
    const number = this.#packets++;
    if (this.#sent.length < EVENTS_MAX) this.#sent.push({ number, kind, frame, at, lost });
    return number;
  }

  /** Records that a packet was lost after it had been sent. */
  packetLost(number: number): void {
    if (this.#lost.length < EVENTS_MAX) this.#lost.push(number);
  }

  packetArrived(number: number, at: Instant, held: boolean): void {
    if (this.#arrived.length < EVENTS_MAX) this.#arrived.push([number, toMilliseconds(at), held ? 1 : 0]);
  }

  packetFreed(number: number, at: Instant): void {
    if (this.#freed.length < EVENTS_MAX) this.#freed.push([number, toMilliseconds(at)]);
  }

  /** Records the outcome of a frame. @param completeAt `undefined` if the frame was never complete. */
  frameDecided(
    frame: number,
    { at, picture }: HandedFrame,
    { completeAt, decidedAt }: { readonly completeAt: Instant | undefined; readonly decidedAt: Instant },
    frameClass: FrameClass,
  ): void {
    if (this.#frames.length >= EVENTS_MAX) return;
    this.#frames.push([
      frame,
      toMilliseconds(at),
      completeAt === undefined ? -1 : toMilliseconds(completeAt),
      toMilliseconds(decidedAt),
      FRAME_CLASSES.indexOf(frameClass),
      picture?.number ?? -1,
      picture === undefined ? -1 : toMilliseconds(picture.position),
    ]);
  }

  /** Records the outcome of a unit of sound. */
  soundDecided(
    number: number,
    captured: { readonly at: Instant; readonly durationMs: number },
    decidedAt: Instant,
    unitClass: FrameClass,
  ): void {
    if (this.#sounds.length >= EVENTS_MAX) return;
    const { at, durationMs } = captured;
    const index = FRAME_CLASSES.indexOf(unitClass);
    this.#sounds.push([number, toMilliseconds(at), toMilliseconds(decidedAt), index, durationMs]);
  }

  take(run: number): LaneEvents {
    const events: LaneEvents = {
      run,
      sent: this.#sent.map(({ number, kind, frame, at, lost }) => {
        return [number, PACKET_KINDS.indexOf(kind), frame(), toMilliseconds(at), lost ? 1 : 0];
      }),
      lost: this.#lost,
      arrived: this.#arrived,
      freed: this.#freed,
      frames: this.#frames,
      sounds: this.#sounds,
    };
    this.#sent = [];
    this.#lost = [];
    this.#arrived = [];
    this.#freed = [];
    this.#frames = [];
    this.#sounds = [];
    return events;
  }
}
