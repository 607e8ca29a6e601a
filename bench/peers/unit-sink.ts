/** `unit-sink FILE`: notes the frames that `dropframe receive --output -` writes to our standard input, until it ends. */
import { writeFileSync } from 'node:fs';
import { argv, stdin } from 'node:process';
import { FrameReleases } from './frame-releases.ts';
import { MarkedUnitReader } from './marked-unit.ts';
import { monotonicMicroseconds } from './monotonic.ts';

const [, , file = ''] = argv;
const releases = new FrameReleases();
const reader = new MarkedUnitReader();
stdin.on('data', (piece: Buffer) => {
  const at = monotonicMicroseconds();
  for (const frame of reader.push(piece)) releases.addWhole(frame, at);
});
stdin.on('end', () => writeFileSync(file, JSON.stringify(releases.records)));
// Ctrl-C reaches the whole group: what writes to us ends first, and then we do.
process.on('SIGINT', () => {});
