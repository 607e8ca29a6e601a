import { expect, test } from 'vitest';
import { receive, relay, serve } from '../session/index.ts';
import { createStreamPair, type StreamPairOptions } from '../stream-pair.ts';

const REFUSED: readonly (readonly [options: unknown, message: string])[] = [
  [{ latencyMs: 120_000 }, 'latencyMs: expected milliseconds from 0 to 60000, not 120000'],
  [{ latencyMs: '120' }, "latencyMs: expected milliseconds from 0 to 60000, not '120'"],
  [{ latencyMs: Number.NaN }, 'latencyMs: expected milliseconds from 0 to 60000, not NaN'],
  [{ redundancy: 25 }, 'redundancy: expected a share from 0 to 1, not 25'],
  [{ recovery: 'magic' }, "recovery: expected one of none, reorder, nack, fec, hybrid, not 'magic'"],
  [{ datagramBytesMax: 1_200.5 }, 'datagramBytesMax: expected a whole number from 300 to 65000, not 1200.5'],
  [{ onLoss: 'hide' }, "onLoss: expected one of freeze, smear, not 'hide'"],
];

test.for(REFUSED)('refuses %j at once, and names the expected range', ([options, message]) => {
  expect(() => createStreamPair(options as StreamPairOptions)).toThrow(new RangeError(message));
});

test('a receiver of the node entry refuses an address and a latency before it connects', () => {
  expect(() => receive('http://127.0.0.1:7000')).toThrow(RangeError);
  expect(() => receive('dropframe://127.0.0.1:7000', { latencyMs: 120_000 })).toThrow(/^latencyMs: expected/);
});

test('a server and a relay of the node entry reject values out of range', async () => {
  await expect(serve('testsrc', { port: 70_000 })).rejects.toThrow(/^port: expected a whole number/);
  await expect(relay({ to: 'nowhere', link: 'loss=1%' })).rejects.toThrow(/^to: expected HOST:PORT/);
  await expect(relay({ to: '127.0.0.1:1', link: 'lost=1%' })).rejects.toThrow(RangeError);
});
