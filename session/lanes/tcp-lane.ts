import type { AccessUnit } from '../../protocol/access-unit.ts';
import { readUint32 } from '../../protocol/base/big-endian.ts';
import {
  type Instant,
  instant,
  type Microseconds,
  microseconds,
  milliseconds,
  seconds,
} from '../../protocol/base/units.ts';
import { IP_HEADER_BYTES } from '../../protocol/ip-packet.ts';
import type { PacketKind } from '../../protocol/page/lane-message.ts';
import { Simulation } from '../../sim/simulation.ts';
import type { CarriedStream } from '../../sim/tcp/access-unit-framing.ts';
import { TcpMediaReceiver, type TcpMediaReceiverEvent } from '../../sim/tcp/media-receiver.ts';
import { TcpMediaSender, type TcpMediaSenderEvent } from '../../sim/tcp/media-sender.ts';
import { RECEIVER_END, SENDER_END, TCP_DEFAULTS } from '../../sim/tcp/tcp-options.ts';
import { LanePath } from './lane-path.ts';
import type { FrameCounts } from './lane-record.ts';
import { decide, type LaneTransport, type LaneTransportOptions, payloadBytes } from './lane-transport.ts';

/** Offsets of the sequence number and the header length in a segment (RFC 9293 §3.1). */
const SEQUENCE_OFFSET = 4;
const DATA_OFFSET = 12;
/**
 * Time limit of the send queue: a frame that has waited half a minute is dropped, with all frames up to the next key
 * frame. A viewer has no use for a stream that late, and memory is limited.
 */
const WAIT_MAX = seconds(30);
const UNSENT_BYTES_MAX = 262_144;
/** Framing overhead of an access unit and of each of its parts, bytes (sim/tcp/access-unit-framing.ts). */
const UNIT_HEADER_BYTES = 24;
const PART_HEADER_BYTES = 4;
/** Frames whose position in the stream is kept. */
const RANGES_MAX = 4_096;

interface Held {
  readonly number: number;
  readonly offset: number;
  readonly end: number;
}

/** A lane over the modelled TCP: complete, and later with every loss. */
export class TcpLane implements LaneTransport {
  readonly path: LanePath;
  readonly #options: LaneTransportOptions;
  readonly #sender: TcpMediaSender;
  readonly #receiver: TcpMediaReceiver;
  readonly #simulation: Simulation<TcpMediaSenderEvent, TcpMediaReceiverEvent>;
  /** End of each unit in the byte stream, in order, with the frame of a picture, −1 for sound. */
  readonly #ranges: { readonly frame: number; readonly end: number }[] = [];
  #written = 0;
  /** Size of all accepted frames in the byte stream. */
  #takenBytes = 0;
  /** End of the bytes sent so far. */
  #sentThrough = 0;
  /** End of the bytes received without a gap. */
  #wholeThrough = 0;
  /** Segments received after a gap, by position. */
  readonly #held: Held[] = [];
  readonly #waiting: {
    readonly stream: CarriedStream;
    readonly unit: AccessUnit;
    readonly frame: number;
    readonly completeAt: Instant;
    readonly showAt: Instant;
    readonly late: boolean;
  }[] = [];
  #frames = 0;
  #decided = 0;
  #counts = { framesOnTime: 0, framesRecovered: 0, framesLate: 0, framesMended: 0, framesLost: 0 };
  #failed = false;

  constructor(options: LaneTransportOptions, openAt: Instant) {
    this.#options = options;
    const { congestionControl } = options.settings;
    const common = { ...TCP_DEFAULTS, congestionControl, seed: options.seed };
    this.#sender = new TcpMediaSender({
      ...common,
      ...SENDER_END,
      openAt,
      unsentBytesMax: UNSENT_BYTES_MAX,
      waitMax: WAIT_MAX,
    });
    this.#receiver = new TcpMediaReceiver({
      ...common,
      ...RECEIVER_END,
    });
    this.path = new LanePath({
      link: options.forward,
      capture: options.capture,
      // TCP's own header is part of each segment.
      headerBytes: IP_HEADER_BYTES,
      // Sound and pictures share the segments.
      streamOf: (segment) => (payloadOf(segment) > 0 ? 'video' : undefined),
      observer: {
        onSent: (now, segment, lost) => this.#note(now, segment, lost),
        onLost: (number) => {
          options.record.packetLost('media');
          options.journal.packetLost(number);
        },
        onArrived: (now, number, segment) => this.#arrive(now, number, segment),
      },
    });
    this.#simulation = new Simulation({
      sender: this.#sender,
      receiver: this.#receiver,
      forward: this.path,
      back: options.back,
      scripts: [{ pollTimeout: () => this.#waiting[0]?.showAt, run: (now) => this.#showDue(now) }],
      onSenderEvent: (now, event) => this.#handleSenderEvent(now, event),
      onReceiverEvent: (_now, event) => this.#handleReceiverEvent(event),
    });
  }

  get failed(): boolean {
    return this.#failed;
  }

  get frames(): FrameCounts {
    return this.#counts;
  }

  get unsentBytes(): number {
    return Math.max(0, this.#takenBytes - this.#sentThrough);
  }

  stalledFor(now: Instant): Microseconds {
    const capturedAt = this.#decided < this.#frames ? this.#options.record.capturedAt(this.#decided) : undefined;
    return microseconds(capturedAt === undefined ? 0 : Math.max(0, now - this.#dueAt(capturedAt)));
  }

  send(now: Instant, unit: AccessUnit): boolean {
    this.#options.record.frameCaptured(this.#frames++, now, payloadBytes(unit), unit.importance);
    this.#write(now, unit, 'video');
    return true;
  }

  sendSound(now: Instant, unit: AccessUnit): void {
    const { record, sound } = this.#options;
    record.soundCaptured(payloadBytes(unit));
    sound?.record.captured(now, unit);
    this.#write(now, unit, 'sound');
  }

  runUntil(now: Instant): void {
    this.#simulation.runUntil(now);
  }

  #write(now: Instant, unit: AccessUnit, stream: CarriedStream): void {
    this.#takenBytes += payloadBytes(unit) + UNIT_HEADER_BYTES + PART_HEADER_BYTES * unit.parts.length;
    this.#sender.send(now, unit, stream);
    this.#simulation.runUntil(now);
  }

  #dueAt(capturedAt: Instant): Instant {
    return instant(capturedAt + this.#options.pathDelay() + milliseconds(this.#options.settings.latencyMs));
  }

  #note(now: Instant, segment: Uint8Array, lost: boolean): number {
    const length = payloadOf(segment);
    const offset = this.#offsetOf(segment, this.#sentThrough);
    const kind: PacketKind = length === 0 ? 'control' : offset < this.#sentThrough ? 'again' : 'media';
    this.#sentThrough = Math.max(this.#sentThrough, offset + length);
    this.#options.record.packetSent(kind, lost);
    const frame = () => (kind === 'control' ? -1 : this.#frameAt(offset));
    return this.#options.journal.packetSent(now, kind, frame, lost);
  }

  /** Returns the stream position of a segment: of the positions with its 32-bit number, the one nearest to `known`. */
  #offsetOf(segment: Uint8Array, known: number): number {
    const wire = readUint32(segment, SEQUENCE_OFFSET);
    return known + ((wire - (SENDER_END.initialSequence + 1) - known) | 0);
  }

  #frameAt(offset: number): number {
    for (let index = this.#ranges.length - 1; index >= 0; index--) {
      if (this.#ranges[index]!.end <= offset) return this.#ranges[index + 1]?.frame ?? this.#frames - 1;
    }
    return this.#ranges[0]?.frame ?? 0;
  }

  #arrive(now: Instant, number: number, segment: Uint8Array): void {
    const length = payloadOf(segment);
    const offset = this.#offsetOf(segment, this.#wholeThrough);
    const held = length > 0 && offset > this.#wholeThrough;
    this.#options.journal.packetArrived(number, now, held);
    if (length === 0) return;
    if (held) {
      const at = this.#held.findIndex((other) => other.offset > offset);
      this.#held.splice(at < 0 ? this.#held.length : at, 0, { number, offset, end: offset + length });
      return;
    }
    this.#wholeThrough = Math.max(this.#wholeThrough, offset + length);
    while (this.#held.length > 0 && this.#held[0]!.offset <= this.#wholeThrough) {
      const next = this.#held.shift()!;
      this.#wholeThrough = Math.max(this.#wholeThrough, next.end);
      this.#options.journal.packetFreed(next.number, now);
    }
  }

  #handleSenderEvent(now: Instant, event: TcpMediaSenderEvent): void {
    switch (event.kind) {
      case 'written':
        this.#written += event.bytes;
        this.#ranges.push({ frame: event.stream === 'video' ? event.frame : -1, end: this.#written });
        if (this.#ranges.length > RANGES_MAX) this.#ranges.shift();
        return;
      case 'given-up':
        if (event.stream === 'sound') return this.#options.sound?.record.decided(event.frame, now, 'neverArrived');
        this.#counts.framesLost++;
        this.#decided = Math.max(this.#decided, event.frame + 1);
        return decide(this.#options, event.frame, 'neverArrived', { completeAt: undefined, decidedAt: now });
      case 'failed':
        this.#failed = true;
        return;
      case 'established':
      case 'closed':
        return;
      default:
        event satisfies never;
    }
  }

  #handleReceiverEvent(event: TcpMediaReceiverEvent): void {
    switch (event.kind) {
      case 'access-unit': {
        const { stream, frame, unit, completeAt } = event;
        const { record, sound } = this.#options;
        const due = this.#dueAt((stream === 'video' ? record : sound?.record)?.capturedAt(frame) ?? completeAt);
        const last = this.#waiting.at(-1)?.showAt ?? completeAt;
        this.#waiting.push({
          stream,
          unit,
          frame,
          completeAt,
          showAt: instant(Math.max(due, completeAt, last)),
          late: completeAt > due,
        });
        return;
      }
      case 'ended':
      case 'failed':
        this.#failed = true;
        return;
      case 'established':
        return;
      default:
        event satisfies never;
    }
  }

  /** Shows frames, and plays their sound: one in time at its deadline, a late one on arrival. Nothing is dropped. */
  #showDue(now: Instant): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.showAt <= now) {
      const { stream, unit, frame, completeAt, late } = this.#waiting.shift()!;
      if (stream === 'sound') {
        const { sound } = this.#options;
        sound?.record.decided(frame, now, late ? 'late' : 'onTime');
        sound?.play(unit, frame);
        continue;
      }
      if (late) this.#counts.framesLate++;
      else this.#counts.framesOnTime++;
      this.#decided = frame + 1;
      decide(this.#options, frame, late ? 'late' : 'onTime', { completeAt, decidedAt: now });
      this.#options.show(unit, frame);
    }
  }
}

/** Number of payload bytes in a segment. */
function payloadOf(segment: Uint8Array): number {
  return Math.max(0, segment.length - 4 * (segment[DATA_OFFSET]! >> 4));
}
