import type { Page as Tab } from 'playwright-core';
import { afterEach, expect } from 'vitest';
import { openPage, type Page } from '../../io/web-server/page-server.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { ticks } from '../../protocol/base/units.ts';
import { sampleUnits } from '../sample-units.ts';
import { inChromium, useBrowser } from './browser.ts';

const DESCRIPTION = { title: 'counter.h264', codec: 'avc1.42C01E', width: 640, height: 360, framesPerSecond: 30 };
const FRAME_MS = 33;

/** State that the page exposes for tests. */
interface PageState {
  readonly framesDrawn: number;
  readonly framesReceived: number;
  readonly framesHidden: number;
  readonly framesSkipped: number;
  readonly decodeErrors: number;
  readonly codec: string;
  readonly state: string;
}

const open: Page[] = [];
const feeds: Feed[] = [];

afterEach(async () => {
  for (const feed of feeds.splice(0)) feed.stop();
  for (const page of open.splice(0)) await page.close();
});
// Hooks run in reverse order of registration: a tab is closed before its server.
const browser = useBrowser();

inChromium('draws every frame of the clip on the canvas', async () => {
  const page = await opened();
  const tab = await tabAt(page);
  await until(() => page.viewers > 0);
  for (const unit of sampleUnits().slice(0, 60)) await writeInStep(page, tab, unit);
  await untilPage(tab, ({ framesDrawn }) => framesDrawn >= 60);
  const { framesHidden: _, ...state } = await pageState(tab);
  expect(state).toEqual({
    framesDrawn: 60,
    framesReceived: 60,
    framesSkipped: 0,
    decodeErrors: 0,
    codec: DESCRIPTION.codec,
    state: 'live',
  });
  expect(await colorsOnCanvas(tab)).toBeGreaterThan(200);
});

inChromium('says that the browser has no decoder for HEVC, and what to do', async () => {
  // Profile 2 at the highest level of the High tier, which no browser on a machine without hardware decodes.
  const page = await opened({ description: { ...DESCRIPTION, codec: 'hvc1.2.4.H186.B0' } });
  const tab = await tabAt(page);
  await untilPage(tab, ({ state }) => state === 'unable');
  expect(await tab.locator('#message-detail').textContent()).toContain('--encode x264');
});

inChromium('says that a stream of sound alone has no pictures, and what plays it', async () => {
  const page = await opened({ description: { title: 'speech.opus', codec: 'opus', width: 0, height: 0 } });
  const tab = await tabAt(page);
  await untilPage(tab, ({ state }) => state === 'sound-only');
  expect(await tab.locator('#message-detail').textContent()).toContain('--play mpv');
  expect(await tab.locator('#source-format').textContent()).toBe('opus');
});

inChromium(
  'decodes a burst of frames that are not shown without drawing them, and continues with the next',
  async () => {
    const page = await opened();
    const tab = await tabAt(page);
    // More than the decoder's queue may hold of frames that are shown.
    const [burst, after] = [90, 30];
    const units = sampleUnits();
    page.write(units[0]!);
    await untilPage(tab, ({ framesDrawn }) => framesDrawn === 1);
    for (const unit of units.slice(1, 1 + burst)) page.write({ ...unit, decodeOnly: true });
    for (const unit of units.slice(1 + burst, 1 + burst + after)) {
      page.write(unit);
      await new Promise((resolve) => setTimeout(resolve, FRAME_MS));
    }
    await untilPage(tab, ({ framesDrawn, framesHidden }) => framesDrawn + framesHidden === 1 + burst + after);
    const { framesHidden, framesSkipped, decodeErrors } = await pageState(tab);
    expect({ framesHidden, framesSkipped, decodeErrors }).toEqual({
      framesHidden: burst,
      framesSkipped: 0,
      decodeErrors: 0,
    });
  },
);

inChromium('decodes a frame that is not to be shown, and does not draw it', async () => {
  const page = await opened();
  const tab = await tabAt(page);
  await untilPage(tab, (page) => page.state !== '');
  const shown = sampleUnits().slice(0, 30);
  while (page.viewers === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const [index, unit] of shown.entries()) page.write(index < 20 ? { ...unit, decodeOnly: true } : unit);
  await untilPage(tab, (page) => page.framesDrawn >= 10);
  const { framesDrawn, framesReceived, decodeErrors } = await pageState(tab);
  expect({ framesDrawn, framesReceived, decodeErrors }).toEqual({
    framesDrawn: 10,
    framesReceived: 30,
    decodeErrors: 0,
  });
});

inChromium('skips to the next key frame after a frame that cannot be decoded, and requests one', async () => {
  const commands: string[] = [];
  const page = await opened({ onCommand: (command) => commands.push(command) });
  const tab = await tabAt(page);
  await until(() => page.viewers > 0);
  const units = sampleUnits();
  for (const unit of units.slice(0, 10)) await writeInStep(page, tab, unit);
  // A NAL unit of an unknown type, which Chromium reports as an error.
  page.write({ ...units[10]!, parts: [Uint8Array.of(0x00, 0x00, 0x01, 0xff)], importance: 'reference' });
  await untilPage(tab, (page) => page.decodeErrors === 1);
  await until(() => commands.length === 1);
  expect(commands).toEqual(['request-keyframe']);
  const key = units.findIndex(({ importance }, index) => index > 10 && importance === 'key');
  for (const unit of units.slice(11, key + 6)) await writeInStep(page, tab, unit);
  await untilPage(tab, ({ framesDrawn, framesSkipped }) => framesDrawn + framesSkipped >= key + 5);
  // Those between the error and the key frame are left out.
  expect(await pageState(tab)).toMatchObject({ framesSkipped: key - 11, decodeErrors: 1 });
});

inChromium('reconnects when the server comes back', async () => {
  const first = await opened();
  const port = Number(new URL(first.url).port);
  const tab = await tabAt(first);
  feed(first);
  await untilPage(tab, (page) => page.framesDrawn >= 5);
  for (const running of feeds.splice(0)) running.stop();
  await first.close();
  await untilPage(tab, (page) => page.state === 'ended');
  const second = await opened({ port });
  feed(second);
  const { framesDrawn } = await pageState(tab);
  await untilPage(tab, (page, before) => page.state === 'live' && page.framesDrawn > before + 5, framesDrawn);
});

inChromium('responds to the keys for pause, panel and stop', async () => {
  const commands: string[] = [];
  // A window that does not keep up asks for key frames, too.
  const page = await opened({
    onCommand: (command) => {
      if (command !== 'request-keyframe') commands.push(command);
    },
  });
  const tab = await tabAt(page);
  feed(page);
  await untilPage(tab, (page) => page.framesDrawn >= 5);
  await tab.keyboard.press('Space');
  await untilPage(tab, (page) => page.state === 'paused');
  const { framesDrawn, framesReceived } = await pageState(tab);
  await untilPage(tab, (page, before) => page.framesReceived > before + 10, framesReceived);
  expect((await pageState(tab)).framesDrawn).toBe(framesDrawn);
  await tab.keyboard.press('Space');
  await untilPage(tab, (page, before) => page.framesDrawn > before, framesDrawn);
  expect(await tab.locator('#panel').isVisible()).toBe(true);
  await tab.keyboard.press('i');
  expect(await tab.locator('#panel').isVisible()).toBe(false);
  await tab.keyboard.press('q');
  await until(() => commands.length === 1);
  expect(commands).toEqual(['stop']);
});

inChromium('shows the figures with their units', async () => {
  const page = await opened();
  const tab = await tabAt(page);
  page.statistics({
    framesOnTime: 1_980,
    framesLate: 0,
    framesMended: 4,
    framesLost: 20,
    packets: 10_000,
    packetsLost: 500,
    packetsRecovered: 480,
    delayMsP50: 121.7,
    delayMsP95: 138,
    roundTripMs: 4.21,
    bitrate: 2_050_000,
    transport: 'udp',
    link: 'loss=5%',
  });
  const figure = (name: string) => tab.locator(`[data-figure="${name}"]`);
  await figure('delayP50').getByText('122').waitFor();
  const shown: Record<string, string> = {};
  const names = [
    'delayP50',
    'lossRate',
    'lossCount',
    'packetsRecovered',
    'framesOnTime',
    'framesLate',
    'framesMended',
    'framesLost',
  ];
  for (const name of [...names, 'roundTrip', 'bitrate', 'transport', 'recovery', 'link']) {
    shown[name] = ((await figure(name).textContent()) ?? '').replaceAll('\u00a0', ' ');
  }
  expect(shown).toEqual({
    delayP50: '122 ms',
    lossRate: '5.0 %',
    lossCount: '500 of 10,000',
    packetsRecovered: '480 96.0 %',
    framesOnTime: '1,980 98.8 %',
    framesLate: '0',
    framesMended: '4 0.20 %',
    framesLost: '20 1.00 %',
    roundTrip: '4.2 ms',
    bitrate: '2.05 Mb/s',
    transport: 'UDP',
    recovery: '–',
    link: 'loss=5%',
  });
  expect(await figure('framesLost').getAttribute('data-tone')).toBe('bad');
  expect(await figure('framesLate').getAttribute('data-tone')).toBe('plain');
});

for (const [width, height] of [
  [1280, 720],
  [390, 844],
] as const) {
  inChromium(
    `at ${width} × ${height} nothing overflows the window, and the video and its buttons are visible`,
    async () => {
      const page = await opened();
      const tab = await tabAt(page);
      await tab.setViewportSize({ width, height });
      page.statistics({ link: 'loss=5% delay=20ms jitter=2ms burst=3 dup=0.1% rate=8mbit seed=1' });
      await tab.locator('[data-figure="link"]').getByText('rate=8mbit').waitFor();
      expect(await tab.evaluate('document.documentElement.scrollWidth')).toBe(width);
      for (const name of ['#video', '#pause', '#stop']) {
        const box = await tab.locator(name).boundingBox();
        expect(box?.x, name).toBeGreaterThanOrEqual(0);
        expect((box?.x ?? 0) + (box?.width ?? 0), name).toBeLessThanOrEqual(width);
        expect((box?.y ?? 0) + (box?.height ?? 0), name).toBeLessThanOrEqual(height);
      }
    },
  );
}

inChromium('says that WebCodecs is missing in a browser without it', async () => {
  const page = await opened();
  const tab = await browser.context.newPage();
  await tab.addInitScript('delete window.VideoDecoder');
  await tab.goto(page.url);
  await tab.getByText('This browser cannot decode the stream').waitFor();
});

async function opened(options: Partial<Parameters<typeof openPage>[0]> = {}): Promise<Page> {
  const page = await openPage({
    port: 0,
    description: DESCRIPTION,
    log: () => {},
    folders: browser.folders,
    ...options,
  });
  open.push(page);
  return page;
}

/** Opens the page in a new tab; an error in its script fails the running test. */
async function tabAt(page: Page): Promise<Tab> {
  const tab = await browser.context.newPage();
  tab.on('pageerror', (error) => {
    throw error;
  });
  await tab.goto(page.url);
  await untilPage(tab, (page) => page.state !== 'connecting');
  return tab;
}

interface Feed {
  stop(): void;
}

/** Sends the clip at its own frame rate, in a loop with continuous timestamps. */
function feed(page: Page): void {
  const units = sampleUnits();
  let count = 0;
  const unitAt = (index: number): AccessUnit => {
    const unit = units[index % units.length];
    if (unit === undefined) throw new Error('the clip is empty');
    return { ...unit, timestamp: ticks(index * 3_000), decodeTimestamp: ticks(index * 3_000) };
  };
  const timer = setInterval(() => page.write(unitAt(count++)), FRAME_MS);
  feeds.push({ stop: () => clearInterval(timer) });
}

/** Frames that a window may have received and not drawn before the next one is written: fewer than its queue holds. */
const STEP_FRAMES = 4;

/** Writes a unit and waits while the window is behind, so that no window of a busy machine skips frames. */
async function writeInStep(page: Page, tab: Tab, unit: AccessUnit): Promise<void> {
  const written = (await pageState(tab)).framesReceived + 1;
  page.write(unit);
  await untilPage(tab, ({ framesReceived, framesDrawn, framesSkipped, decodeErrors }) => {
    return framesReceived >= written && framesReceived - framesDrawn - framesSkipped - decodeErrors <= STEP_FRAMES;
  });
}

const pageState = (tab: Tab): Promise<PageState> =>
  tab.evaluate(() => {
    const page = (globalThis as unknown as { dropframe: PageState }).dropframe;
    const { framesDrawn, framesReceived, framesHidden, framesSkipped, decodeErrors, codec, state } = page;
    return { framesDrawn, framesReceived, framesHidden, framesSkipped, decodeErrors, codec, state };
  });

/** Waits until the page's state meets the condition, or until the test's time limit. */
async function untilPage(tab: Tab, condition: (page: PageState, before: number) => boolean, before = 0): Promise<void> {
  while (!condition(await pageState(tab), before)) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Number of distinct colors in a sample of the canvas; 1 for a blank canvas. */
const colorsOnCanvas = (tab: Tab): Promise<number> =>
  tab.evaluate<number>(`(() => {
    const canvas = document.getElementById('video');
    const pixels = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    return new Set(pixels.filter((_, index) => index % 97 === 0)).size;
  })()`);
