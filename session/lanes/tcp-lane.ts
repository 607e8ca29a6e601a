import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { Instant, Microseconds } from '../../protocol/base/units.ts';
import { IP_HEADER_BYTES } from '../../protocol/ip-packet.ts';
import { Simulation } from '../../sim/simulation.ts';
import { TcpMediaReceiver, type TcpMediaReceiverEvent } from '../../sim/tcp/media-receiver.ts';
import { TcpMediaSender, type TcpMediaSenderEvent } from '../../sim/tcp/media-sender.ts';
import { RECEIVER_END, SENDER_END, TCP_DEFAULTS } from '../../sim/tcp/tcp-options.ts';
import { InOrderFrames } from './in-order-frames.ts';
import { LanePath } from './lane-path.ts';
import type { FrameCounts } from './lane-record.ts';
import type { LaneTransport, LaneTransportOptions } from './lane-transport.ts';
import type { PicturePlace } from './picture-numbers.ts';
import { payloadOf, SegmentJournal } from './segment-journal.ts';
import { UNSENT_BYTES_MAX, WAIT_MAX } from './tcp-limits.ts';

/** A lane over the modelled TCP: complete, and later with every loss. */
export class TcpLane implements LaneTransport {
  readonly path: LanePath;
  readonly #frames: InOrderFrames;
  readonly #segments: SegmentJournal;
  readonly #sender: TcpMediaSender;
  readonly #simulation: Simulation<TcpMediaSenderEvent, TcpMediaReceiverEvent>;
  #failed = false;

  constructor(options: LaneTransportOptions, openAt: Instant) {
    this.#frames = new InOrderFrames(options);
    this.#segments = new SegmentJournal(options, SENDER_END.initialSequence + 1, () => this.#frames.length - 1);
    const { congestionControl } = options.settings;
    const common = { ...TCP_DEFAULTS, congestionControl, seed: options.seed };
    this.#sender = new TcpMediaSender({
      ...common,
      ...SENDER_END,
      openAt,
      unsentBytesMax: UNSENT_BYTES_MAX,
      waitMax: WAIT_MAX,
    });
    this.path = tcpPathOf(options, this.#segments);
    this.#simulation = new Simulation({
      sender: this.#sender,
      receiver: new TcpMediaReceiver({ ...common, ...RECEIVER_END }),
      forward: this.path,
      back: options.back,
      scripts: [{ pollTimeout: () => this.#frames.nextAt, run: (now) => this.#frames.showDue(now) }],
      onSenderEvent: (now, event) => this.#handleSenderEvent(now, event),
      onReceiverEvent: (_now, event) => this.#handleReceiverEvent(event),
    });
  }

  get failed(): boolean {
    return this.#failed;
  }

  get frames(): FrameCounts {
    return this.#frames.counts;
  }

  get unsentBytes(): number {
    return Math.max(0, this.#frames.takenBytes - this.#segments.sentThrough);
  }

  stalledFor(now: Instant): Microseconds {
    return this.#frames.stalledFor(now);
  }

  send(now: Instant, unit: AccessUnit, picture: PicturePlace | undefined): boolean {
    this.#frames.captured(now, unit, picture);
    this.#sender.send(now, unit, 'video');
    this.#simulation.runUntil(now);
    return true;
  }

  sendSound(now: Instant, unit: AccessUnit): void {
    this.#frames.soundCaptured(now, unit);
    this.#sender.send(now, unit, 'sound');
    this.#simulation.runUntil(now);
  }

  runUntil(now: Instant): void {
    this.#simulation.runUntil(now);
  }

  #handleSenderEvent(now: Instant, event: TcpMediaSenderEvent): void {
    switch (event.kind) {
      case 'written':
        return this.#segments.wrote(event.stream === 'video' ? event.frame : -1, event.bytes);
      case 'given-up':
        return this.#frames.givenUp(now, event.stream, event.frame);
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
      case 'access-unit':
        return this.#frames.complete(event.stream, event.frame, event.unit, event.completeAt);
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
}

/** The path of a TCP lane towards its receiver, whose segments are entered into the journal. */
export function tcpPathOf({ forward, capture }: LaneTransportOptions, segments: SegmentJournal): LanePath {
  return new LanePath({
    link: forward,
    capture,
    // TCP's own header is part of each segment.
    headerBytes: IP_HEADER_BYTES,
    // Sound and pictures share the segments.
    streamOf: (segment) => (payloadOf(segment) > 0 ? 'video' : undefined),
    observer: {
      onSent: (now, segment, lost) => segments.sent(now, segment, lost),
      onLost: (number) => segments.lost(number),
      onArrived: (now, number, segment) => segments.arrived(now, number, segment),
    },
  });
}
