import type { AccessUnit } from '../protocol/access-unit.ts';
import { assert } from '../protocol/base/assert.ts';
import {
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
  seconds,
} from '../protocol/base/units.ts';
import type { Recovery } from '../protocol/control/recovery.ts';
import type { Endpoint } from '../protocol/endpoint.ts';
import { UDP_IP_HEADER_BYTES } from '../protocol/ip-packet.ts';
import type { WireSequence } from '../protocol/rtp/sequence.ts';
import { ProtectedEndpoint } from '../protocol/srtp/protected-endpoint.ts';
import { PROTECTION_BYTES_MAX } from '../protocol/srtp/srtp-packet.ts';
import { type SentStreamParameters, STREAM_DEFAULTS } from '../protocol/stream-parameters.ts';
import { BundledReceiver, type BundledReceiverEvent } from '../receiver/bundled-receiver.ts';
import { Receiver, type ReceiverEvent } from '../receiver/receiver.ts';
import { type ReceiverOptions, receiverOptions } from '../receiver/receiver-options.ts';
import { BundledSender } from '../sender/bundled-sender.ts';
import { Sender } from '../sender/sender.ts';
import type { SenderEvent } from '../sender/sender-event.ts';
import { type SenderOptions, senderOptions } from '../sender/sender-options.ts';
import { HostedEndpoint } from '../sim/hosted-endpoint.ts';
import { REPORT_SSRC, SOUND_REPORT_SSRC, simulatedStream } from '../sim/simulated-stream.ts';
import { type Path, type Script, Simulation } from '../sim/simulation.ts';
import { MediaPacketTable } from './media-packet-table.ts';
import { CellPaths } from './paths/cell-paths.ts';
import { protectionBytes } from './protection-bytes.ts';
import type { Scheme, SchemeKind } from './schemes/scheme.ts';
import { SchemeReceiverEnd, SchemeSenderEnd } from './schemes/scheme-endpoints.ts';
import { UdpSound } from './sound/udp-sound.ts';
import type { PathStrategyName } from './strategies.ts';
import type { Runnable, Strategy, StrategyBuilder, StrategyOptions, TransportFigures } from './strategy.ts';

/** Time until the control channel has announced the end of the stream: one transit plus TCP's own delays. */
const CONTROL_DELAY: Microseconds = milliseconds(100);

/** Our sender and receiver with this recovery strategy. */
export function udpStrategy(recovery: Recovery): StrategyBuilder {
  return (options, measuredFrom) => new UdpStrategy({ sender: recovery, receiver: recovery }, options, measuredFrom);
}

/** Our sender without recovery, and a published scheme that protects the pictures. */
export function schemeStrategy(scheme: SchemeKind): StrategyBuilder {
  const { receiver = 'reorder' } = scheme;
  return (options, measuredFrom) => new UdpStrategy({ sender: 'reorder', receiver, scheme }, options, measuredFrom);
}

/** Our sender and receiver with deadline recovery, over two paths. */
export function pathStrategy(paths: PathStrategyName): StrategyBuilder {
  return (options, measuredFrom) =>
    new UdpStrategy({ sender: 'hybrid', receiver: 'hybrid', paths }, options, measuredFrom);
}

/** Recoveries of both ends of a cell over UDP. */
interface UdpProtection {
  readonly sender: Recovery;
  readonly receiver: Recovery;
  readonly scheme?: SchemeKind;
  /** Distribution over two paths; absent for one. */
  readonly paths?: PathStrategyName;
}

/** Inputs of the parameters of a stream. */
type StreamOptions = Pick<StrategyOptions, 'budget' | 'transitMin' | 'parameters'>;

/** Stream parameters of a cell, on any clock. @param scheme that protects the stream. */
export function udpParameters(recovery: Recovery, options: StreamOptions, scheme?: SchemeKind): SentStreamParameters {
  const { budget, transitMin, parameters } = options;
  const { redundancy, encrypted } = parameters;
  const reservedBytes = (scheme?.headroomBytes(parameters) ?? 0) + (encrypted ? PROTECTION_BYTES_MAX : 0);
  return simulatedStream({
    recovery,
    ...(redundancy !== undefined && { redundancy }),
    latency: microseconds(Math.max(0, budget - transitMin)),
    datagramBytesMax: STREAM_DEFAULTS.datagramBytesMax - reservedBytes,
    // Published schemes drop a frame at its deadline.
    ...(scheme && { mend: microseconds(0) }),
  });
}

/** Options of a cell's sender, on any clock. */
export function udpSenderOptions(recovery: Recovery, options: StreamOptions, scheme?: SchemeKind): SenderOptions {
  const { rate } = options.parameters;
  return senderOptions(udpParameters(recovery, options, scheme), rate === undefined ? {} : { rate });
}

/** Options of a cell's receiver, on any clock. */
export function udpReceiverOptions(
  recovery: Recovery,
  options: StreamOptions & Pick<StrategyOptions, 'release'>,
  scheme?: SchemeKind,
): ReceiverOptions {
  const { onLoss } = options.parameters;
  return receiverOptions(udpParameters(recovery, options, scheme), {
    reportSsrc: REPORT_SSRC,
    release: options.release,
    ...(onLoss !== undefined && { onLoss }),
  });
}

/** How long packets may still arrive after the last frame. */
export const udpDrain = ({ budget, transitMin }: Pick<StrategyOptions, 'budget' | 'transitMin'>): Microseconds =>
  microseconds(2 * budget + 4 * transitMin + seconds(2));

/** Time after the last frame at which the control channel announces the end. */
export const endAnnouncedAfter = (transitMin: Microseconds): Microseconds => microseconds(transitMin + CONTROL_DELAY);

class UdpStrategy implements Strategy {
  readonly headerBytes = UDP_IP_HEADER_BYTES;
  readonly observer: MediaPacketTable;
  readonly drain: Microseconds;
  readonly #options: StrategyOptions;
  readonly #sender: Sender;
  readonly #receiver: Receiver | BundledReceiver;
  readonly #sound: UdpSound | undefined;
  readonly #scheme: Scheme | undefined;
  readonly #paths: CellPaths | undefined;
  readonly #initialSequence: WireSequence;
  #endAnnouncedAt: Instant | undefined;
  #keyFrameRequested = false;

  constructor(protection: UdpProtection, options: StrategyOptions, measuredFrom: number) {
    const { scheme } = protection;
    this.#options = options;
    this.drain = udpDrain(options);
    const { frames } = options;
    const parameters = udpParameters(protection.sender, options, scheme);
    this.#initialSequence = parameters.initialSequence;
    this.observer = new MediaPacketTable(frames, {
      measuredFrom,
      initialSequence: parameters.initialSequence,
      sendableFor: parameters.latency,
    });
    this.#paths = protection.paths && new CellPaths(protection.paths, options.parameters, parameters);
    this.#sender = new Sender({
      ...udpSenderOptions(protection.sender, options, scheme),
      ...this.#paths?.senderOptions,
    });
    const receiverOptions = {
      ...udpReceiverOptions(protection.receiver, options, scheme),
      ...(this.#paths && { multipath: true }),
    };
    this.#scheme = scheme?.build(options.parameters, {
      ...parameters,
      roundTrip: () => this.#sender.statistics.roundTrip,
      reportedLoss: () => this.#sender.statistics.reportedLoss,
    });
    this.#sound = options.sound && new UdpSound(options.sound, parameters);
    this.#receiver = this.#sound
      ? new BundledReceiver({
          video: receiverOptions,
          sound: this.#sound.receiverOptions(options.release),
          recordsApart: false,
        })
      : new Receiver(receiverOptions);
  }

  get soundObserver(): MediaPacketTable | undefined {
    return this.#sound?.observer;
  }

  get ended(): boolean {
    return this.#receiver.ended;
  }

  get targetBitrate(): number | undefined {
    return this.#sender.targetBitrate;
  }

  takeKeyFrameRequest(): boolean {
    const requested = this.#keyFrameRequested;
    this.#keyFrameRequested = false;
    return requested;
  }

  start(parts: { readonly forward: Path; readonly back: Path; readonly scripts: readonly Script[] }): Runnable {
    const announceEnd: Script = {
      pollTimeout: () => this.#endAnnouncedAt,
      run: (now) => {
        this.#endAnnouncedAt = undefined;
        const { statistics, lastSequence } = this.#sender;
        const receiver = this.#receiver;
        this.#pictures.endOfStream(now, { frames: statistics.frames, lastSequence });
        if (receiver instanceof BundledReceiver) this.#sound?.announceEnd(now, receiver.sound!);
      },
    };
    const { machine, parameters } = this.#options;
    const onHost = <Event>(bare: Endpoint<Event>): Endpoint<Event> => {
      const endpoint = parameters.encrypted ? new ProtectedEndpoint(bare, protectionBytes) : bare;
      return machine
        ? new HostedEndpoint(endpoint, {
            arrival: microseconds(machine.path + machine.datagramWakeUp),
            together: true,
            timerTick: machine.processTick,
          })
        : endpoint;
    };
    return new Simulation<SenderEvent, ReceiverEvent | BundledReceiverEvent>({
      sender: onHost(this.#sendingEnd()),
      receiver: onHost(this.#receivingEnd()),
      forward: parts.forward,
      back: parts.back,
      scripts: [...parts.scripts, announceEnd],
      onSenderEvent: (_now, event) => {
        if (event.kind === 'keyframe-requested') this.#keyFrameRequested = true;
      },
      onReceiverEvent: (now, event) => this.#handleEvent(now, event),
    });
  }

  send(now: Instant, unit: AccessUnit, row: number): void {
    // Withheld and refused frames are not sent.
    if (this.#sender.send(now, unit) === 'queued') this.observer.addFrame(row);
    else this.#options.frames.setClass(row, 'refused');
  }

  sendSound(now: Instant, unit: AccessUnit, row: number): void {
    this.#sound?.send(now, unit, row);
  }

  finish(now: Instant): void {
    this.#sender.finish();
    this.#sound?.sender.finish();
    this.#endAnnouncedAt = later(now, endAnnouncedAfter(this.#options.transitMin));
  }

  assertBalanced(): void {
    this.#receiver.assertBalanced();
  }

  conclude(now: Instant): TransportFigures {
    this.#receiver.finish(now);
    for (let event = this.#receiver.pollEvent(); event; event = this.#receiver.pollEvent()) {
      this.#handleEvent(now, event);
    }
    this.#receiver.assertBalanced();
    return this.observer.conclude();
  }

  concludeSound(): TransportFigures | undefined {
    return this.#sound?.conclude();
  }

  get #pictures(): Receiver {
    const receiver = this.#receiver;
    const pictures = receiver instanceof BundledReceiver ? receiver.video : receiver;
    assert(pictures instanceof Receiver, 'a cell must not record apart from what it shows');
    return pictures;
  }

  #sendingEnd(): Endpoint<SenderEvent> {
    const sender = this.#bundledSender();
    if (this.#paths) return this.#paths.sendingEnd(sender);
    return this.#scheme ? new SchemeSenderEnd(sender, this.#scheme.sender, this.#initialSequence) : sender;
  }

  #receivingEnd(): Endpoint<ReceiverEvent | BundledReceiverEvent> {
    const receiver: Endpoint<ReceiverEvent | BundledReceiverEvent> = this.#receiver;
    if (this.#paths) return this.#paths.receivingEnd(receiver);
    const scheme = this.#scheme?.receiver;
    if (!scheme) return receiver;
    return new SchemeReceiverEnd(receiver, scheme, {
      initialSequence: this.#initialSequence,
      recovered: (now, packet) => this.#pictures.handleRecovered(now, packet),
    });
  }

  /** The sender of the pictures, with that of the sound if there is any. */
  #bundledSender(): Endpoint<SenderEvent> {
    if (!this.#sound) return this.#sender;
    const bundle = new BundledSender(this.#sender, this.#sound.sender);
    bundle.expectReportsFrom('video', REPORT_SSRC);
    bundle.expectReportsFrom('sound', SOUND_REPORT_SSRC);
    return bundle;
  }

  #handleEvent(now: Instant, event: ReceiverEvent | BundledReceiverEvent): void {
    switch (event.kind) {
      case 'sound':
        return this.#sound?.handleEvent(now, event.event);
      case 'access-unit':
        return this.observer.release(now, event.frame, {
          class: event.class,
          completeAt: instant(now - event.playoutDelay + event.completionDelay),
        });
      case 'dropped':
        for (let more = 0; more < event.frames; more++) this.observer.drop(now, event.frame + more, event.cause);
        return;
      case 'recorded':
      case 'malformed':
      case 'ended':
        return;
      default:
        event satisfies never;
    }
  }
}
