import type { AccessUnit } from '../protocol/access-unit.ts';
import { CLOCK_RATE, instant, microseconds, milliseconds, seconds } from '../protocol/base/units.ts';
import { Receiver } from '../receiver/receiver.ts';
import { type Recovery, receiverOptions } from '../receiver/receiver-options.ts';
import type { ReceiverStatistics } from '../receiver/receiver-statistics.ts';
import { Sender } from '../sender/sender.ts';
import { senderOptions } from '../sender/sender-options.ts';
import type { SenderStatistics } from '../sender/sender-statistics.ts';
import { Link } from '../sim/link/link.ts';
import { parseLinkSpecification } from '../sim/link/link-parse.ts';
import { REPORT_SSRC, simulatedStream } from '../sim/simulated-stream.ts';
import { Simulation } from '../sim/simulation.ts';
import { LiveFeed, SyntheticStream } from '../sim/synthetic-stream.ts';

/** A path and a latency budget on which recovery strategies are compared. */
export interface BenchPoint {
  readonly name: string;
  readonly forward: string;
  readonly back: string;
  /** From hand-over of a frame to its release, including transit, milliseconds. */
  readonly budgetMs: number;
  readonly oneWayMs: number;
  readonly release: 'deadline' | 'asap';
  /** Packets per frame; `keyPackets` per key frame, one per second. */
  readonly packets?: number;
  readonly keyPackets?: number;
  /** Default 30. */
  readonly framesPerSecond?: number;
  /** Targets for the loss ratio and the overhead; `undefined` without targets. */
  readonly target?: { readonly lost: number; readonly overhead: number };
}

/**
 * Points of the comparison with SRT: twelve datagrams per frame, thirty frames per second, losses in both directions.
 */
export const POINTS: readonly BenchPoint[] = [
  point('A', 'loss=5%', 'loss=5%', 25, 150, { lost: 0.0001, overhead: 0.08 }),
  point('B', 'loss=10%', 'loss=10%', 20, 140, { lost: 0.0005, overhead: 0.16 }),
  point('C', 'loss=10% burst=8', '', 40, 300, { lost: 0.0005, overhead: 0.18 }),
  point('D', 'loss=1%', 'loss=1%', 50, 150, { lost: 0.0003, overhead: 0.12 }),
  // Overhead target: 2.0 % on a clean path, plus 1 %.
  point('E', 'jitter=2ms', 'jitter=2ms', 20, 140, { lost: 0, overhead: 0.03 }),
  // Half the rate of the stream with headers.
  point('F', 'rate=1935kbit queue=100ms', '', 20, 140),
  { ...point('G', '', '', 20, 140), release: 'asap' },
];

/** Further points of the same kind, against tuning for the table. */
export const MORE_POINTS: readonly BenchPoint[] = [
  point('h', 'loss=2%', 'loss=2%', 30, 130),
  point('i', 'loss=5%', 'loss=5%', 30, 110),
  point('j', 'loss=3% burst=4', 'loss=3% burst=4', 30, 200),
  point('k', 'loss=2%', 'loss=2%', 60, 160),
  point('l', 'loss=5% jitter=5ms', 'loss=5% jitter=5ms', 20, 160),
  point('m', 'loss=20%', 'loss=20%', 10, 150),
  point('n', 'loss=0.5%', 'loss=0.5%', 80, 180),
  point('o', 'loss=1% burst=3', 'loss=1% burst=3', 50, 150),
  point('p', 'jitter=10ms', 'jitter=10ms', 20, 140),
  point('q', 'loss=3%', 'loss=3%', 40, 180),
  point('1', 'loss=3% burst=4', '', 30, 200),
  point('2', 'loss=3% burst=4', 'loss=3%', 30, 200),
  point('3', 'loss=10% burst=8', 'loss=10% burst=8', 40, 300),
  point('4', 'loss=5% burst=8', '', 40, 250),
  point('5', 'loss=5% burst=20', '', 40, 300),
  { ...point('r', 'loss=5%', 'loss=5%', 25, 150), packets: 1, keyPackets: 20 },
  { ...point('s', 'loss=5%', 'loss=5%', 25, 150), packets: 3, keyPackets: 30 },
  { ...point('t', 'loss=5%', 'loss=5%', 25, 150), packets: 40, keyPackets: 200 },
  { ...point('u', 'loss=1%', 'loss=1%', 50, 150), packets: 2, keyPackets: 20 },
];

function point(
  name: string,
  forward: string,
  back: string,
  oneWayMs: number,
  budgetMs: number,
  target?: BenchPoint['target'],
): BenchPoint {
  const delay = `delay=${oneWayMs}ms`;
  const links = { forward: `${forward} ${delay}`.trim(), back: `${back} ${delay}`.trim() };
  return { name, ...links, oneWayMs, budgetMs, release: 'deadline', ...(target && { target }) };
}

export interface PointOutcome {
  readonly frames: number;
  /** Frames missing at their deadline, including withheld ones. */
  readonly framesLost: number;
  /** Frames withheld by the sender because the path cannot carry them. */
  readonly framesWithheld: number;
  /** Frames released; key frames among them; and frames with all references back to their key frame. */
  readonly released: number;
  readonly keysReleased: number;
  readonly decodable: number;
  /** Bytes offered to the forward path divided by the payload of all frames, sent or not, minus one. */
  readonly overheadOfAll: number;
  /** Bytes offered to the forward path divided by payload bytes, minus one. */
  readonly overhead: number;
  /** Header bytes of the media packets per payload byte. */
  readonly headers: number;
  /** Percentiles from hand-over to release, milliseconds. */
  readonly delayMsP50: number;
  readonly delayMsP99: number;
  readonly sender: Readonly<SenderStatistics>;
  readonly receiver: ReceiverStatistics;
}

export const FRAMES_PER_SECOND = 30;
export const PACKETS_PER_FRAME = 12;
const PAYLOAD_BYTES = 1316;
/** RTP header 12, longest frame mark 16, fragment header 2, and space for a retransmission header. */
const HEADER_BYTES = 32;
/** Bytes by which media packets are shorter when there are repair packets. */
const REPAIR_BYTES = 18;
/** One byte more than the payloads, because the NAL unit header travels in the fragment headers. */
const frameBytes = (packets: number): number => packets * PAYLOAD_BYTES + 1;

export interface PointRun {
  readonly recovery: Recovery;
  readonly frames: number;
  readonly seed: number;
  /** Default `smear`, so that a lost frame counts only once. */
  readonly onLoss?: 'freeze' | 'smear';
}

/** Runs a stream over the point's path on the virtual clock. */
export function runPoint(point: BenchPoint, run: PointRun): PointOutcome {
  const link = (text: string, direction: string) => {
    const specification = parseLinkSpecification(`${text} seed=${run.seed}`);
    if (!specification.ok) throw new Error(specification.malformed);
    return new Link(specification.value, direction);
  };
  const { recovery } = run;
  const spareBytes = recovery === 'fec' || recovery === 'hybrid' ? REPAIR_BYTES : 0;
  const parameters = simulatedStream({
    recovery,
    datagramBytesMax: PAYLOAD_BYTES + HEADER_BYTES + spareBytes,
    latency: milliseconds(point.budgetMs - point.oneWayMs),
  });
  const sender = new Sender(senderOptions(parameters));
  const { release } = point;
  const onLoss = run.onLoss ?? 'smear';
  const receiver = new Receiver(receiverOptions(parameters, { reportSsrc: REPORT_SSRC, release, onLoss }));
  const { framesPerSecond = FRAMES_PER_SECOND } = point;
  const stream = new SyntheticStream({
    framesPerSecond,
    frameBytes: frameBytes(point.packets ?? PACKETS_PER_FRAME),
    keyFrameBytes: frameBytes(point.keyPackets ?? point.packets ?? PACKETS_PER_FRAME),
    keyInterval: Math.round(framesPerSecond),
    frames: run.frames,
    seed: run.seed,
  });
  const forward = link(point.forward, 'forward');
  let forwardBytes = 0;
  let released = 0;
  let keysReleased = 0;
  let decodable = 0;
  let decodedThrough = Number.NaN;
  const interval = 1 / framesPerSecond;
  const onReleased = ({ importance, decodeTimestamp }: AccessUnit) => {
    released++;
    if (importance === 'key') keysReleased++;
    const follows = Math.abs(decodeTimestamp / CLOCK_RATE - decodedThrough - interval) < interval / 2;
    if (importance !== 'key' && !follows) return;
    decodable++;
    decodedThrough = decodeTimestamp / CLOCK_RATE;
  };
  const simulation = new Simulation({
    sender,
    receiver,
    forward,
    back: link(point.back, 'back'),
    scripts: [
      new LiveFeed({
        startAt: instant(milliseconds(1)),
        next: () => stream.next(),
        deliver: (now, unit) => sender.send(now, unit),
        finish: () => sender.finish(),
      }),
    ],
    onReceiverEvent: (_now, event) => {
      if (event.kind === 'access-unit') onReleased(event.unit);
    },
    onDatagram: (_now, direction, datagram) => {
      if (direction === 'forward') forwardBytes += datagram.length;
    },
  });
  // In steps of one second, so that an imbalance is detected close to its cause.
  const end = seconds(run.frames / framesPerSecond + 2);
  for (let at = seconds(1); at < end; at = microseconds(at + seconds(1))) {
    simulation.runUntil(instant(at));
    receiver.assertBalanced();
  }
  receiver.endOfStream(simulation.now, { frames: sender.statistics.frames, lastSequence: sender.lastSequence });
  receiver.finish(simulation.now);
  receiver.assertBalanced();
  const { statistics } = receiver;
  const { frames, playoutDelay } = statistics;
  const { payloadBytes, bytes } = sender.statistics;
  const delay = (value = Number.NaN) => point.oneWayMs + value / 1_000;
  return {
    frames: run.frames,
    framesLost: run.frames - frames.onTime - frames.recovered,
    framesWithheld: sender.statistics.framesWithheld,
    released,
    keysReleased,
    decodable,
    overheadOfAll: forwardBytes / (run.frames * frameBytes(point.packets ?? PACKETS_PER_FRAME)) - 1,
    overhead: forwardBytes / payloadBytes - 1,
    headers: bytes / payloadBytes - 1,
    delayMsP50: delay(playoutDelay.p50),
    delayMsP99: delay(playoutDelay.p99),
    sender: sender.statistics,
    receiver: statistics,
  };
}

/** Wilson's 95 % interval of a ratio. */
export function interval(count: number, of: number): { readonly low: number; readonly high: number } {
  const z = 1.96;
  const share = count / of;
  const center = share + (z * z) / (2 * of);
  const reach = z * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of));
  const scale = 1 + (z * z) / of;
  return { low: count === 0 ? 0 : (center - reach) / scale, high: (center + reach) / scale };
}
