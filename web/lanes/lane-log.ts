import { FRAME_CLASSES, type FrameClass } from '../../protocol/frame-class.ts';
import { type LaneEvents, PACKET_KINDS, type PacketKind } from '../../protocol/page/lane-message.ts';

/** What the timeline and a frame's life may look back on; all that is older is forgotten. */
const KEPT_MS = 12_000;
/** A lane behind a bottleneck may have much under way; more than this is not drawn. */
const PACKETS_MAX = 20_000;
const FRAMES_MAX = 4_000;

export interface Packet {
  readonly number: number;
  readonly kind: PacketKind;
  readonly frame: number;
  readonly sentMs: number;
  readonly lost: boolean;
  arrivedMs: number | undefined;
  /** It arrived behind a hole, and cannot be used before that closes. */
  held: boolean;
  freedMs: number | undefined;
  /** A packet that was sent later arrived before. */
  reordered: boolean;
  /** Its frame had been given up before. */
  late: boolean;
}

export interface Frame {
  readonly number: number;
  readonly capturedMs: number;
  readonly wholeMs: number | undefined;
  readonly decidedMs: number;
  readonly fate: FrameClass;
}

/** The last seconds of one lane, packet by packet and frame by frame. */
export class LaneLog {
  readonly packets = new Map<number, Packet>();
  readonly frames = new Map<number, Frame>();
  /** The instant up to which everything is known, milliseconds. */
  knownMs = 0;
  #run: number | undefined;
  #highestArrived = -1;

  /** Counts the lane's beginnings; `undefined`: nothing was told yet. */
  get run(): number | undefined {
    return this.#run;
  }

  /** Packets that wait behind a hole now. */
  get heldNow(): number {
    let count = 0;
    for (const packet of this.packets.values()) if (packet.held && packet.freedMs === undefined) count++;
    return count;
  }

  /** Packets that had to wait behind a hole in the time that is kept. */
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
    for (const [number, capturedMs, wholeMs, decidedMs, fate] of events.frames) {
      const whole = wholeMs < 0 ? undefined : wholeMs;
      this.frames.set(number, {
        number,
        capturedMs,
        wholeMs: whole,
        decidedMs,
        fate: FRAME_CLASSES[fate] ?? 'incomplete',
      });
    }
    for (const [number, arrivedMs, held] of events.arrived) this.#arrive(number, arrivedMs, held === 1);
    for (const [number, freedMs] of events.freed) {
      const packet = this.packets.get(number);
      if (packet) packet.freedMs = freedMs;
    }
    this.#forget(nowMs - KEPT_MS);
  }

  /** Everything that was sent for a frame, in order. */
  packetsOf(frame: number): readonly Packet[] {
    return [...this.packets.values()].filter((packet) => packet.frame === frame && packet.kind !== 'control');
  }

  clear(run?: number): void {
    this.#run = run;
    this.packets.clear();
    this.frames.clear();
    this.#highestArrived = -1;
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
    for (const [number, packet] of this.packets) {
      if (packet.sentMs >= before && this.packets.size <= PACKETS_MAX) break;
      this.packets.delete(number);
    }
    for (const [number, frame] of this.frames) {
      if (frame.decidedMs >= before && this.frames.size <= FRAMES_MAX) break;
      this.frames.delete(number);
    }
  }
}
