import { FRAME_CLASSES, type FrameClass } from '../../protocol/frame-class.ts';
import { type FrameDecided, type LaneEvents, PACKET_KINDS, type PacketKind } from '../../protocol/page/lane-message.ts';

/** Bounds of a log. */
export interface LaneLogLimits {
  /** Time span kept, milliseconds. */
  readonly keptMs: number;
  readonly packetsMax: number;
  readonly framesMax: number;
}

/** For the timeline and the frame details. A lane behind a bottleneck may have many packets in flight. */
const LIMITS: LaneLogLimits = { keptMs: 12_000, packetsMax: 20_000, framesMax: 4_000 };
/** Twelve seconds of units of 2.5 ms. */
const SOUNDS_MAX = 5_000;

export interface Packet {
  readonly number: number;
  readonly kind: PacketKind;
  readonly frame: number;
  readonly sentMs: number;
  lost: boolean;
  arrivedMs: number | undefined;
  /** True when the packet arrived out of order and waits for a missing one before it. */
  held: boolean;
  freedMs: number | undefined;
  /** True when a packet sent later arrived earlier. */
  reordered: boolean;
  /** True when its frame had been given up before the packet arrived. */
  late: boolean;
}

export interface Frame {
  readonly number: number;
  readonly capturedMs: number;
  readonly wholeMs: number | undefined;
  readonly decidedMs: number;
  readonly class: FrameClass;
  /** Number of its picture in the video, as a counter in it shows; `undefined` when unknown. */
  readonly picture: number | undefined;
  /** Time of the picture in the video; `undefined` when unknown. */
  readonly positionMs: number | undefined;
}

/** A unit of sound. */
export interface Sound {
  readonly decidedMs: number;
  readonly durationMs: number;
  readonly class: FrameClass;
}

/** Inputs of a packet timeline. */
export type TimelineLog = Pick<LaneLog, 'packets' | 'frames' | 'knownMs'>;

/** The last seconds of one lane, by packet and by frame. */
export class LaneLog {
  readonly packets = new Map<number, Packet>();
  readonly frames = new Map<number, Frame>();
  /** Units of sound in the order of their outcomes. */
  sounds: Sound[] = [];
  /** Time up to which all events are known, milliseconds on the server's clock. */
  knownMs = 0;
  #run: number | undefined;
  #newestShown: Frame | undefined;
  #highestArrived = -1;
  readonly #limits: LaneLogLimits;

  constructor(limits = LIMITS) {
    this.#limits = limits;
  }

  /** Run number of the lane, increased by each restart; `undefined` before the first events. */
  get run(): number | undefined {
    return this.#run;
  }

  /** The frame shown last; `undefined` while there is none. */
  get newestShown(): Frame | undefined {
    return this.#newestShown;
  }

  /** Number of packets that wait for a missing one now. */
  get heldNow(): number {
    let count = 0;
    for (const packet of this.packets.values()) if (packet.held && packet.freedMs === undefined) count++;
    return count;
  }

  /** Number of packets in the log that had to wait for a missing one. */
  get heldLately(): number {
    let count = 0;
    for (const packet of this.packets.values()) if (packet.held) count++;
    return count;
  }

  take(nowMs: number, events: LaneEvents): void {
    if (events.run !== this.#run) this.clear(events.run);
    this.knownMs = nowMs;
    for (const [number, kind, frame, sentMs, lost] of events.sent) {
      const known = { number, kind: PACKET_KINDS[kind] ?? 'control', frame, sentMs, lost: lost === 1 };
      const open = { arrivedMs: undefined, held: false, freedMs: undefined, reordered: false, late: false };
      this.packets.set(number, { ...known, ...open });
    }
    for (const decided of events.frames) {
      const frame = frameOf(decided);
      this.frames.set(frame.number, frame);
      if (isShown(frame.class)) this.#newestShown = frame;
    }
    for (const [, , decidedMs, classIndex, durationMs] of events.sounds) {
      this.sounds.push({ decidedMs, durationMs, class: FRAME_CLASSES[classIndex] ?? 'incomplete' });
    }
    for (const number of events.lost) {
      const packet = this.packets.get(number);
      if (packet) packet.lost = true;
    }
    for (const [number, arrivedMs, held] of events.arrived) this.#arrive(number, arrivedMs, held === 1);
    for (const [number, freedMs] of events.freed) {
      const packet = this.packets.get(number);
      if (packet) packet.freedMs = freedMs;
    }
    this.#forget(nowMs - this.#limits.keptMs);
  }

  /** Returns all packets of a frame in the order sent, without control packets. */
  packetsOf(frame: number): readonly Packet[] {
    return [...this.packets.values()].filter((packet) => packet.frame === frame && packet.kind !== 'control');
  }

  clear(run?: number): void {
    this.#run = run;
    this.packets.clear();
    this.frames.clear();
    this.sounds = [];
    this.#highestArrived = -1;
    this.#newestShown = undefined;
  }

  #arrive(number: number, arrivedMs: number, held: boolean): void {
    const packet = this.packets.get(number);
    if (!packet) return;
    packet.arrivedMs = arrivedMs;
    packet.held = held;
    packet.reordered = number < this.#highestArrived && packet.kind === 'media';
    const frame = this.frames.get(packet.frame);
    packet.late = packet.kind !== 'repair' && frame !== undefined && frame.decidedMs < arrivedMs;
    this.#highestArrived = Math.max(this.#highestArrived, number);
  }

  #forget(before: number): void {
    const first = this.sounds.findIndex(({ decidedMs }) => decidedMs >= before);
    if (first !== 0) this.sounds.splice(0, first < 0 ? this.sounds.length : first);
    if (this.sounds.length > SOUNDS_MAX) this.sounds.splice(0, this.sounds.length - SOUNDS_MAX);
    const { packetsMax, framesMax } = this.#limits;
    for (const [number, packet] of this.packets) {
      if (packet.sentMs >= before && this.packets.size <= packetsMax) break;
      this.packets.delete(number);
    }
    for (const [number, frame] of this.frames) {
      if (frame.decidedMs >= before && this.frames.size <= framesMax) break;
      this.frames.delete(number);
    }
  }
}

function frameOf([number, capturedMs, whole, decidedMs, classIndex, picture, position]: FrameDecided): Frame {
  return {
    number,
    capturedMs,
    wholeMs: unlessNegative(whole),
    decidedMs,
    class: FRAME_CLASSES[classIndex] ?? 'incomplete',
    picture: unlessNegative(picture),
    positionMs: unlessNegative(position),
  };
}

const unlessNegative = (value: number): number | undefined => (value < 0 ? undefined : value);

/** True for the outcomes after which a frame is on the screen. */
export const isShown = (frameClass: FrameClass): boolean =>
  frameClass === 'onTime' || frameClass === 'recovered' || frameClass === 'late';
