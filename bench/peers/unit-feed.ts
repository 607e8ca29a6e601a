/**
 * `unit-feed HOST DATAGRAM_BYTES FRAMES FILE`: the server of `dropframe send` with marked frames as its source (the
 * command plays only files and test pictures). Prints `port N`, and writes the hand-over time of each frame to FILE.
 */
import { writeFileSync } from 'node:fs';
import { argv, exit, stderr, stdout } from 'node:process';
import { reduceGcFrequency } from '../../io/os/gc-frequency.ts';
import { Log } from '../../io/os/log.ts';
import type { MediaSource } from '../../io/sources/media-source.ts';
import { StreamServer } from '../../session/stream/stream-server.ts';
import { markedUnit } from './marked-unit.ts';
import { monotonicMicroseconds } from './monotonic.ts';
import { WORKLOAD_FRAMES_PER_SECOND } from './workload.ts';

const [, , host = '', datagramBytes, frames, file = ''] = argv;
reduceGcFrequency();
const handedOverAt: number[] = [];
const source: MediaSource = {
  description: {
    name: 'marked frames',
    codecName: 'h264',
    codec: 'avc1.640028',
    width: 1280,
    height: 720,
    framesPerSecond: WORKLOAD_FRAMES_PER_SECOND,
    durationSeconds: undefined,
    mode: 'copy',
    parameterSets: [],
  },
  units: async function* () {
    for (let frame = 0; frame < Number(frames); frame++) yield markedUnit(frame);
  },
  close: async () => {},
};
const server = new StreamServer({
  source,
  host,
  port: 0,
  loop: false,
  datagramBytesMax: Number(datagramBytes),
  receiversMax: 1,
  log: new Log({ level: 'error', write: (text) => stderr.write(text) }),
  onUnit: () => {
    handedOverAt.push(monotonicMicroseconds());
    if (handedOverAt.length === Number(frames)) writeFileSync(file, JSON.stringify(handedOverAt));
  },
  onIdle: () => {},
});
await server.listen();
stdout.write(`port ${server.port}\n`);
process.once('SIGINT', async () => {
  await server.close('the benchmark is over');
  exit(0);
});
