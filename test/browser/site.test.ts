import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { runScenario } from '../../lab/run-scenario.ts';
import { PATIENCE } from '../patience.ts';
import { findings, withAxe } from './axe.ts';
import { inChromium } from './browser.ts';
import { HAS_CHROMIUM } from './chromium.ts';
import { serveFolder } from './file-server.ts';
import { browser, colorsOnCanvas, pageState, untilPage } from './lane-tab.ts';

const ROOT = join(import.meta.dirname, '../..');
const PLACE = '/some/where/';
/** The demo with the sample that is decoded with the least work. */
const DEMO = 'demo.html?tour=off#source=counter.h264';
let folder: string;
let server: Awaited<ReturnType<typeof serveFolder>>;
let url: string;

beforeAll(async () => {
  if (!HAS_CHROMIUM) return;
  folder = mkdtempSync(join(tmpdir(), 'dropframe-site-'));
  const built = spawnSync(process.execPath, [join(ROOT, 'site/build.js'), folder], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(built.stderr);
  server = await serveFolder(folder, PLACE);
  url = server.url;
}, PATIENCE.timeout);
afterAll(() => {
  server?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/** Opens a page of the site. The test fails with its errors, and with requests that leave the site. */
async function siteTab(path: string, prepare: (tab: Tab) => Promise<unknown> = async () => {}): Promise<Tab> {
  const tab = await browser.context.newPage();
  const faults: string[] = [];
  tab.on('pageerror', ({ message }) => faults.push(message));
  tab.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  tab.on('requestfailed', (request) => faults.push(`failed: ${request.url()}`));
  tab.on('request', (request) => {
    const where = request.url();
    if (!where.startsWith(url) && !where.startsWith('blob:')) faults.push(`outside: ${where}`);
  });
  tab.on('response', (response) => {
    if (response.status() >= 400) faults.push(`${response.status()}: ${response.url()}`);
  });
  onTestFinished(() => expect(faults).toEqual([]));
  await prepare(tab);
  await tab.goto(url + path);
  return tab;
}

const allDraw = (tab: Tab, lanes: number) =>
  untilPage(tab, ({ state, lanes: all }) => state === 'live' && all.length === lanes && all.every(isDrawn));
const isDrawn = ({ framesDrawn }: { readonly framesDrawn: number }): boolean => framesDrawn > 10;

inChromium('the home page shows three lanes, live, from a plain file server below a path', async () => {
  const tab = await siteTab('');
  const frame = await (await tab.waitForSelector('#live iframe')).contentFrame();
  const drawn = () => frame!.evaluate<number[]>('(globalThis.dropframe?.lanes ?? []).map((lane) => lane.framesDrawn)');
  await expect.poll(async () => (await drawn()).filter((frames) => frames > 10).length, PATIENCE).toBe(3);
  // Inside another page there are neither the tools nor the panels.
  expect(await frame!.isVisible('#top')).toBe(false);
  expect(await frame!.isVisible('#panels')).toBe(false);
  expect(await frame!.isVisible('#drop')).toBe(true);
});

inChromium('sender, link, receiver and modelled TCP run in workers, and every control reaches them', async () => {
  const tab = await siteTab(DEMO);
  await allDraw(tab, 3);
  expect(await colorsOnCanvas(tab, 1)).toBeGreaterThan(20);
  // TCP falls behind on this network, UDP does not.
  await untilPage(tab, ({ lanes }) => (lanes[2]?.behindMs ?? 0) > 500);
  expect((await pageState(tab)).lanes[1]?.behindMs).toBeLessThan(300);
  expect(await tab.isVisible('#stop')).toBe(false);

  await tab.selectOption('#preset', 'drive');
  await untilPage(tab, ({ settings }) => /trace=lte-drive\.down/.test(settings?.link ?? ''));
  await tab.selectOption('#preset', 'fibre');
  await untilPage(tab, ({ settings }) => /^delay=5ms/.test(settings?.link ?? ''));
  const lost = async () => (await pageState(tab)).lanes[0]?.figures?.packetsLost ?? 0;
  const before = await lost();
  await tab.click('#drop');
  // Packets that the network before had lost may be counted meanwhile.
  await expect.poll(lost, PATIENCE).toBeGreaterThanOrEqual(before + 5);
  await tab.click('#freeze');
  await expect.poll(lost, PATIENCE).toBeGreaterThan(before + 10);

  await tab.click('#add-lane');
  await allDraw(tab, 4);
  await tab.click('#restart');
  await untilPage(tab, ({ lanes }) => (lanes[0]?.figures?.seconds ?? 99) < 5);
  await tab.click('#pause');
  await untilPage(tab, ({ state }) => state === 'paused');
});

inChromium('the lanes carry the sound of the sample, and one of them is heard', async () => {
  const tab = await siteTab('demo.html?tour=off#source=city.mp4');
  await allDraw(tab, 3);
  const peaks = () => tab.evaluate<number[]>('dropframe.lanes.map(({ soundPeak }) => soundPeak)');
  await expect.poll(async () => Math.max(...(await peaks())), PATIENCE).toBeGreaterThan(0.01);
  await untilPage(tab, ({ lanes }) => (lanes[1]?.figures?.sound?.unitsOnTime ?? 0) > 40);
  await tab.keyboard.press('m');
  await expect.poll(() => tab.evaluate('dropframe.sound.heardUs > 0'), PATIENCE).toBe(true);
});

inChromium('an address of the site brings back its lanes, its network and its video', async () => {
  const first = await siteTab(DEMO);
  await allDraw(first, 3);
  await first.selectOption('.lane:nth-child(2) .strategy', 'nack');
  await first.fill('#link', 'loss=2% delay=20ms');
  await first.press('#link', 'Enter');
  await untilPage(first, ({ settings }) => settings?.link.includes('delay=20ms') === true);
  const lanes = new URLSearchParams(new URL(first.url()).hash.slice(1)).get('lanes');
  expect(lanes).toBe('reorder.200.smear,nack.200,tcp-cubic.200');
  const { settings } = await pageState(first);
  const second = await siteTab(first.url().slice(url.length));
  const wanted = first.url();
  await untilPage(second, (page) => page.settings?.link === settings?.link && second.url() === wanted);
  await allDraw(second, 3);
});

inChromium('an impossible link is refused in words, and a lane that needs an encoder says so', async () => {
  const tab = await siteTab(DEMO);
  await allDraw(tab, 3);
  await tab.fill('#link', 'loss=200%');
  await tab.press('#link', 'Enter');
  await expect.poll(() => tab.textContent('#message'), PATIENCE).toMatch(/loss/);
  await tab.selectOption('.lane:nth-child(2) .strategy', { label: 'UDP adaptive' });
  await expect.poll(() => tab.textContent('.lane:nth-child(2) .waiting'), PATIENCE).toMatch(/npm start/);
});

inChromium('figures and packets are saved from the worker', async () => {
  const tab = await siteTab(DEMO);
  await allDraw(tab, 3);
  const saved = async (selector: string) => {
    const [download] = await Promise.all([tab.waitForEvent('download'), tab.click(selector)]);
    return readFileSync((await download.path())!);
  };
  const summary = JSON.parse((await saved('#save')).toString());
  expect(summary).toMatchObject({ kind: 'lanes', source: 'counter.h264' });
  expect(summary.lanes).toHaveLength(3);
  // The section header block of pcapng.
  expect((await saved('#captures a')).readUInt32BE(0)).toBe(0x0a0d_0d0a);
});

inChromium('a video of the user plays without leaving the browser, and another file is refused in words', async () => {
  const tab = await siteTab(DEMO);
  await allDraw(tab, 3);
  await tab.setInputFiles('#file', join(ROOT, 'README.md'));
  await expect.poll(() => tab.textContent('#message'), PATIENCE).toMatch(/README.md is not a video/);
  expect((await pageState(tab)).settings?.source).toBe('counter.h264');
  // With B-frames, in a container.
  await tab.setInputFiles('#file', join(ROOT, 'samples/counter.mp4'));
  await untilPage(tab, ({ settings }) => settings?.source === 'counter.mp4');
  await untilPage(tab, ({ lanes }) => (lanes[1]?.framesDrawn ?? 0) > 10 && (lanes[1]?.figures?.framesOnTime ?? 0) > 30);
  expect(await colorsOnCanvas(tab, 1)).toBeGreaterThan(20);
  expect((await pageState(tab)).lanes[1]?.decodeErrors).toBe(0);
});

inChromium(
  'the laboratory runs the cells of a scenario in a worker, under the name that they have in Node',
  async () => {
    const tab = await siteTab(
      'demo.html?tour=off#source=counter.h264&lanes=reorder.100,hybrid.100&link=loss%3D3%25+delay%3D20ms',
    );
    await allDraw(tab, 2);
    const [download] = await Promise.all([tab.waitForEvent('download'), tab.click('#scenario')]);
    const scenario = JSON.parse(readFileSync((await download.path())!, 'utf8'));
    const { runId, rows } = await runScenario(scenario);
    await tab.evaluate(`globalThis.scenarioText = ${JSON.stringify(JSON.stringify(scenario))}`);
    const html = await tab.evaluate<string>(`new Promise((resolve, reject) => {
    const worker = new Worker('assets/lab-worker.js', { type: 'module' });
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.onmessage = ({ data }) => {
      if (data.kind === 'report') resolve(data.html);
      if (data.kind === 'refused') reject(new Error(data.why));
    };
    worker.postMessage({ scenario: scenarioText });
  })`);
    expect(html).toContain(runId);
    const missed = (strategy: string) => rows.filter((row) => row.strategy === strategy);
    for (const strategy of ['reorder', 'hybrid']) {
      const frames = missed(strategy).reduce((sum, row) => sum + row.frames, 0);
      expect(frames).toBeGreaterThan(0);
      expect(html).toContain(`${strategy}</th><td>${frames.toLocaleString('en-US')}</td>`);
    }
  },
);

inChromium('Run in the lab shows its report over the page', async () => {
  const tab = await siteTab('demo.html?tour=off#source=counter.h264&lanes=reorder.100&link=delay%3D20ms');
  await allDraw(tab, 1);
  await tab.click('#lab');
  await tab.waitForSelector('#report[open]', { timeout: PATIENCE.timeout });
  const frame = await (await tab.waitForSelector('#report-frame')).contentFrame();
  await expect.poll(() => frame!.url(), PATIENCE).toMatch(/^blob:/);
});

inChromium('a browser without WebCodecs is told what is needed', async () => {
  const tab = await siteTab('demo.html', (page) => page.addInitScript('delete globalThis.VideoDecoder'));
  await expect.poll(() => tab.textContent('#message'), PATIENCE).toMatch(/WebCodecs with H.264 is required/);
});

inChromium('the documentation opens with its style and its images', async () => {
  const tab = await siteTab('docs/EXPERIMENTS.html');
  expect(await tab.title()).toMatch(/Experiments/);
  const images = await tab.evaluate<number[]>(`Promise.all([...document.images].map(async (image) => {
    await image.decode();
    return image.naturalWidth;
  }))`);
  expect(images.length).toBeGreaterThan(2);
  expect(Math.min(...images)).toBeGreaterThan(0);
});

withAxe('axe-core finds nothing on the home page and in the documentation, in light and in dark', async () => {
  for (const path of ['', 'docs/README.html', 'docs/RESULTS.html']) {
    expect(await findings(await siteTab(path)), path).toEqual([]);
  }
});
