/**
 * Light receivers in one process: `audience PORT COUNT STAMPS` joins COUNT times, and prints `ready` when all are reached. Each counts what
 * arrives, and reports every second, as a receiver does. After SIGINT it prints their figures. STAMPS, written by `serve`, says when
 * each frame entered the sender.
 */
import { readFileSync } from 'node:fs';
import { argv, exit, hrtime, stdout } from 'node:process';
import { percentile, sorted } from '../lab/metrics/percentile.ts';
import { onLoopback, type PlainReceiver, reach, report } from './plain-receiver.ts';

const [, , portText, countText, stamps = ''] = argv;
const port = Number(portText);
const count = Number(countText);
/** Joins in flight at a time. */
const JOINING_MAX = 8;
const REPORT_MS = 1_000;
const MARKER = 0x80;

interface Listener {
  readonly receiver: PlainReceiver;
  readonly reportSsrc: number;
  /** Packets of the media, and what their sequence numbers say was sent. */
  packets: number;
  first: number | undefined;
  highest: number;
  /** Arrival of the last packet of each frame: media time in ticks of 90 kHz, and the machine's clock in microseconds. */
  readonly frames: (readonly [ticks: number, at: number])[];
}

let lastAt = 0;

function listen(receiver: PlainReceiver, index: number): Listener {
  const listener: Listener = { receiver, reportSsrc: 1 + index, packets: 0, first: undefined, highest: 0, frames: [] };
  const { ssrc, timestampBase } = receiver.welcome;
  receiver.media.on('message', (datagram) => {
    if (datagram.length < 12 || datagram.readUInt32BE(8) !== ssrc) return;
    const sequence = datagram.readUInt16BE(2);
    listener.first ??= sequence;
    const ahead = ((sequence - listener.highest) << 16) >> 16;
    listener.highest = listener.packets === 0 ? sequence : ahead > 0 ? listener.highest + ahead : listener.highest;
    listener.packets++;
    if ((datagram[1]! & MARKER) === 0) return;
    lastAt = performance.now();
    listener.frames.push([(datagram.readUInt32BE(4) - timestampBase) >>> 0, Number(hrtime.bigint() / 1_000n)]);
  });
  return listener;
}

const listeners: Listener[] = [];
let next = 0;
await Promise.all(
  Array.from({ length: Math.min(JOINING_MAX, count) }, async () => {
    while (next < count) {
      const index = next++;
      listeners.push(listen(await reach(onLoopback(port)), index));
    }
  }),
);
// Spread over the second.
for (const [index, listener] of listeners.entries()) {
  const tell = () => report(listener.receiver, listener.reportSsrc, listener.highest);
  setTimeout(() => setInterval(tell, REPORT_MS), (index * REPORT_MS) / count);
}
/** Called when everybody has joined: the figures begin anew. */
function begin(): void {
  for (const listener of listeners) {
    listener.frames.length = 0;
    listener.packets = 0;
    listener.first = undefined;
  }
}
begin();
const begunAt = performance.now();
stdout.write('ready\n');
process.once('SIGINT', () => {
  const endedAt = lastAt;
  const entered = new Map(
    readFileSync(stamps, 'utf8')
      .split('\n')
      .map((text) => text.split(' ').map(Number) as [number, number]),
  );
  const delays: number[] = [];
  let [packets, sent, frames] = [0, 0, 0];
  for (const listener of listeners) {
    packets += listener.packets;
    if (listener.first !== undefined) sent += ((listener.highest - listener.first) & 0xffff_ffff) + 1;
    frames += listener.frames.length;
    for (const [ticks, at] of listener.frames) {
      const from = entered.get(ticks);
      if (from !== undefined) delays.push((at - from) / 1_000);
    }
  }
  const all = sorted(delays);
  const framesPerSecond = frames / count / ((endedAt - begunAt) / 1_000);
  const [p50, p99] = [percentile(all, 0.5), percentile(all, 0.99)];
  stdout.write(`${JSON.stringify({ packets, sent, framesPerSecond, p50, p99 })}\n`);
  exit(0);
});
