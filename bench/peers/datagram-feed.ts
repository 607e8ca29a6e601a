/**
 * `datagram-feed PORT FRAMES FILE`: sends frames to an SRT or RIST sender as datagrams on 127.0.0.1, twelve at once per
 * 1/30 s, and writes the send time of each frame (microseconds of `hrtime`) to FILE.
 */

import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { argv, exit } from 'node:process';
import { now } from '../../io/os/clock.ts';
import { WakeUp } from '../../io/os/wake-up.ts';
import { instant } from '../../protocol/base/units.ts';
import { monotonicMicroseconds } from './monotonic.ts';
import { markedPayload, PAYLOADS_PER_FRAME, WORKLOAD_FRAMES_PER_SECOND } from './workload.ts';

const [, , port, frames, file = ''] = argv;
const socket = createSocket('udp4');
const handedOverAt: number[] = [];
const startedAt = now();
const dueAt = (frame: number): number => startedAt + Math.round((frame * 1e6) / WORKLOAD_FRAMES_PER_SECOND);
const wakeUp = new WakeUp(send);

function send(): void {
  while (handedOverAt.length < Number(frames) && dueAt(handedOverAt.length) <= now()) {
    const frame = handedOverAt.length;
    handedOverAt.push(monotonicMicroseconds());
    for (let index = 0; index < PAYLOADS_PER_FRAME; index++) socket.send(markedPayload({ frame, index }));
  }
  if (handedOverAt.length < Number(frames)) return wakeUp.set(instant(dueAt(handedOverAt.length)));
  writeFileSync(file, JSON.stringify(handedOverAt));
  socket.close();
}

// Undeliverable datagrams (ICMP errors) are simply missing at the other end.
socket.on('error', () => {});
socket.connect(Number(port), '127.0.0.1', send);
process.once('SIGINT', () => exit(0));
