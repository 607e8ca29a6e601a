import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { Instant } from '../../protocol/base/units.ts';
import { Simulation } from '../../sim/simulation.ts';
import { TcpMediaReceiver, type TcpMediaReceiverEvent } from '../../sim/tcp/media-receiver.ts';
import { TcpMediaSender, type TcpMediaSenderEvent } from '../../sim/tcp/media-sender.ts';
import { RECEIVER_END, SENDER_END, TCP_DEFAULTS } from '../../sim/tcp/tcp-options.ts';
import { InOrderLane } from './in-order-lane.ts';
import type { LaneTransport, LaneTransportOptions } from './lane-transport.ts';
import type { PicturePlace } from './picture-numbers.ts';
import { UNSENT_BYTES_MAX, WAIT_MAX } from './tcp-limits.ts';

/** A lane over the modelled TCP. */
export class TcpLane extends InOrderLane implements LaneTransport {
  readonly #sender: TcpMediaSender;
  readonly #simulation: Simulation<TcpMediaSenderEvent, TcpMediaReceiverEvent>;

  constructor(options: LaneTransportOptions, openAt: Instant) {
    super(options, SENDER_END.initialSequence + 1);
    const { congestionControl } = options.settings;
    const common = { ...TCP_DEFAULTS, congestionControl, seed: options.seed };
    this.#sender = new TcpMediaSender({
      ...common,
      ...SENDER_END,
      openAt,
      unsentBytesMax: UNSENT_BYTES_MAX,
      waitMax: WAIT_MAX,
    });
    this.#simulation = new Simulation({
      sender: this.#sender,
      receiver: new TcpMediaReceiver({ ...common, ...RECEIVER_END }),
      forward: this.path,
      back: options.back,
      scripts: [{ pollTimeout: () => this.inOrder.nextAt, run: (now) => this.inOrder.showDue(now) }],
      onSenderEvent: (now, event) => this.#handleSenderEvent(now, event),
      onReceiverEvent: (_now, event) => this.#handleReceiverEvent(event),
    });
  }

  send(now: Instant, unit: AccessUnit, picture: PicturePlace | undefined): boolean {
    this.inOrder.captured(now, unit, picture);
    this.#sender.send(now, unit, 'video');
    this.#simulation.runUntil(now);
    return true;
  }

  sendSound(now: Instant, unit: AccessUnit): void {
    this.inOrder.soundCaptured(now, unit);
    this.#sender.send(now, unit, 'sound');
    this.#simulation.runUntil(now);
  }

  runUntil(now: Instant): void {
    this.#simulation.runUntil(now);
  }

  #handleSenderEvent(now: Instant, event: TcpMediaSenderEvent): void {
    switch (event.kind) {
      case 'written':
        return this.segments.wrote(event.stream === 'video' ? event.frame : -1, event.bytes);
      case 'given-up':
        return this.inOrder.givenUp(now, event.stream, event.frame);
      case 'failed':
        this.hasFailed = true;
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
        return this.inOrder.complete(event.stream, event.frame, event.unit, event.completeAt);
      case 'ended':
      case 'failed':
        this.hasFailed = true;
        return;
      case 'established':
        return;
      default:
        event satisfies never;
    }
  }
}
