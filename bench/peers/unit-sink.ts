/** `unit-sink FILE`: records the frames that `dropframe receive --output -` writes to standard input, until it ends. */
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
// Ctrl-C reaches the whole process group; wait for the writer to end first.
process.on('SIGINT', () => {});
