/**
 * The stream server of `dropframe send`, for sources that the command does not offer, or to record when each access
 * unit entered. `serve INPUT [STAMPS [RECEIVERS]]` prints `port N`; STAMPS gets one line per unit: decode timestamp, and machine's
 * monotonic clock in microseconds.
 */
import { writeFileSync } from 'node:fs';
import { argv, exit, hrtime, stdout } from 'node:process';
import { reduceGcFrequency } from '../io/os/gc-frequency.ts';
import { Log } from '../io/os/log.ts';
import { StreamServer } from '../session/stream/stream-server.ts';
import { openBenchSource } from './bench-source.ts';

const [, , input = '', stamps, receivers = '4'] = argv;
const receiversMax = Number(receivers);
reduceGcFrequency();
const lines: string[] = [];
const source = await openBenchSource(input);
const server = new StreamServer({
  source,
  host: '127.0.0.1',
  port: 0,
  loop: true,
  datagramBytesMax: 1_200,
  receiversMax,
  receiversPerAddressMax: receiversMax,
  log: new Log({ level: 'error', json: false, write: (text) => process.stderr.write(text) }),
  ...(stamps === undefined
    ? {}
    : { onUnit: (unit) => lines.push(`${unit.decodeTimestamp} ${hrtime.bigint() / 1_000n}`) }),
  onIdle: () => {},
});
await server.listen();
stdout.write(`port ${server.port}\n`);
process.once('SIGINT', async () => {
  await server.close('the benchmark is over');
  await source.close();
  if (stamps !== undefined) writeFileSync(stamps, lines.join('\n'));
  exit(0);
});
