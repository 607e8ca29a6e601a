import { expect, test } from 'vitest';
import { wireSequence, wireTimestamp } from '../protocol/rtp/sequence.ts';
import { streamParameters } from '../protocol/stream-parameters.ts';
import { receive, relay, type ServeOptions, serve } from '../session/index.ts';
import { createStreamPair, type StreamPairOptions } from '../stream-pair.ts';

const REFUSED: readonly (readonly [options: unknown, message: string])[] = [
  [{ latencyMs: 120_000 }, 'latencyMs: expected milliseconds from 0 to 60000, not 120000'],
  [{ latencyMs: '120' }, "latencyMs: expected milliseconds from 0 to 60000, not '120'"],
  [{ latencyMs: Number.NaN }, 'latencyMs: expected milliseconds from 0 to 60000, not NaN'],
  [{ redundancy: 25 }, 'redundancy: expected a share from 0 to 1, not 25'],
  [{ recovery: 'magic' }, "recovery: expected one of none, reorder, nack, fec, hybrid, not 'magic'"],
  [{ datagramBytesMax: 1_200.5 }, 'datagramBytesMax: expected a whole number from 300 to 65000, not 1200.5'],
  [{ latency: 200 }, 'unknown option "latency": did you mean "latencyMs"?'],
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
  const misspelled = { recievers: 3 } as ServeOptions;
  await expect(serve('testsrc', misspelled)).rejects.toThrow(
    'unknown option "recievers": did you mean "receiversMax"?',
  );
  await expect(serve('testsrc', { framesPerSecond: 0 })).rejects.toThrow(
    /^framesPerSecond: expected frames per second/,
  );
  await expect(relay({ to: 'nowhere', link: 'loss=1%' })).rejects.toThrow(/^to: expected HOST:PORT/);
  await expect(relay({ to: '127.0.0.1:1', link: 'lost=1%' })).rejects.toThrow(RangeError);
});

const SENT = { ssrc: 1, initialSequence: wireSequence(0), timestampBase: wireTimestamp(0) };

test.for([
  [{ payloadType: 128 }, 'payloadType: expected a whole number from 0 to 127, not 128'],
  [{ redundancy: 1.5 }, 'redundancy: expected a share from 0 to 1, not 1.5'],
  [{ ssrc: 2 ** 32 }, 'ssrc: expected a whole number from 0 to 4294967295, not 4294967296'],
  [{ initialSequence: -1 }, 'initialSequence: expected a whole number from 0 to 65535, not -1'],
  [{ clockRate: 0 }, 'clockRate: expected a whole number from 1 to 4294967295, not 0'],
  [{ latency: 60_000_001 }, 'latency: expected microseconds from 0 to 60000000, not 60000001'],
  [{ datagramBytesMax: 100 }, 'datagramBytesMax: expected a whole number from 300 to 65535, not 100'],
  [{ repair: { ssrc: 3, payloadType: 200 } }, 'repair.payloadType: expected a whole number from 0 to 127, not 200'],
  [{ codec: 'h266' }, "codec: expected a Codec, such as codecByName('h264'), not 'h266'"],
  [{ frameMarks: 'yes' }, "frameMarks: expected true or false, not 'yes'"],
  [{ latencyMs: 200 }, 'unknown option "latencyMs": did you mean "latency"?'],
] as const)('parameters of a stream are refused as %j, with their range', ([wrong, message]) => {
  const parameters = { ...SENT, ...wrong } as unknown as Parameters<typeof streamParameters>[0];
  expect(() => streamParameters(parameters)).toThrow(new RangeError(message));
});
