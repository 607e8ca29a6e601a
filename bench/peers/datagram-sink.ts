/** `datagram-sink PORT FILE`: records the datagram output of an SRT or RIST receiver until Ctrl-C. Prints `ready`. */
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { argv, exit, stdout } from 'node:process';
import { FrameReleases } from './frame-releases.ts';
import { monotonicMicroseconds } from './monotonic.ts';
import { payloadMark } from './workload.ts';

/** Receive buffer: several seconds of the stream. */
const BUFFER_BYTES = 4_000_000;

const [, , port, file = ''] = argv;
const releases = new FrameReleases();
const socket = createSocket('udp4');
socket.on('message', (datagram) => {
  const at = monotonicMicroseconds();
  const mark = payloadMark(datagram);
  if (mark) releases.add(mark, at);
});
socket.bind(Number(port), '127.0.0.1', () => {
  socket.setRecvBufferSize(BUFFER_BYTES);
  stdout.write('ready\n');
});
process.once('SIGINT', () => {
  writeFileSync(file, JSON.stringify(releases.records));
  exit(0);
});
