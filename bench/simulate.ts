/**
 * Streams 4 Mb/s at 30 frames per second from a sender to a receiver over a simulated link. `simulate HOURS LINK
 * RECOVERY [hash]` prints one line of JSON; with --expose-gc it includes the heap size after each hour.
 */

import { createHash } from 'node:crypto';
import { argv, cpuUsage, memoryUsage, stdout } from 'node:process';
import { instant, milliseconds, seconds } from '../protocol/base/units.ts';
import { RECOVERIES } from '../protocol/control/recovery.ts';
import { Receiver } from '../receiver/receiver.ts';
import { receiverOptions } from '../receiver/receiver-options.ts';
import { Sender } from '../sender/sender.ts';
import { senderOptions } from '../sender/sender-options.ts';
import { Link } from '../sim/link/link.ts';
import { parseLinkSpecification } from '../sim/link/link-parse.ts';
import { REPORT_SSRC, simulatedStream } from '../sim/simulated-stream.ts';
import { Simulation } from '../sim/simulation.ts';
import { LiveFeed, SyntheticStream } from '../sim/synthetic-stream.ts';

/** Result printed by the child process. */
export interface SimulatedHours {
  readonly hours: number;
  readonly processorSeconds: number;
  readonly datagrams: number;
  readonly framesTotal: number;
  readonly framesReleased: number;
  readonly framesRecovered: number;
  readonly megabitsPerSecond: number;
  /** SHA-256 over all datagrams with direction and time. */
  readonly hash: string | null;
  /** Memory in use after garbage collection at each full hour, megabytes: heap and external buffers. */
  readonly heapMegabytes: readonly number[];
}

const FRAMES_PER_SECOND = 30;
const FRAMES_AN_HOUR = FRAMES_PER_SECOND * 3_600;
/** A key frame per second, four times the size of the others: 4 Mb/s in total. */
const KEY_INTERVAL = 30;
const KEY_FRAME_BYTES = 60_600;
const FRAME_BYTES = 15_151;

const hours = Number(argv[2]);
const link = parseLinkSpecification(argv[3] ?? '');
if (!link.ok) throw new Error(link.malformed);
const recovery = RECOVERIES.find((name) => name === argv[4]);
if (!recovery) throw new Error(`'${argv[4]}' is not a recovery strategy`);
const hash = argv[5] === 'hash' ? createHash('sha256') : undefined;
const collect = (globalThis as { gc?: () => void }).gc;

const parameters = simulatedStream({ recovery, latency: milliseconds(120) });
const sender = new Sender(senderOptions(parameters));
const receiver = new Receiver(receiverOptions(parameters, { reportSsrc: REPORT_SSRC }));
const stream = new SyntheticStream({
  framesPerSecond: FRAMES_PER_SECOND,
  frameBytes: FRAME_BYTES,
  keyFrameBytes: KEY_FRAME_BYTES,
  keyInterval: KEY_INTERVAL,
  frames: hours * FRAMES_AN_HOUR,
  seed: 1,
});
let datagrams = 0;
const header = new DataView(new ArrayBuffer(9));
const simulation = new Simulation({
  sender,
  receiver,
  forward: new Link(link.value, 'forward'),
  back: new Link(link.value, 'back'),
  scripts: [
    new LiveFeed({
      startAt: instant(0),
      next: () => stream.next(),
      deliver: (now, unit) => sender.send(now, unit),
      finish: () => sender.finish(),
    }),
  ],
  onDatagram: (now, direction, datagram) => {
    datagrams++;
    if (!hash) return;
    header.setFloat64(0, now);
    header.setUint8(8, direction === 'forward' ? 0 : 1);
    hash.update(new Uint8Array(header.buffer)).update(datagram);
  },
});

const heapMegabytes: number[] = [];
const started = cpuUsage();
for (let hour = 1; hour < hours + 1; hour++) {
  simulation.runUntil(instant(seconds(Math.min(hour, hours) * 3_600)));
  receiver.assertBalanced();
  if (!collect) continue;
  // Twice, because the first pass only starts to release external buffers.
  collect();
  collect();
  const { heapUsed, external } = memoryUsage();
  heapMegabytes.push((heapUsed + external) / 1e6);
}
const { user, system } = cpuUsage(started);
receiver.finish(simulation.now);
receiver.assertBalanced();
const { frames } = receiver.statistics;
const result: SimulatedHours = {
  hours,
  processorSeconds: (user + system) / 1e6,
  datagrams,
  framesTotal: frames.decided,
  framesReleased: frames.onTime + frames.recovered,
  framesRecovered: frames.recovered,
  megabitsPerSecond: (sender.statistics.payloadBytes * 8) / 1e6 / (hours * 3_600),
  hash: hash?.digest('hex') ?? null,
  heapMegabytes,
};
stdout.write(`${JSON.stringify(result)}\n`);
