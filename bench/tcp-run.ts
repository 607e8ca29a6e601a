import { cpuUsage } from 'node:process';
import { type Sorted, sorted } from '../lab/metrics/percentile.ts';
import { type Instant, instant, later, seconds } from '../protocol/base/units.ts';
import { CLEAN_LINK } from '../sim/link/clean-link.ts';
import { Link } from '../sim/link/link.ts';
import type { LinkSpecification } from '../sim/link/link-specification.ts';
import { Simulation } from '../sim/simulation.ts';
import { LiveFeed, SyntheticStream } from '../sim/synthetic-stream.ts';
import type { CongestionControlName } from '../sim/tcp/congestion-control.ts';
import { TcpMediaReceiver } from '../sim/tcp/media-receiver.ts';
import { TcpMediaSender } from '../sim/tcp/media-sender.ts';
import type { SendingCounters } from '../sim/tcp/tcp-counters.ts';
import { RECEIVER_END, SENDER_END, TCP_DEFAULTS } from '../sim/tcp/tcp-options.ts';

/** One run of the modelled TCP with a live stream. */
export interface TcpRun {
  /** Delays from hand-over of a frame to its last byte, for complete frames, milliseconds; sorted. */
  readonly delays: Sorted;
  readonly frames: number;
  readonly megabitsPerSecond: number;
  readonly datagrams: number;
  readonly processorSeconds: number;
  readonly counters: SendingCounters;
}

const FRAMES_PER_SECOND = 30;
const FRAME_BYTES = 16_000;
/** Start of the stream, after the handshake. */
const START: Instant = instant(seconds(1));

/** Sends 16,000-byte frames at 30 per second; the path loses and delays data, and only delays acknowledgments. */
export function runTcp(
  congestionControl: CongestionControlName,
  path: Partial<LinkSpecification>,
  duration: number,
  seed: number,
): TcpRun {
  const common = { ...TCP_DEFAULTS, congestionControl, seed };
  const sender = new TcpMediaSender({
    ...common,
    ...SENDER_END,
    openAt: instant(0),
  });
  const receiver = new TcpMediaReceiver({ ...common, ...RECEIVER_END });
  const stream = new SyntheticStream({
    framesPerSecond: FRAMES_PER_SECOND,
    frameBytes: FRAME_BYTES,
    keyFrameBytes: FRAME_BYTES,
    keyInterval: FRAMES_PER_SECOND,
    frames: duration * FRAMES_PER_SECOND,
    seed,
  });
  const handedAt: Instant[] = [];
  const delays: number[] = [];
  let bytes = 0;
  let datagrams = 0;
  const link = { ...CLEAN_LINK, ...path, seed };
  const simulation = new Simulation({
    sender,
    receiver,
    forward: new Link(link, 'forward'),
    back: new Link({ ...link, loss: 0 }, 'back'),
    scripts: [
      new LiveFeed({
        startAt: START,
        next: () => stream.next(),
        deliver: (now, unit) => sender.send(now, unit),
        finish: () => sender.finish(),
      }),
    ],
    onDatagram: () => {
      datagrams++;
    },
    onSenderEvent: (_, event) => {
      if (event.kind === 'written') handedAt[event.frame] = event.handedAt;
    },
    onReceiverEvent: (_, event) => {
      if (event.kind !== 'access-unit') return;
      delays.push((event.completeAt - handedAt[event.frame]!) / 1_000);
      bytes += event.bytes;
    },
  });
  const started = cpuUsage();
  // Half a second longer than the stream; incomplete frames then do not count.
  simulation.runUntil(later(START, seconds(duration + 0.5)));
  const { user, system } = cpuUsage(started);
  return {
    delays: sorted(delays),
    frames: duration * FRAMES_PER_SECOND,
    megabitsPerSecond: (bytes * 8) / 1e6 / duration,
    datagrams,
    processorSeconds: (user + system) / 1e6,
    counters: sender.connection.counters!,
  };
}
