import { join } from 'node:path';
import type { Page as Tab } from 'playwright-core';
import { afterEach } from 'vitest';
import { Log } from '../../io/os/log.ts';
import type { MediaSource } from '../../io/sources/media-source.ts';
import { openMediaSource } from '../../io/sources/open-source.ts';
import type { LaneFigures, LaneSettings, LanesState } from '../../protocol/page/lane-message.ts';
import { LaneServer, type LaneServerOptions } from '../../session/lanes/lane-server.ts';
import { parseLinkSpecification } from '../../sim/link/link-parse.ts';
import { sampleUnits } from '../sample-units.ts';
import { useBrowser } from './browser.ts';

export const SAMPLES = join(import.meta.dirname, '../../samples');
export const SAMPLE = join(SAMPLES, 'counter.mp4');
const START_CODE = Buffer.of(0, 0, 0, 1);
export const LANE: LaneSettings = {
  transport: 'udp',
  recovery: 'hybrid',
  congestionControl: 'cubic',
  latencyMs: 200,
  onLoss: 'freeze',
};
/** No recovery, recovery by deadline, and TCP, in the order of the demo. */
export const LANES: readonly LaneSettings[] = [
  { ...LANE, recovery: 'reorder', onLoss: 'smear' },
  LANE,
  { ...LANE, transport: 'tcp' },
];

/** State that the page exposes for tests. */
export interface PageState {
  readonly state: string;
  readonly settings: LanesState | undefined;
  /** How often the window has skipped to live. */
  readonly skips: number;
  readonly lanes: readonly {
    readonly framesDrawn: number;
    readonly framesHidden: number;
    readonly framesSkipped: number;
    readonly decodeErrors: number;
    readonly heldLately: number;
    readonly lagMs?: number;
    readonly behindMs?: number;
    readonly verdict?: string;
    readonly figures?: LaneFigures;
  }[];
}

const shows: LaneServer[] = [];

afterEach(async () => {
  for (const show of shows.splice(0)) await show.close();
});
// Hooks run in reverse order of registration: a tab is closed before its server.
export const browser = useBrowser();

const openInput = (input: string): Promise<MediaSource> =>
  openMediaSource(input, { encode: 'auto', bitrate: 2_000_000, gop: 30, warn: () => {} });

/** Opens a video of which only the first frames are played, in the order of decoding. */
export async function beginningOf(input: string, frames: number): Promise<MediaSource> {
  const media = await openInput(input);
  return {
    description: media.description,
    async *units() {
      let left = frames;
      for await (const unit of media.units()) {
        yield unit;
        if (--left === 0) return;
      }
    },
    close: () => media.close(),
  };
}

/** Opens the demo server with the sample over a link; the server closes after the test. */
export async function opened(text: string, on: Partial<LaneServerOptions> = {}): Promise<LaneServer> {
  const link = parseLinkSpecification(text);
  if (!link.ok) throw new Error(link.malformed);
  const show = await LaneServer.open({
    // An opened video that is not used would never be closed.
    source: on.source ?? { name: 'counter.mp4', media: await openInput(SAMPLE) },
    inputs: new Map([['counter.mp4', SAMPLE]]),
    openInput,
    lanes: LANES,
    link: link.value,
    loop: true,
    pagePort: 0,
    log: new Log({ level: 'error', json: false, write: () => {} }),
    onEnd: () => {},
    runScenario: async () => join(SAMPLES, 'README.md'),
    folders: browser.folders,
    ...on,
  });
  shows.push(show);
  return show;
}

/** Opens the page in a new tab; an error in its script fails the running test. */
export async function tabAt(show: LaneServer, hash = ''): Promise<Tab> {
  const tab = await inTab(`${show.url}?tour=off${hash}`);
  await untilPage(tab, ({ state, lanes }) => state === 'live' && lanes.length > 0);
  return tab;
}

/** Opens an address in a new tab; an error in its script fails the running test. */
export async function inTab(url: string): Promise<Tab> {
  const tab = await browser.context.newPage();
  tab.on('pageerror', (error) => {
    throw error;
  });
  await tab.goto(url);
  return tab;
}

export const pageState = (tab: Tab): Promise<PageState> =>
  tab.evaluate(() => {
    // The page's script waits for the traces before it exposes its state.
    const page = (globalThis as unknown as { dropframe?: PageState }).dropframe;
    return {
      state: page?.state ?? 'loading',
      settings: page?.settings,
      skips: page?.skips ?? 0,
      lanes: page?.lanes ?? [],
    };
  });

/** Waits until the page's state meets the condition, or until the test's time limit. */
export async function untilPage(
  tab: Tab,
  condition: (page: PageState, before: number) => boolean,
  before = 0,
): Promise<void> {
  while (!condition(await pageState(tab), before)) await new Promise((resolve) => setTimeout(resolve, 40));
}

/** Number of frames with a known outcome. */
export function decided(figures: LaneFigures | undefined): number {
  if (!figures) return 0;
  const { framesOnTime, framesRecovered, framesLate, framesMended, framesLost } = figures;
  return framesOnTime + framesRecovered + framesLate + framesMended + framesLost;
}

/** Number of distinct colors in a sample of a lane's canvas; 1 for a blank canvas. */
export const colorsOnCanvas = (tab: Tab, lane: number): Promise<number> =>
  tab.evaluate<number>(`(() => {
    const canvas = document.querySelectorAll('.video')[${lane}];
    const pixels = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    return new Set(pixels.filter((_, index) => index % 97 === 0)).size;
  })()`);

/** Pictures before and after, among which the one on a canvas is sought. */
const NEIGHBORS = 4;

/**
 * Returns the number of the picture of the sample that the first lane's canvas shows, sought around a number: the one that
 * differs least from what the browser decodes of the sample.
 */
export async function pictureOnCanvas(tab: Tab, around: number): Promise<number> {
  const units = sampleUnits();
  const from = units.findLastIndex(({ importance }, index) => importance === 'key' && index <= around - NEIGHBORS);
  const first = Math.max(0, from);
  const until = Math.min(units.length, around + NEIGHBORS + 1);
  const coded = units
    .slice(first, until)
    .map(({ parts }) => Buffer.concat(parts.flatMap((part) => [START_CODE, part])));
  const differences = await tab.evaluate<number[]>(`(async () => {
    const shown = document.querySelector('.video');
    const { width, height } = shown;
    const pixels = (context) => context.getImageData(0, 0, width, height).data;
    const expected = pixels(shown.getContext('2d'));
    const canvas = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d');
    const differences = [];
    const decoder = new VideoDecoder({
      output: (frame) => {
        canvas.drawImage(frame, 0, 0, width, height);
        frame.close();
        differences.push(pixels(canvas).reduce((sum, value, index) => sum + Math.abs(value - expected[index]), 0));
      },
      error: (error) => { throw error; },
    });
    decoder.configure({ codec: 'avc1.42C01E' });
    for (const [index, data] of ${JSON.stringify(coded.map((data) => data.toString('base64')))}.entries()) {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      decoder.decode(new EncodedVideoChunk({ type: index === 0 ? 'key' : 'delta', timestamp: index, data: bytes }));
    }
    await decoder.flush();
    return differences;
  })()`);
  return first + differences.indexOf(Math.min(...differences));
}

/** Gray level in the middle of a lane's canvas, 0 to 255. */
export const grayOnCanvas = (tab: Tab, lane: number): Promise<number> =>
  tab.evaluate<number>(`(() => {
    const canvas = document.querySelectorAll('.video')[${lane}];
    return canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data[0];
  })()`);

/** Waits for an animation frame of the page. */
export const nextFrame = (tab: Tab): Promise<void> =>
  tab.evaluate<void>('new Promise((resolve) => requestAnimationFrame(() => resolve()))');
