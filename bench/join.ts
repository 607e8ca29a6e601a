/**
 * A receiver that records when each access unit is released: `join PORT LATENCY_MS STAMPS` writes one line per unit
 * (decode timestamp, and machine's monotonic clock in microseconds), and prints its own play-out delay summary.
 */
import { writeFileSync } from 'node:fs';
import { argv, hrtime, stdout } from 'node:process';
import { StreamClient } from '../session/stream/stream-client.ts';

const [, , port, latency, stamps = ''] = argv;
const lines: string[] = [];
const client = new StreamClient({
  host: '127.0.0.1',
  port: Number(port),
  transport: 'udp',
  latencyMs: Number(latency),
  recovery: 'nack',
  release: 'deadline',
  onLoss: 'freeze',
  link: undefined,
  timeoutMs: 5_000,
  onWaiting: () => {},
  onNotice: () => {},
  onWelcome: () => {},
  onUnit: (unit) => lines.push(`${unit.decodeTimestamp} ${hrtime.bigint() / 1_000n}`),
  onRecordedUnit: () => {},
  onDrop: () => {},
});
process.once('SIGINT', () => client.stop());
await client.run();
writeFileSync(stamps, lines.join('\n'));
stdout.write(`${JSON.stringify(client.sessions.at(-1)?.playoutDelay)}\n`);
