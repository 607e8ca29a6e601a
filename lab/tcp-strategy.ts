import type { AccessUnit } from '../protocol/access-unit.ts';
import { assert } from '../protocol/base/assert.ts';
import {
  type Instant,
  instant,
  type Microseconds,
  microseconds,
  milliseconds,
  seconds,
} from '../protocol/base/units.ts';
import type { Endpoint } from '../protocol/endpoint.ts';
import { IP_HEADER_BYTES } from '../protocol/ip-packet.ts';
import { HostedEndpoint } from '../sim/hosted-endpoint.ts';
import { type Path, type Script, Simulation } from '../sim/simulation.ts';
import type { CarriedStream } from '../sim/tcp/access-unit-framing.ts';
import type { CongestionControlName } from '../sim/tcp/congestion-control.ts';
import { TcpMediaReceiver, type TcpMediaReceiverEvent } from '../sim/tcp/media-receiver.ts';
import { TcpMediaSender, type TcpMediaSenderEvent } from '../sim/tcp/media-sender.ts';
import { RECEIVER_END, SENDER_END, TCP_DEFAULTS } from '../sim/tcp/tcp-options.ts';
import type { FrameTable } from './frame-table.ts';
import { SegmentTable } from './segment-table.ts';
import type { Runnable, Strategy, StrategyBuilder, StrategyOptions, TransportFigures } from './strategy.ts';

/** Wait for a connection that has fallen behind; a longer backlog is of no use. */
export const TCP_DRAIN: Microseconds = seconds(30);

/** Sends the access units over the modelled TCP with this congestion control. */
export function tcpStrategy(congestionControl: CongestionControlName): StrategyBuilder {
  return (options, measuredFrom) => new TcpStrategy(congestionControl, options, measuredFrom);
}

class TcpStrategy implements Strategy {
  /** TCP's own header is part of each segment. */
  readonly headerBytes = IP_HEADER_BYTES;
  readonly drain = TCP_DRAIN;
  readonly observer: SegmentTable;
  readonly #options: StrategyOptions;
  readonly #sender: TcpMediaSender;
  readonly #receiver: TcpMediaReceiver;
  #ended = false;

  constructor(congestionControl: CongestionControlName, options: StrategyOptions, measuredFrom: number) {
    this.#options = options;
    const { frames, seed, parameters } = options;
    this.observer = new SegmentTable(() => frames.length > measuredFrom);
    const { machine } = options;
    const real = machine && { timerTick: machine.kernelTick, readDelay: machine.streamWakeUp, marksBursts: true };
    const common = { ...TCP_DEFAULTS, ...real, congestionControl, seed };
    const { unsentBytesMax, giveUpMs } = parameters;
    this.#sender = new TcpMediaSender({
      ...common,
      ...SENDER_END,
      openAt: options.opensAt ?? instant(0),
      ...(unsentBytesMax !== undefined && { unsentBytesMax }),
      ...(giveUpMs !== undefined && { waitMax: milliseconds(giveUpMs) }),
    });
    this.#receiver = new TcpMediaReceiver({
      ...common,
      ...RECEIVER_END,
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  start(parts: { readonly forward: Path; readonly back: Path; readonly scripts: readonly Script[] }): Runnable {
    const { machine } = this.#options;
    // The kernel acknowledges and paces by itself; only the delivery to processes takes longer.
    const onHost = <Event>(endpoint: Endpoint<Event>): Endpoint<Event> =>
      machine
        ? new HostedEndpoint(endpoint, { arrival: machine.path, together: false, timerTick: microseconds(1) })
        : endpoint;
    return new Simulation({
      sender: onHost(this.#sender),
      receiver: onHost(this.#receiver),
      ...parts,
      onSenderEvent: (_now, event) => this.#handleSenderEvent(event),
      onReceiverEvent: (_now, event) => this.#handleReceiverEvent(event),
    });
  }

  send(now: Instant, unit: AccessUnit, row: number): void {
    // The connection accepts all frames, so its frame numbers equal the table's rows.
    this.#sender.send(now, unit);
    this.#options.frames.setMechanism(row, 'transport');
  }

  sendSound(now: Instant, unit: AccessUnit, row: number): void {
    this.#sender.send(now, unit, 'sound');
    this.#options.sound!.units.setMechanism(row, 'transport');
  }

  finish(): void {
    this.#sender.finish();
  }

  assertBalanced(): void {
    const { frames, sound } = this.#options;
    const sent = frames.length + (sound?.units.length ?? 0);
    assert(this.observer.framesDelivered <= sent, 'delivered frames must have been sent');
  }

  conclude(): TransportFigures {
    return this.observer.conclude(this.#sender.connection.counters?.spuriousRetransmissions ?? 0);
  }

  /** One sequence of segments carries both streams. */
  concludeSound(): undefined {}

  #tableOf(stream: CarriedStream): FrameTable {
    const { frames, sound } = this.#options;
    return stream === 'sound' ? sound!.units : frames;
  }

  #handleSenderEvent(event: TcpMediaSenderEvent): void {
    switch (event.kind) {
      case 'written':
        return;
      case 'given-up':
        this.#tableOf(event.stream).setClass(event.frame, 'refused');
        return;
      case 'failed':
        this.#ended = true;
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
        return this.#deliver(event);
      case 'ended':
      case 'failed':
        this.#ended = true;
        return;
      case 'established':
        return;
      default:
        event satisfies never;
    }
  }

  /** Displays a frame in time at its deadline (or at once), and a late one on arrival; nothing is dropped. */
  #deliver({ stream, frame: row, completeAt }: Extract<TcpMediaReceiverEvent, { kind: 'access-unit' }>): void {
    const { budget, release } = this.#options;
    const frames = this.#tableOf(stream);
    const due = frames.time(row, 'capturedAt') + budget;
    frames.setTime(row, 'completeAt', completeAt);
    frames.setTime(row, 'renderedAt', release === 'asap' ? completeAt : instant(Math.max(due, completeAt)));
    frames.setClass(row, completeAt <= due ? 'onTime' : 'late');
    this.observer.framesDelivered++;
  }
}
