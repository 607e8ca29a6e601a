import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { AAC_TRANSPORT_STREAM } from '../../protocol/codec/aac/transport-stream-format.ts';
import { fetchSound } from '../../site/fetched-sound.ts';

/** AAC-LC, 48,000 samples per second, one channel. */
const CONFIG = Uint8Array.of(0x11, 0x88);
const FRAMES = [1, 2, 3].map((value) => new Uint8Array(50 + value).fill(value));
const STREAM = Buffer.concat(FRAMES.map((frame) => AAC_TRANSPORT_STREAM.write([frame], [CONFIG])));

/** Fetches the sound of a server that has these bytes. */
const soundOf = (bytes: Uint8Array) => soundFrom((response) => void response.end(bytes));

/** Fetches the sound of a server that answers so. */
async function soundFrom(answer: (response: ServerResponse) => void) {
  const server = createServer((_, response) => answer(response)).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return fetchSound(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/city.aac`));
}

async function all(units: AsyncIterable<AccessUnit> | undefined): Promise<AccessUnit[]> {
  const found: AccessUnit[] = [];
  for await (const unit of units ?? []) found.push(unit);
  return found;
}

test('gives the frames of a stream with their times, in each round', async () => {
  const sound = await soundOf(STREAM);
  expect(sound?.description).toEqual({
    codecName: 'aac',
    decoder: 'mp4a.40.2',
    clockRate: 48_000,
    channels: 1,
    parameterSets: [CONFIG],
  });
  for (const _round of [1, 2]) {
    const units = await all(sound?.units());
    expect(units.map(({ parts }) => parts)).toEqual(FRAMES.map((frame) => [frame]));
    // 1,024 samples at 48,000 a second are 1,920 ticks.
    expect(units.map(({ timestamp }) => timestamp)).toEqual([0, 1_920, 3_840]);
  }
});

test('ends before a frame that is cut off', async () => {
  expect(await all((await soundOf(STREAM.subarray(0, -1)))?.units())).toHaveLength(2);
});

test('is none where there is no such stream', async () => {
  expect(await soundOf(Buffer.from('<!doctype html><title>404</title>'))).toBeUndefined();
  expect(await soundOf(new Uint8Array(0))).toBeUndefined();
  expect(await fetchSound(new URL('http://127.0.0.1:9/city.aac'))).toBeUndefined();
});

test('is none where the connection breaks off before the first header', async () => {
  const sound = await soundFrom((response) => {
    response.writeHead(200, { 'content-length': STREAM.length });
    response.write(STREAM.subarray(0, 4), () => response.destroy());
  });
  expect(sound).toBeUndefined();
});
