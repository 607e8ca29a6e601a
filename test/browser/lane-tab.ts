import { join } from 'node:path';
import type { Page as Tab } from 'playwright-core';
import { afterEach } from 'vitest';
import { Log } from '../../io/os/log.ts';
import { openMediaSource } from '../../io/sources/open-source.ts';
import type { LaneFigures, LaneSettings, LanesState } from '../../protocol/page/lane-message.ts';
import { LaneServer, type LaneServerOptions } from '../../session/lanes/lane-server.ts';
import { parseLinkSpecification } from '../../sim/link/link-parse.ts';
import { useBrowser } from './browser.ts';

export const SAMPLES = join(import.meta.dirname, '../../samples');
const SAMPLE = join(SAMPLES, 'counter.mp4');
export const PATIENCE_MS = 90_000;
const LANE: LaneSettings = {
  transport: 'udp',
  recovery: 'hybrid',
  congestionControl: 'cubic',
  latencyMs: 200,
  onLoss: 'freeze',
};
/** In the order of the issue: nothing done, everything done by deadline, TCP. */
const LANES: readonly LaneSettings[] = [
  { ...LANE, recovery: 'reorder', onLoss: 'smear' },
  LANE,
  { ...LANE, transport: 'tcp' },
];

/** What a page tells of itself. */
export interface PageState {
  readonly state: string;
  readonly settings: LanesState | undefined;
  readonly lanes: readonly {
    readonly framesDrawn: number;
    readonly heldLately: number;
    readonly lagMs?: number;
    readonly figures?: LaneFigures;
  }[];
}

const shows: LaneServer[] = [];

afterEach(async () => {
  for (const show of shows.splice(0)) await show.close();
});
// What is registered last ends first: a tab is closed before the server that it reads from.
export const browser = useBrowser(PATIENCE_MS);

/** A show of the sample over a link, which ends with the test. */
export async function opened(text: string, on: Partial<LaneServerOptions> = {}): Promise<LaneServer> {
  const link = parseLinkSpecification(text);
  if (!link.ok) throw new Error(link.malformed);
  const openInput = (input: string) =>
    openMediaSource(input, { encode: 'auto', bitrate: 2_000_000, gop: 30, warn: () => {} });
  const show = await LaneServer.open({
    source: { name: 'counter.mp4', media: await openInput(SAMPLE) },
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

/** A tab that shows the page; an error in its script fails the test that runs. */
export async function tabAt(show: LaneServer, hash = ''): Promise<Tab> {
  const tab = await browser.context.newPage();
  tab.on('pageerror', (error) => {
    throw error;
  });
  await tab.goto(`${show.url}${hash}`);
  await untilPage(tab, ({ state, lanes }) => state === 'live' && lanes.length > 0);
  return tab;
}

export const pageState = (tab: Tab): Promise<PageState> =>
  tab.evaluate(() => {
    // Not there yet: the page's script waits for the traces first.
    const page = (globalThis as unknown as { dropframe?: PageState }).dropframe;
    return { state: page?.state ?? 'loading', settings: page?.settings, lanes: page?.lanes ?? [] };
  });

/** Waits until the page tells of itself what is asked; the test's time limit is the bound. */
export async function untilPage(
  tab: Tab,
  condition: (page: PageState, before: number) => boolean,
  before = 0,
): Promise<void> {
  while (!condition(await pageState(tab), before)) await new Promise((resolve) => setTimeout(resolve, 40));
}

/** Frames of which it is known what became of them. */
export function decided(figures: LaneFigures | undefined): number {
  if (!figures) return 0;
  return figures.framesOnTime + figures.framesRecovered + figures.framesLate + figures.framesLost;
}

/** How many different colors a lane's canvas holds (a grid of samples): a blank one holds one. */
export const colorsOnCanvas = (tab: Tab, lane: number): Promise<number> =>
  tab.evaluate<number>(`(() => {
    const canvas = document.querySelectorAll('.video')[${lane}];
    const pixels = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    return new Set(pixels.filter((_, index) => index % 97 === 0)).size;
  })()`);
