import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page as Tab } from 'playwright-core';
import { afterEach, expect } from 'vitest';
import { Log } from '../../io/log.ts';
import { openMediaSource } from '../../io/media-source.ts';
import { readReadyMadeTrace } from '../../io/ready-made-traces.ts';
import { parseScenario } from '../../lab/scenario.ts';
import type { LaneFigures, LaneSettings, LanesState } from '../../protocol/lane-message.ts';
import { LaneShow, type LaneShowOptions } from '../../session/lane-show.ts';
import { parseLinkSpecification } from '../../sim/link-specification.ts';
import { inChromium, useBrowser } from './browser.ts';

const SAMPLES = join(import.meta.dirname, '../../samples');
const SAMPLE = join(SAMPLES, 'counter.mp4');
const PATIENCE_MS = 90_000;
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

interface Told {
  readonly state: string;
  readonly settings: LanesState | undefined;
  readonly lanes: readonly {
    readonly framesDrawn: number;
    readonly heldLately: number;
    readonly lagMs?: number;
    readonly figures?: LaneFigures;
  }[];
}

const shows: LaneShow[] = [];

afterEach(async () => {
  for (const show of shows.splice(0)) await show.close();
});
// What is registered last ends first: a tab is closed before the server that it reads from.
const browser = useBrowser(PATIENCE_MS);

inChromium(
  'every lane decodes, and what is on the canvases is the clip',
  async () => {
    const tab = await tabAt(await opened('delay=10ms'));
    await told(tab, ({ lanes }) => lanes.length === 3 && lanes.every(({ framesDrawn }) => framesDrawn >= 45));
    expect((await tell(tab)).state).toBe('live');
    for (let lane = 0; lane < 3; lane++) expect(await colorsOnCanvas(tab, lane)).toBeGreaterThan(200);
  },
  PATIENCE_MS,
);

inChromium(
  'loss costs bare UDP frames and TCP time, and the lane by deadline neither',
  async () => {
    const tab = await tabAt(await opened('loss=6% burst=2 delay=30ms'));
    await told(tab, ({ lanes }) => decided(lanes[0]?.figures) >= 450 && (lanes[2]?.figures?.framesLate ?? 0) >= 30);
    const [bare, hybrid, tcp] = (await tell(tab)).lanes.map(({ figures }) => figures!);
    expect(bare!.framesLost).toBeGreaterThan(15);
    expect(bare!.lagMsP95).toBeLessThan(300);
    expect(hybrid!.framesLost + hybrid!.framesLate).toBeLessThan(bare!.framesLost);
    expect(hybrid!.lagMsP95).toBeLessThan(300);
    expect(tcp!.framesLost).toBe(0);
    expect(tcp!.lagMsP95).toBeGreaterThan(300);
  },
  PATIENCE_MS,
);

inChromium(
  'dropping five packets jams the river of TCP and of no other lane',
  async () => {
    const tab = await tabAt(await opened('delay=40ms'));
    await told(tab, ({ lanes }) => lanes.length === 3 && lanes.every(({ framesDrawn }) => framesDrawn >= 15));
    expect((await tell(tab)).lanes.map(({ heldLately }) => heldLately)).toEqual([0, 0, 0]);
    await tab.locator('#drop').click();
    await told(tab, ({ lanes }) => (lanes[2]?.heldLately ?? 0) >= 3);
    const held = (await tell(tab)).lanes.map(({ heldLately }) => heldLately);
    expect(held.slice(0, 2)).toEqual([0, 0]);
    await told(tab, ({ lanes }) => (lanes[0]?.figures?.packetsLost ?? 0) === 5);
  },
  PATIENCE_MS,
);

inChromium(
  'what the page shows is what the summary says',
  async () => {
    const show = await opened('loss=5% delay=20ms');
    const tab = await tabAt(show);
    await told(tab, ({ lanes }) => decided(lanes[1]?.figures) >= 90);
    const { lanes } = show.summary;
    const shown = (await tell(tab)).lanes;
    for (const [index, { figures }] of lanes.entries()) {
      // The page's are half a second older at most: counts only grow.
      expect(Object.keys(shown[index]!.figures!)).toEqual(Object.keys(figures!));
      expect(shown[index]!.figures!.packets).toBeLessThanOrEqual(figures!.packets + 100);
      expect(shown[index]!.figures!.run).toBe(figures!.run);
    }
    const cell = tab.locator('.lane').nth(0).locator('[data-figure="lost"]');
    await told(tab, ({ lanes: [first] }) => (first?.figures?.framesLost ?? 0) > 0);
    expect(Number.parseInt((await cell.textContent()) ?? '', 10)).toBeGreaterThan(0);
  },
  PATIENCE_MS,
);

inChromium(
  'the settings stand in the address and survive a reload, even on a server that was started anew',
  async () => {
    const first = await opened('delay=10ms');
    const tab = await tabAt(first);
    await tab.locator('.lane').nth(0).locator('.strategy').selectOption('nack');
    await tab.locator('#preset').selectOption('satellite');
    await told(tab, ({ settings }) => settings?.lanes[0]?.recovery === 'nack' && settings.link.includes('600ms'));
    const { hash } = new URL(tab.url());
    await tab.reload();
    await told(tab, ({ settings }) => settings?.lanes[0]?.recovery === 'nack' && settings.link.includes('600ms'));
    const second = await opened('delay=10ms');
    await tab.goto(`${second.url}${hash}`);
    await told(tab, ({ settings }) => settings?.lanes[0]?.recovery === 'nack' && settings.link.includes('600ms'));
    expect(new URL(tab.url()).hash).toBe(hash);
  },
  PATIENCE_MS,
);

inChromium(
  'a second tab watches the same lanes, and goes on when the first is closed',
  async () => {
    const show = await opened('delay=10ms');
    const first = await tabAt(show);
    const second = await tabAt(show);
    await first.locator('#add-lane').click();
    await told(second, ({ lanes }) => lanes.length === 4);
    await first.close();
    const before = (await tell(second)).lanes[1]!.framesDrawn;
    await told(second, ({ lanes }, drawn) => lanes[1]!.framesDrawn > drawn + 30, before);
  },
  PATIENCE_MS,
);

inChromium(
  'a frame that is chosen in the river tells its life',
  async () => {
    const tab = await tabAt(await opened('delay=20ms'));
    await told(tab, ({ lanes }) => lanes.length === 3 && lanes.every(({ framesDrawn }) => framesDrawn >= 60));
    await tab.keyboard.press('Space');
    await tab
      .locator('.lane')
      .nth(1)
      .locator('.river')
      .click({ position: { x: 200, y: 60 } });
    await tab.locator('#life-body').getByText('shown on time').waitFor();
    expect(await tab.locator('#life-body tr').count()).toBeGreaterThan(1);
  },
  PATIENCE_MS,
);

inChromium(
  'a file that is no video is refused in words, and the lanes go on',
  async () => {
    const tab = await tabAt(await opened('delay=10ms'));
    const file = { name: 'notes.mp4', mimeType: 'video/mp4', buffer: Buffer.from('no video at all') };
    await tab.locator('#file').setInputFiles(file);
    await tab
      .locator('#message')
      .getByText('notes.mp4')
      .getByText(/is no video|no index|holds no/)
      .waitFor();
    const before = (await tell(tab)).lanes[1]!.framesDrawn;
    await told(tab, ({ lanes }, drawn) => lanes[1]!.framesDrawn > drawn + 15, before);
  },
  PATIENCE_MS,
);

inChromium(
  'a file that is handed to the page plays in all lanes',
  async () => {
    const tab = await tabAt(await opened('delay=10ms'));
    const buffer = readFileSync(join(SAMPLES, 'counter.h264'));
    await tab.locator('#file').setInputFiles({ name: 'mine.h264', mimeType: 'video/h264', buffer });
    await told(tab, ({ settings, lanes }) => {
      return settings?.source === 'mine.h264' && lanes.every(({ figures }) => decided(figures) >= 30);
    });
    expect((await tell(tab)).settings!.sources).toEqual(['counter.mp4', 'mine.h264']);
    expect(await colorsOnCanvas(tab, 2)).toBeGreaterThan(200);
  },
  PATIENCE_MS,
);

inChromium(
  'keys pause, choose a lane, explain, hide the panels and stop',
  async () => {
    let ended = false;
    const tab = await tabAt(await opened('delay=10ms', { onEnd: () => (ended = true) }));
    await told(tab, ({ lanes }) => lanes.every(({ framesDrawn }) => framesDrawn >= 15));
    await tab.keyboard.press('Space');
    await told(tab, ({ state }) => state === 'paused');
    await tab.keyboard.press('Space');
    await told(tab, ({ state }) => state === 'live');
    await tab.keyboard.press('2');
    expect(await tab.locator('.lane.chosen').getAttribute('aria-label')).toBe('Lane: UDP, by deadline');
    await tab.keyboard.press('?');
    expect(await tab.getByText('Frames that were never shown').first().isVisible()).toBe(true);
    await tab.keyboard.press('i');
    expect(await tab.locator('#network').isVisible()).toBe(false);
    await tab.keyboard.press('f');
    while (!(await tab.evaluate('document.fullscreenElement !== null'))) await tab.evaluate('0');
    await tab.keyboard.press('f');
    await tab.keyboard.press('q');
    while (!ended) await tab.evaluate('0');
  },
  PATIENCE_MS,
);

inChromium(
  'the lab is asked about the very settings that are shown, and its report is offered',
  async () => {
    let asked = '';
    const runScenario = async (scenario: string) => {
      asked = readFileSync(scenario, 'utf8');
      return join(SAMPLES, 'README.md');
    };
    const tab = await tabAt(await opened('loss=3% delay=40ms', { runScenario }));
    await tab.locator('#lab').click();
    await tab.locator('#message').getByText('open the report').waitFor();
    const scenario = parseScenario(asked, 'from-the-page.json');
    expect(scenario.strategies).toEqual([{ strategy: 'reorder', onLoss: 'smear' }, 'hybrid', 'tcp-cubic']);
    expect(JSON.parse(asked)).toMatchObject({ link: { forward: 'loss=3% delay=40ms' }, budgetsMs: [240] });
  },
  PATIENCE_MS,
);

inChromium(
  'the drive through cells plays from its trace, survives a reload, and goes into the lab; no other file can be named',
  async () => {
    let asked = '';
    const runScenario = async (scenario: string) => {
      asked = readFileSync(scenario, 'utf8');
      return join(SAMPLES, 'README.md');
    };
    const preset = 'LTE, driving (synthetic trace)';
    const tab = await tabAt(await opened('delay=10ms', { runScenario }));
    await tab.locator('#preset').selectOption(preset);
    await told(tab, ({ settings }) => settings?.link.includes('trace=lte-drive.down#') === true);
    await tab.reload();
    await told(tab, ({ settings }) => settings?.link.includes('trace=lte-drive.down#') === true);
    expect(await tab.locator('#preset').inputValue()).toBe(preset);
    expect(await tab.locator('[name="rate"]').getAttribute('aria-valuetext')).toBe('by its trace');
    await tab.locator('#lab').click();
    await tab.locator('#message').getByText('open the report').waitFor();
    expect(parseScenario(asked, 'from-the-page.json', readReadyMadeTrace).link.forward).toContain(
      'trace=lte-drive.down#',
    );
    const line = tab.locator('#link');
    await line.fill('trace=../scenarios/lte-drive.json delay=10ms');
    await line.press('Enter');
    await tab.locator('#message').getByText('only a trace of samples/traces can be named here').waitFor();
    expect((await tell(tab)).settings?.link).toContain('trace=lte-drive.down#');
    // Whoever asks for a bandwidth wants no trace any more.
    const rate = tab.locator('[name="rate"]');
    await rate.fill('3');
    await told(tab, ({ settings }) => settings?.link.includes('rate=3000000bit') === true);
    expect((await tell(tab)).settings?.link).not.toContain('trace=');
  },
  PATIENCE_MS,
);

inChromium(
  'a lane that is given another latency while it runs shows its frames that much later',
  async () => {
    const tab = await tabAt(await opened('delay=10ms'));
    await told(tab, ({ lanes }) => decided(lanes[1]?.figures) >= 30);
    const slider = tab.locator('.lane').nth(1).locator('.latency');
    await slider.fill('600');
    await slider.dispatchEvent('change');
    await told(tab, ({ settings, lanes }) => {
      return settings?.lanes[1]?.latencyMs === 600 && (lanes[1]?.figures?.lagMsP50 ?? 0) > 600;
    });
    expect((await tell(tab)).lanes[0]!.figures!.lagMsP50).toBeLessThan(220);
  },
  PATIENCE_MS,
);

inChromium(
  'who wants little motion gets a river that moves once a second',
  async () => {
    const tab = await tabAt(await opened('delay=10ms'));
    await tab.emulateMedia({ reducedMotion: 'reduce' });
    await told(tab, ({ lanes }) => decided(lanes[0]?.figures) >= 60);
    // Compared for every frame that the browser draws, over a second and a half.
    const changes = await tab.evaluate<number>(`new Promise((resolve) => {
      const river = document.querySelector('.river');
      const until = performance.now() + 1500;
      let [last, changes] = [river.toDataURL(), 0];
      requestAnimationFrame(function look() {
        const now = river.toDataURL();
        if (now !== last) changes++;
        last = now;
        if (performance.now() > until) resolve(changes);
        else requestAnimationFrame(look);
      });
    })`);
    expect(changes).toBeGreaterThan(0);
    expect(changes).toBeLessThanOrEqual(3);
  },
  PATIENCE_MS,
);

inChromium(
  'a browser without WebCodecs is told so',
  async () => {
    const show = await opened('delay=10ms');
    const tab = await browser.context.newPage();
    await tab.addInitScript('delete window.VideoDecoder');
    await tab.goto(show.url);
    await tab.getByText('This browser cannot decode the stream').waitFor();
  },
  PATIENCE_MS,
);

for (const [width, height] of [
  [1280, 720],
  [390, 844],
] as const) {
  inChromium(
    `at ${width} × ${height} nothing is wider than the window, and no two figures overlap`,
    async () => {
      const tab = await tabAt(await opened('loss=4% burst=2 delay=20ms'));
      await tab.setViewportSize({ width, height });
      await told(tab, ({ lanes }) => decided(lanes[2]?.figures) > 60);
      expect(await tab.evaluate('document.documentElement.scrollWidth')).toBe(width);
      const wide = await tab.evaluate<string[]>(`[...document.querySelectorAll('.figures dd')]
        .filter((cell) => cell.scrollWidth > cell.clientWidth + 1).map((cell) => cell.textContent)`);
      expect(wide).toEqual([]);
    },
    PATIENCE_MS,
  );
}

async function opened(text: string, on: Partial<LaneShowOptions> = {}): Promise<LaneShow> {
  const link = parseLinkSpecification(text);
  if (!link.ok) throw new Error(link.malformed);
  const openInput = (input: string) =>
    openMediaSource(input, { encode: 'auto', bitrate: 2_000_000, gop: 30, warn: () => {} });
  const show = await LaneShow.open({
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
async function tabAt(show: LaneShow): Promise<Tab> {
  const tab = await browser.context.newPage();
  tab.on('pageerror', (error) => {
    throw error;
  });
  await tab.goto(show.url);
  await told(tab, ({ state, lanes }) => state === 'live' && lanes.length > 0);
  return tab;
}

const tell = (tab: Tab): Promise<Told> =>
  tab.evaluate(() => {
    const { state, settings, lanes } = (globalThis as unknown as { dropframe: Told }).dropframe;
    return { state, settings, lanes };
  });

/** Waits until the page tells of itself what is asked; the test's time limit is the bound. */
async function told(tab: Tab, condition: (page: Told, before: number) => boolean, before = 0): Promise<void> {
  while (!condition(await tell(tab), before)) await new Promise((resolve) => setTimeout(resolve, 40));
}

function decided(figures: LaneFigures | undefined): number {
  if (!figures) return 0;
  return figures.framesOnTime + figures.framesRecovered + figures.framesLate + figures.framesLost;
}

/** How many different colors a lane's canvas holds (a grid of samples): a blank one holds one. */
const colorsOnCanvas = (tab: Tab, lane: number): Promise<number> =>
  tab.evaluate<number>(`(() => {
    const canvas = document.querySelectorAll('.video')[${lane}];
    const pixels = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    return new Set(pixels.filter((_, index) => index % 97 === 0)).size;
  })()`);
