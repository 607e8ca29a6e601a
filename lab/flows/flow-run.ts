import {
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
} from '../../protocol/base/units.ts';
import type { Ecn } from '../../protocol/ecn.ts';
import { IP_HEADER_BYTES, UDP_IP_HEADER_BYTES } from '../../protocol/ip-packet.ts';
import type { Direction } from '../../sim/direction.ts';
import type { SimulatedFlow } from '../../sim/flow-simulation.ts';
import type { DatagramContext } from '../../sim/link/datagram-context.ts';
import type { FlowPort } from '../../sim/shared-path.ts';
import { type Path, Simulation } from '../../sim/simulation.ts';
import type { CongestionControlName } from '../../sim/tcp/congestion-control.ts';
import { ConstantSender, Sink } from '../../sim/traffic/constant-stream.ts';
import { DownloadReceiver, DownloadSender } from '../../sim/traffic/tcp-download.ts';
import { type CellSource, framesPerSecondOf } from '../cell-source.ts';
import { MediaRun, START } from '../media-run.ts';
import type { PackedFiles } from '../packed-units.ts';
import type { PathObserver } from '../path-observer.ts';
import type { FlowDescription, FlowLoad } from './flow-description.ts';

/** Settings of all flows of a cell. */
export interface FlowSetting {
  readonly files: PackedFiles;
  /** End of the cell, after which nothing new is sent. */
  readonly endsAt: Instant;
  readonly warmUpSeconds: number;
  readonly budget: Microseconds;
  readonly release: 'deadline' | 'asap';
  readonly seed: number;
}

/** Ports of a flow, in the direction of its data and of its feedback. */
export interface FlowPorts {
  readonly data: FlowPort;
  readonly feedback: FlowPort;
}

/** One flow ready to run. */
export interface FlowRun {
  readonly flow: SimulatedFlow;
  /** Of a media flow. */
  readonly media?: MediaRun;
}

/** Header bytes of the flow's datagrams on the line. */
export const headerBytesOf = (load: FlowLoad): number =>
  load.kind === 'constant' || (load.kind === 'media' && !load.strategy.startsWith('tcp-'))
    ? UDP_IP_HEADER_BYTES
    : IP_HEADER_BYTES;

/** Time at which the flow begins. */
export const startOf = ({ startMs }: FlowDescription): Instant => later(START, milliseconds(startMs));

/** Time at which the flow ends. @param endsAt end of the cell. */
export const stopOf = ({ stopMs }: FlowDescription, endsAt: Instant): Instant =>
  stopMs === undefined ? endsAt : instant(Math.min(endsAt, later(START, milliseconds(stopMs))));

/** @param transitMin shortest transit of a full datagram on the flow's path. */
export function openFlow(
  description: FlowDescription,
  { data, feedback }: FlowPorts,
  transitMin: Microseconds,
  setting: FlowSetting,
): FlowRun {
  const { load, name, startMs } = description;
  const { seed } = setting;
  const [startsAt, stopsAt] = [startOf(description), stopOf(description, setting.endsAt)];
  const paths = { forward: data, back: feedback, scripts: [] };
  switch (load.kind) {
    case 'constant': {
      const { kbps, packetBytes } = load;
      const sender = new ConstantSender({ rate: kbps * 1_000, packetBytes, startsAt, stopsAt });
      return { flow: new Simulation({ sender, receiver: new Sink(), ...paths }) };
    }
    case 'download': {
      const { transferBytes, pauseMs } = load;
      const congestionControl = load.strategy.slice('tcp-'.length) as CongestionControlName;
      const options = {
        congestionControl,
        seed,
        name,
        startsAt,
        stopsAt,
        ...(transferBytes && { transferBytes }),
        ...(pauseMs !== undefined && { pause: milliseconds(pauseMs) }),
      };
      const [sender, receiver] = [new DownloadSender(options), new DownloadReceiver(options)];
      return { flow: new Simulation({ sender, receiver, ...paths }) };
    }
    case 'media': {
      const media = new MediaRun({
        ...load,
        ...setting,
        transitMin,
        startsAt,
        opensAt: startsAt,
        framesMax: framesWithin(load.source, microseconds(stopsAt - startsAt)),
        warmUpSeconds: Math.max(0, setting.warmUpSeconds - startMs / 1_000),
      });
      const flow = media.strategy.start({
        forward: new ObservedPort(data, 'forward', media.observers, () => media.frame),
        back: new ObservedPort(feedback, 'back', media.observers, () => media.frame),
        scripts: media.feeds,
      });
      return { flow, media };
    }
    default:
      return load satisfies never;
  }
}

const framesWithin = (source: CellSource, span: Microseconds): number =>
  Math.max(0, Math.ceil((span / 1_000_000) * framesPerSecondOf(source)));

/** A port with observers; the fates of datagrams are decided on the shared link. */
class ObservedPort implements Path {
  readonly #port: FlowPort;
  readonly #direction: Direction;
  readonly #observers: readonly PathObserver[];
  readonly #frame: () => number;

  constructor(port: FlowPort, direction: Direction, observers: readonly PathObserver[], frame: () => number) {
    this.#port = port;
    this.#direction = direction;
    this.#observers = observers;
    this.#frame = frame;
  }

  get deliveredEcn(): Ecn {
    return this.#port.deliveredEcn;
  }

  send(now: Instant, datagram: Uint8Array, context?: DatagramContext): void {
    for (const observer of this.#observers) observer.onSent(now, this.#direction, datagram, 'queued');
    this.#port.send(now, datagram, { ...context, frame: this.#frame() });
  }

  pollDelivery(now: Instant): Uint8Array | undefined {
    const datagram = this.#port.pollDelivery(now);
    if (datagram) for (const observer of this.#observers) observer.onDelivered(now, this.#direction, datagram);
    return datagram;
  }

  pollTimeout(): Instant | undefined {
    return this.#port.pollTimeout();
  }
}
