import { expect, onTestFinished, test, vi } from 'vitest';
import type { MediaSource } from '../../../io/sources/media-source.ts';
import type { StreamViewer } from '../../../session/stream/live-stream.ts';
import { BrowserRendition } from '../../../session/whep/browser-rendition.ts';
import { sourceOf } from '../../loopback-session.ts';
import { PATIENCE } from '../../patience.ts';
import { sampleUnits } from '../../sample-units.ts';
import { liveOf } from '../serve-live.ts';
import { encoderThat } from './encoder-that.ts';

const UNITS = sampleUnits().slice(0, 20);
/** Pictures that browsers do not show, and sound that they do not play and that ffmpeg cannot be told about. */
const PICTURES: MediaSource = {
  ...sourceOf(UNITS),
  description: { ...sourceOf(UNITS).description, codecName: 'h265' },
};
const SOUND: MediaSource['sound'] = {
  description: { codecName: 'aac', decoder: 'mp4a.40.2', clockRate: 48_000, channels: 2, parameterSets: [] },
  async *units() {},
};
const VIEWER: StreamViewer = { send: () => {}, sendSound: () => {}, finish: () => {} };

function renditionOf(source: MediaSource, ffmpeg: string) {
  const [warnings, failures]: [string[], string[]] = [[], []];
  const live = liveOf(source, { loop: true });
  const rendition = new BrowserRendition({
    ...{ live, source, ffmpeg, bitrate: 1_000_000 },
    warn: (message) => warnings.push(message),
    onFailure: (cause) => failures.push(cause),
  });
  onTestFinished(() => {
    rendition.delete(VIEWER);
    live.close();
  });
  return { rendition, warnings, failures };
}

const watch = (rendition: BrowserRendition) => {
  rendition.add(VIEWER);
  rendition.start();
};

test('says that there is nothing to watch while no encoder is found, once, and looks again later', async () => {
  const { rendition, warnings } = renditionOf(PICTURES, '/no/such/ffmpeg');
  expect(await rendition.unavailable()).toMatch(/^the stream cannot be encoded: .*\/no\/such\/ffmpeg/);
  const later = performance.now() + 6_000;
  vi.spyOn(performance, 'now').mockReturnValue(later);
  onTestFinished(() => void vi.restoreAllMocks());
  expect(rendition.failure).toBeUndefined();
  expect(await rendition.unavailable()).toContain('/no/such/ffmpeg');
  expect(warnings).toHaveLength(1);
});

test('reports an encoder that fails, and starts another for the next browser', async () => {
  const { path, runs } = encoderThat('exit 1');
  const { rendition, failures } = renditionOf(PICTURES, path);
  expect(await rendition.unavailable()).toBeUndefined();
  watch(rendition);
  await vi.waitFor(() => expect(failures).toHaveLength(1), PATIENCE);
  expect(await rendition.unavailable()).toBe(failures[0]);
  expect(runs()).toBe(1);
  rendition.delete(VIEWER);
  const later = performance.now() + 6_000;
  vi.spyOn(performance, 'now').mockReturnValue(later);
  onTestFinished(() => void vi.restoreAllMocks());
  expect(await rendition.unavailable()).toBeUndefined();
  watch(rendition);
  await vi.waitFor(() => expect(failures).toHaveLength(2), PATIENCE);
  expect(runs()).toBe(2);
});

test('encodes the pictures for the next browser where the sound cannot be encoded', async () => {
  const { path, runs } = encoderThat('cat > /dev/null');
  const { rendition, warnings, failures } = renditionOf({ ...PICTURES, sound: SOUND }, path);
  for (const round of [1, 2]) {
    watch(rendition);
    await vi.waitFor(() => expect(runs()).toBe(round), PATIENCE);
    await vi.waitFor(() => expect(warnings).toHaveLength(1), PATIENCE);
    rendition.delete(VIEWER);
  }
  expect(warnings[0]).toMatch(/^browsers hear nothing/);
  expect(failures).toEqual([]);
});
