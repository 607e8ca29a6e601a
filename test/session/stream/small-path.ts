// Run by a test inside a network namespace whose loopback interface has a small MTU: serves a stream, receives it, and
// prints the result and the sender's log.
import { receive, serve } from '../../../session/index.ts';

const lines: string[] = [];
const service = await serve('samples/counter.h264', { onLog: (line) => lines.push(line) });
const reception = receive(service.url, { latencyMs: 5_000 });
const { frames } = await reception.ended;
await service.close();
const found = lines
  .filter((line) => line.includes('carries datagrams of'))
  .map((line) => /of \d+ bytes/.exec(line)?.[0]);
console.log(JSON.stringify({ onTime: frames.onTime + frames.recovered, total: frames.total, found }));
process.exit(0);
