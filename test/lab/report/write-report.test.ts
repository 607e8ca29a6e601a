import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { numberedAnew, openDrawer } from '../../../lab/report/draw-plot.ts';
import type { ReportTables } from '../../../lab/report/report-tables.ts';
import { writeReport } from '../../../lab/report/write-report.ts';
import { CHROMIUM, FLAGS, HAS_CHROMIUM } from '../../browser/chromium.ts';
import { optional } from '../../optional.ts';
import { grid, gridFrames, row, tables } from './made-up-tables.ts';

/** Time limit for the sixteen drawings of a full report on a busy machine. */
const PATIENCE_MS = 120_000;
vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS });
const HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>&\'';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dropframe-report-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const FULL = tables([...grid({ losses: [0.01, 0.05], delaysMs: [20, 80], budgetsMs: [150] })], {
  frames: gridFrames,
});
const ATTACKED = tables(
  ['nack', HOSTILE].map((strategy) =>
    row({ strategy, source: HOSTILE, forward: `loss=2% ${HOSTILE}`, framesInTime: 2_900 }),
  ),
  {
    name: HOSTILE,
    question: HOSTILE,
    scenario: [[HOSTILE, [HOSTILE]]],
    commands: [HOSTILE],
    versions: { [HOSTILE]: HOSTILE },
  },
);

/** `FULL`, written once for tests that only read it. */
let full: string;
let fullPlots: readonly string[];
beforeAll(async () => {
  full = mkdtempSync(join(tmpdir(), 'dropframe-report-'));
  const { plots, warnings } = await writeReport(full, FULL);
  expect(warnings).toEqual([]);
  fullPlots = plots;
});
afterAll(() => rmSync(full, { recursive: true, force: true }));
const fullPage = () => readFileSync(join(full, 'report.html'), 'utf8');

async function written(given: ReportTables): Promise<string> {
  const { page, warnings } = await writeReport(directory, given);
  expect(warnings).toEqual([]);
  return readFileSync(page, 'utf8');
}

test('writes a page, and the drawing, data and specification of each plot', () => {
  expect(fullPlots).toEqual(['frontier', 'delay', 'timeline', 'best', 'misses', 'overhead', 'freezes', 'seeds']);
  expect(readdirSync(full).sort()).toEqual(['plots', 'report.html']);
  const files = fullPlots.flatMap((name) => [`${name}.csv`, `${name}.svg`, `${name}.vl.json`]);
  expect(readdirSync(join(full, 'plots')).sort()).toEqual(files.sort());
});

test('equal tables give equal files', async () => {
  await writeReport(directory, FULL);
  for (const name of ['report.html', 'plots/frontier.svg', 'plots/timeline.csv']) {
    const again = readFileSync(join(directory, name), 'utf8');
    expect([name, again === readFileSync(join(full, name), 'utf8')]).toEqual([name, true]);
  }
});

test('drawing a specification with its data file gives its SVG file', async () => {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  for (const name of ['frontier', 'timeline', 'misses', 'overhead']) {
    const spec = JSON.parse(readFileSync(join(full, 'plots', `${name}.vl.json`), 'utf8'));
    expect(spec.data.url).toBe(`${name}.csv`);
    const text = readFileSync(join(full, 'plots', spec.data.url), 'utf8');
    const values = vega.read(text, spec.data.format);
    const { spec: compiled } = vegaLite.compile({ ...spec, data: { values } });
    const svg = await new vega.View(vega.parse(compiled), { renderer: 'none' }).toSVG();
    const beside = readFileSync(join(full, 'plots', `${name}.svg`), 'utf8');
    expect([name, `${numberedAnew(svg)}\n` === beside]).toEqual([name, true]);
  }
});

test('the page loads no external resource', () => {
  const page = fullPage();
  const references = [...page.matchAll(/(?:src|href|action|poster|data|srcset)\s*=\s*"([^"]*)"/gi)].map(
    ([, target]) => target,
  );
  expect(references.length).toBeGreaterThan(0);
  for (const target of references) expect(target).toMatch(/^(#|data:,|plots\/[a-z]+\.(csv|vl\.json|svg)$)/);
  expect(page).not.toMatch(/@import|<script|<link rel="stylesheet"|<iframe|<base/i);
  for (const [, target] of page.matchAll(/url\(([^)]*)\)/gi)) expect(target).toMatch(/^#/);
});

test('ids are unique, and references resolve', () => {
  const page = fullPage();
  const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const used = [
    ...[...page.matchAll(/url\(#([^)]+)\)/g)].map(([, id]) => id),
    ...[...page.matchAll(/aria-labelledby="([^"]+)"/g)].flatMap(([, list]) => list!.split(' ')),
  ];
  expect(used.length).toBeGreaterThan(8);
  for (const id of used) expect(ids).toContain(id);
});

test('markup in names is escaped', async () => {
  const page = await written(ATTACKED);
  expect(page).not.toContain('<script');
  expect(page).not.toContain('<img');
  expect(page).toContain('&lt;script&gt;');
});

test('the answer states the figures', async () => {
  const rows = [
    row({ strategy: 'nack', framesInTime: 2_970, overhead: 0.05 }),
    row({ strategy: 'fec', framesInTime: 3_000, overhead: 0.31 }),
    row({ strategy: 'none', framesInTime: 1_500, overhead: 0.03 }),
  ];
  const page = await written(tables(rows));
  expect(page).toContain('fec misses 0 of 3,000 frames (95 % interval up to 0.128 %) and costs 31 % overhead');
  expect(page).toContain('nack misses 1 % and no recovery misses 50 %');
});

test('the answer states the budget that each strategy needs', async () => {
  const rows = [60, 200].flatMap((budgetMs) => [
    row({ strategy: 'nack', budgetMs, framesInTime: budgetMs === 60 ? 2_500 : 2_990 }),
    row({ strategy: 'fec', budgetMs, framesInTime: 2_980 }),
    row({ strategy: 'none', budgetMs, framesInTime: 2_000 }),
  ]);
  const page = await written(tables(rows));
  expect(page).toContain(
    '99 % of the frames are in time for fec with 60 ms and nack with 200 ms; no recovery not even with 200 ms',
  );
});

test('the table shows infinite delays as ∞ and unknown ones as a dash', async () => {
  const page = await written(tables([row({ delayUsP50: Number.POSITIVE_INFINITY, delayUsP95: null })]));
  expect(page).toMatch(/<td>∞<\/td><td>–<\/td><td>120<\/td>/);
});

test('a page without rows states that and has no plots', async () => {
  const page = await written(tables([]));
  expect(page).toContain('no cell of this scenario is finished');
  expect(page).not.toContain('<figure');
});

test('many cases are collapsed, and omitted ones are counted', async () => {
  const losses = Array.from({ length: 100 }, (_, index) => (index + 1) / 200);
  const page = await written(
    tables(losses.flatMap((linkLoss) => ['nack', 'fec', 'none'].map((strategy) => row({ strategy, linkLoss })))),
  );
  expect(page).toContain('The other 99 cases');
  expect(page).toContain('The first 80 of 99; summary.csv contains all.');
});

test('without Vega, fails with a clear message and writes nothing', async () => {
  const missing = () => openDrawer(() => Promise.reject(new Error('Cannot find package')));
  await expect(writeReport(directory, FULL, missing)).rejects.toMatchObject({
    name: 'Failure',
    exitCode: 3,
    message: expect.stringContaining('vega and vega-lite'),
  });
  expect(readdirSync(directory)).toEqual([]);
});

test('an unwritable folder is reported', async () => {
  writeFileSync(join(directory, 'plots'), 'a file');
  await expect(writeReport(directory, FULL)).rejects.toMatchObject({ name: 'Failure', exitCode: 1 });
  expect(readdirSync(directory)).toEqual(['plots']);
});

test('a page that cannot be replaced leaves no partial file', async () => {
  mkdirSync(join(directory, 'report.html'));
  await expect(writeReport(directory, tables([]))).rejects.toMatchObject({ name: 'Failure', exitCode: 1 });
  expect(readdirSync(directory).sort()).toEqual(['plots', 'report.html']);
});

const inChromium = optional(CHROMIUM, HAS_CHROMIUM);

inChromium(
  'the page opens from disk without requests, messages or overflow, and shows all plots',
  async () => {
    const page = join(full, 'report.html');
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    try {
      for (const [width, colorScheme, shown] of [
        [1280, 'light', 'wide'],
        [1280, 'dark', 'wide'],
        [390, 'light', 'narrow'],
      ] as const) {
        const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
        const tab = await context.newPage();
        const heard: string[] = [];
        tab.on('console', (message) => heard.push(message.text()));
        tab.on('pageerror', (error) => heard.push(error.message));
        tab.on('request', (request) => heard.push(request.url()));
        await tab.goto(pathToFileURL(page).href);
        expect(heard).toEqual([pathToFileURL(page).href]);
        expect(await tab.evaluate('document.documentElement.scrollWidth')).toBe(width);
        await tab.evaluate('document.querySelectorAll("details").forEach((each) => { each.open = true; })');
        const tables = await tab.evaluate<number[]>(
          '[...document.querySelectorAll(".scroll")].map((each) => each.scrollWidth - each.clientWidth)',
        );
        // On a wide screen tables fit; on a narrow one they scroll under the names.
        expect(tables.length).toBeGreaterThan(0);
        expect(tables.every((hidden) => hidden > 0 === width < 640)).toBe(true);
        expect(await tab.locator(`figure svg.${shown}:visible`).count()).toBe(8);
        expect(await tab.locator('figure svg:visible').count()).toBe(8);
        const ground = await tab.evaluate('getComputedStyle(document.body).backgroundColor');
        expect(ground).toBe(colorScheme === 'dark' ? 'rgb(20, 23, 28)' : 'rgb(255, 255, 255)');
        const ink = 'getComputedStyle(document.querySelector("figure svg text")).fill';
        expect(await tab.evaluate(ink)).toBe(colorScheme === 'dark' ? 'rgb(232, 234, 237)' : 'rgb(29, 33, 39)');
        await context.close();
      }
    } finally {
      await browser.close();
    }
  },
  PATIENCE_MS,
);

inChromium(
  'markup in names does not execute in a browser',
  async () => {
    const { page } = await writeReport(directory, ATTACKED);
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    try {
      const tab = await browser.newPage();
      const heard: string[] = [];
      tab.on('console', (message) => heard.push(message.text()));
      tab.on('dialog', (dialog) => {
        heard.push(dialog.message());
        void dialog.dismiss();
      });
      await tab.goto(pathToFileURL(page).href);
      expect(await tab.locator('h1').textContent()).toBe(HOSTILE);
      expect(heard).toEqual([]);
    } finally {
      await browser.close();
    }
  },
  PATIENCE_MS,
);
