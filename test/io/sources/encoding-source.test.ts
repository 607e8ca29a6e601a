import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadAvLibrary } from '../../../io/encoder/av-library.ts';
import { Failure } from '../../../io/os/failure.ts';
import { makeTemporaryFolder } from '../../../io/os/temporary-folder.ts';
import { EncodingSource, type EncodingSourceOptions } from '../../../io/sources/encoding-source.ts';
import type { MediaDescription, MediaSource } from '../../../io/sources/media-source.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { milliseconds, ticks } from '../../../protocol/base/units.ts';
import { codecByName } from '../../../protocol/codec/codecs.ts';
import { optional } from '../../optional.ts';
import { SAMPLE } from '../../sample-units.ts';
import { take } from './take-units.ts';

const withLibrary = optional('node-av', (await loadAvLibrary()) !== undefined);
const folder = await makeTemporaryFolder('encoding-source');
afterAll(() => folder.remove());

const bytesOf = (unit: AccessUnit): number => unit.parts.reduce((sum, part) => sum + part.length, 0);

const PATTERN = 'testsrc2=size=320x180:rate=30';

const options = (changes: Partial<EncodingSourceOptions> = {}): EncodingSourceOptions => ({
  name: 'film',
  order: {
    input: { graph: PATTERN },
    guard: {},
    framesPerSecondDefault: 25,
    evenTimes: false,
    keyInterval: undefined,
    bufferSeconds: undefined,
    adapts: false,
  },
  bitrate: 800_000,
  range: { min: 100_000, max: 2_000_000 },
  fallbacks: [],
  host: { pictureMsMax: 20_000 },
  warn: () => {},
  ...changes,
});

describe('a source that encodes', () => {
  withLibrary('follows its target from one picture to the next, with key frames on request only', async () => {
    const source = await EncodingSource.open(options());
    expect(source.description).toMatchObject({ width: 320, height: 180, framesPerSecond: 30, mode: 'x264' });
    const units = await take(source, 120, (frame) => {
      if (frame === 60) source.adaptive!.setTarget(200_000);
      if (frame === 90) source.adaptive!.requestKeyFrame();
    });
    await source.close();
    expect(units.flatMap((unit, frame) => (unit.importance === 'key' ? [frame] : []))).toEqual([0, 90]);
    expect(units.map(({ timestamp }) => timestamp)).toEqual(units.map((_, frame) => frame * 3_000));
    const rate = (from: number, to: number) =>
      (units.slice(from, to).reduce((sum, unit) => sum + bytesOf(unit), 0) * 8 * 30) / (to - from);
    expect(Math.abs(rate(20, 60) / 800_000 - 1)).toBeLessThan(0.1);
    expect(Math.abs(rate(61, 90) / 200_000 - 1)).toBeLessThan(0.15);
    // The buffer holds one picture, so a key frame costs no more than the budget and a half.
    expect(bytesOf(units[90]!)).toBeLessThan((200_000 / 8 / 30) * 1.5);
  });

  withLibrary('leaves pictures out where it is late, and goes on with the next one', async () => {
    const source = await EncodingSource.open(options());
    const units = await take(source, 30, (frame) => {
      if (frame === 10) source.adaptive!.skip!(milliseconds(400));
    });
    await source.close();
    const frames = units.map(({ timestamp }) => timestamp / 3_000);
    // 12 pictures are 400 ms.
    expect(frames).toEqual(units.map((_, index) => (index < 10 ? index : index + 11)));
  });

  withLibrary('begins again with the first picture where it is late at the end', async () => {
    const order = { ...options().order, input: { graph: `${PATTERN}:duration=0.5` } };
    const source = await EncodingSource.open(options({ order }));
    await take(source, 100);
    source.adaptive!.skip!(milliseconds(300));
    const again = await take(source, 3);
    await source.close();
    expect(again.map(({ timestamp }) => timestamp)).toEqual([0, 3_000, 6_000]);
  });

  withLibrary('has parameter sets in each key frame, and one slice a picture', async () => {
    const source = await EncodingSource.open(options());
    const units = await take(source, 5);
    await source.close();
    const kinds = units.map(({ parts }) => parts.map((part) => part[0]! & 0x1f));
    expect(kinds[0]).toEqual(expect.arrayContaining([7, 8, 5]));
    for (const kind of kinds.slice(1)) expect(kind.filter((type) => type === 1)).toHaveLength(1);
  });

  withLibrary('makes the picture smaller when the rate is too low for its size', async () => {
    const { order } = options();
    const source = await EncodingSource.open(
      options({
        order: { ...order, input: { graph: 'testsrc2=size=1280x720:rate=30' }, adapts: true },
        bitrate: 2_000_000,
      }),
    );
    const widths = new Set<number | undefined>();
    const first = source.adaptive!.state.width;
    let frames = 0;
    for await (const { parts, importance } of source.units()) {
      if (importance === 'key') widths.add(codecByName('h264').describe(parts)?.width);
      source.adaptive!.setTarget(100_000);
      // In the time of the clock: a size must be too large for a while.
      if (source.adaptive!.state.width <= 480 || ++frames > 600) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { width, height } = source.adaptive!.state;
    await source.close();
    expect(width).toBeLessThan(first);
    expect(Math.abs(width / height - 16 / 9)).toBeLessThan(0.1);
    expect(widths.has(first)).toBe(true);
  });

  withLibrary('has key frames at its interval when the rate is fixed', async () => {
    const { order } = options();
    const fixed = { ...order, keyInterval: 10, bufferSeconds: 0.25 };
    const source = await EncodingSource.open(options({ order: fixed, range: undefined }));
    expect(source.adaptive).toBeUndefined();
    const units = await take(source, 31);
    await source.close();
    expect(units.flatMap((unit, frame) => (unit.importance === 'key' ? [frame] : []))).toEqual([0, 10, 20, 30]);
  });

  withLibrary('continues at the same position with a new encoder after the loss of one', async () => {
    const warnings: string[] = [];
    const { order } = options();
    const film = { ...order, input: { url: SAMPLE }, evenTimes: true, framesPerSecondDefault: 30 };
    const source = await EncodingSource.open(options({ order: film, warn: (warning) => warnings.push(warning) }));
    const pids: (number | undefined)[] = [];
    const units = await take(source, 60, (frame) => {
      if (frame !== 30) return;
      pids.push(...source.processes);
      process.kill(pids[0]!, 'SIGKILL');
    });
    expect(source.processes).not.toEqual(pids);
    await source.close();
    expect(warnings).toEqual([expect.stringMatching(/^film: the encoder failed \(it was ended by SIGKILL\)/)]);
    const times = units.map(({ timestamp }) => timestamp);
    expect([...times].sort((one, other) => one - other)).toEqual(times);
    expect(new Set(times).size).toBe(60);
    expect(units[30]!.importance).toBe('key');
  });

  withLibrary('has a second process ready, which takes over when the encoder is lost', async () => {
    const source = await EncodingSource.open(options());
    let successor: number | undefined;
    let ready: number | undefined;
    const units = await take(source, 80, (frame) => {
      if (frame === 70) {
        ready = source.spareProcess;
        process.kill(source.processes[0]!, 'SIGKILL');
      }
      if (frame === 75) successor = source.processes[0];
    });
    await source.close();
    expect(units).toHaveLength(80);
    expect(ready).toBeDefined();
    expect(successor).toBe(ready);
  });

  withLibrary('goes on with the second process when the encoder is stopped, and ends the stopped one', async () => {
    const warnings: string[] = [];
    const host = { pictureMsMax: 3_000 };
    const source = await EncodingSource.open(options({ host, warn: (warning) => warnings.push(warning) }));
    let stopped = 0;
    const units = await take(source, 80, (frame) => {
      if (frame !== 70) return;
      stopped = source.processes[0]!;
      process.kill(stopped, 'SIGSTOP');
    });
    expect(source.processes).not.toContain(stopped);
    await source.close();
    expect(units).toHaveLength(80);
    expect(warnings).toEqual([
      expect.stringMatching(/^film: the encoder failed \(timeout: no answer within 3000 ms\)/),
    ]);
  });

  withLibrary('begins again in the same process after the end, with a key frame', async () => {
    const { order } = options();
    const film = { ...order, input: { graph: `${PATTERN}:duration=1` } };
    const source = await EncodingSource.open(options({ order: film }));
    const first = await take(source, 100);
    const processes = [...source.processes];
    const again = await take(source, 100);
    expect(source.processes).toEqual(processes);
    await source.close();
    expect(first).toHaveLength(30);
    expect(again.map(({ timestamp }) => timestamp)).toEqual(first.map(({ timestamp }) => timestamp));
    expect(again.map(({ importance }) => importance)).toEqual(first.map(({ importance }) => importance));
  });

  withLibrary('reports in one line the reason why an input cannot be encoded', async () => {
    const path = join(folder.path, 'text.mp4');
    writeFileSync(path, 'this is no film\n'.repeat(100));
    const { order } = options();
    for (const [url, message] of [
      [path, /^film: Invalid data found when processing input$/],
      [join(folder.path, 'absent.mp4'), /^film: No such file or directory$/],
    ] as const) {
      await expect(EncodingSource.open(options({ order: { ...order, input: { url } } }))).rejects.toThrow(message);
    }
  });
});

/** An encoder process that makes this many pictures, and then follows the given script. */
function fakeEncoder(name: string, pictures: number, then: string): string {
  const path = join(folder.path, `${name}.mjs`);
  writeFileSync(
    path,
    `let made = 0;
    process.on('disconnect', () => process.exit());
    process.on('message', (message) => {
      if (message.kind === 'open') {
        made = Math.ceil(message.order.from / 3000);
        return process.send({ kind: 'opened', width: 16, height: 16, framesPerSecond: 30, durationSeconds: 4, epoch: 0 });
      }
      if (made >= ${pictures}) { ${then}; return; }
      const bytes = new Uint8Array([0, 0, 1, made === 0 ? 0x65 : 0x41, made]);
      process.send({ kind: 'picture', bytes, timestamp: made * 3000, keyFrame: made === 0,
        state: { preset: 'veryfast', width: 16, height: 16 } });
      made++;
    });`,
  );
  return path;
}

describe('a source whose encoder keeps failing', () => {
  /** A source of twelve pictures, every fourth of them a key frame, that fails before the given one. */
  const copied = (description: MediaDescription, fails = Number.POSITIVE_INFINITY): MediaSource => ({
    description: { ...description, mode: 'copy' },
    units: async function* () {
      for (let frame = 0; frame < 12; frame++) {
        if (frame === fails) throw new Failure('copy: nothing more can be read');
        const timestamp = ticks(frame * 3_000);
        const importance = frame % 4 === 0 ? 'key' : 'reference';
        yield { parts: [new Uint8Array([0x41, 100 + frame])], timestamp, decodeTimestamp: timestamp, importance };
      }
    },
    close: async () => {},
  });

  test.each([
    ['ends', 'process.exit(9)', /it ended with code 9/, 60_000],
    // A busy machine answers later than at once, and earlier than this.
    ['stalls', '', /timeout: no answer within 3000 ms/, 3_000],
  ])('continues with the next best source when it %s', async (name, then, cause, pictureMsMax) => {
    const warnings: string[] = [];
    const source: EncodingSource = await EncodingSource.open(
      options({
        host: { entry: fakeEncoder(name, 5, then), pictureMsMax },
        warn: (warning) => warnings.push(warning),
        fallbacks: [async () => ({ startSeconds: 0, source: copied(source.description) })],
      }),
    );
    const units = await take(source, 100);
    await source.close();
    // Five of the encoder, and the copied ones from the key frame after them.
    expect(units.map(({ timestamp }) => timestamp / 3_000)).toEqual([0, 1, 2, 3, 4, 8, 9, 10, 11]);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(cause);
    expect(warnings[1]).toMatch(/failed twice .*: it is copied from its next key frame on/);
  });

  test('goes from one fallback to the next, each from the place that the one before has reached', async () => {
    const warnings: string[] = [];
    const asked: number[][] = [];
    const source: EncodingSource = await EncodingSource.open(
      options({
        host: { entry: fakeEncoder('chain', 2, 'process.exit(9)'), pictureMsMax: 60_000 },
        warn: (warning) => warnings.push(warning),
        fallbacks: [
          () => Promise.reject(new Failure('film: ffmpeg is missing')),
          async (fromSeconds, bitrate) => {
            asked.push([Math.round(fromSeconds * 30), bitrate]);
            return { startSeconds: 0, source: copied(source.description, 6) };
          },
          async (fromSeconds) => {
            asked.push([Math.round(fromSeconds * 30)]);
            return { startSeconds: 0, source: copied(source.description) };
          },
        ],
      }),
    );
    const units = await take(source, 100);
    await source.close();
    expect(units.map(({ timestamp }) => timestamp / 3_000)).toEqual([0, 1, 4, 5, 8, 9, 10, 11]);
    expect(asked).toEqual([[1, 800_000], [5]]);
    expect(warnings.slice(1)).toEqual([
      expect.stringMatching(/^film: ffmpeg is missing: it is copied/),
      expect.stringMatching(/^copy: nothing more can be read: it is copied/),
    ]);
  });

  test('fails in one line without a fallback', async () => {
    const entry = fakeEncoder('alone', 3, 'process.exit(1)');
    const source = await EncodingSource.open(options({ host: { entry, pictureMsMax: 60_000 } }));
    await expect(take(source, 100)).rejects.toThrow(/^film: the encoder failed twice .*no fallback is available$/);
    await source.close();
  });
});
