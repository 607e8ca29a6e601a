import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { computeAtlas, openAtlas } from '../../lab/atlas/atlas.ts';
import { readAtlasSetting } from '../../lab/atlas/atlas-setting.ts';
import { atlasRows, writeAtlas } from '../../lab/atlas/write-atlas.ts';
import { writePage } from '../../lab/atlas/write-page.ts';
import type { AtlasRow } from '../../protocol/page/atlas-cell.ts';
import { SMALL_CELLS, SMALL_WORDS } from '../lab/atlas/small-atlas.ts';
import { PATIENCE } from '../patience.ts';
import { findings, withAxe } from './axe.ts';
import { inChromium, useBrowser } from './browser.ts';
import { HAS_CHROMIUM } from './chromium.ts';
import { serveFolder } from './file-server.ts';

const browser = useBrowser();
let folder: string;
let server: Awaited<ReturnType<typeof serveFolder>>;
let rows: readonly AtlasRow[];

beforeAll(async () => {
  if (!HAS_CHROMIUM) return;
  folder = mkdtempSync(join(tmpdir(), 'dropframe-atlas-page-'));
  const atlas = await openAtlas(readAtlasSetting(SMALL_WORDS, ['hybrid', 'nack', 'tcp-cubic']), {
    out: folder,
    cells: SMALL_CELLS,
    fresh: false,
  });
  const options = { cells: SMALL_CELLS, jobs: 0, signal: new AbortController().signal, onProgress: () => {} };
  const { tree } = await computeAtlas(atlas, options);
  await atlas.log.close();
  const { manifest, table } = await writeAtlas(atlas, tree!, 'test');
  await writePage(folder, manifest, table);
  rows = atlasRows(atlas, tree!);
  server = await serveFolder(folder, '/below/a/path/');
});
afterAll(() => {
  server?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/** Opens the page; the test fails with its errors. */
async function atlasTab(address: string): Promise<Tab> {
  const tab = await browser.context.newPage();
  const faults: string[] = [];
  tab.on('pageerror', ({ message }) => faults.push(message));
  tab.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  onTestFinished(() => expect(faults).toEqual([]));
  await tab.goto(address);
  await tab.waitForSelector('body[data-state="ready"]');
  return tab;
}

/** Texts of the table, by strategy. */
async function cellsOf(tab: Tab): Promise<ReadonlyMap<string, readonly string[]>> {
  const lines = await tab.$$eval('#cells tr', (all) =>
    all.map((line) => [...line.children].map((cell) => cell.textContent ?? '')),
  );
  return new Map(lines.map(([name, ...texts]) => [name!, texts]));
}

/** Figures of the table's rows at a corner of the space. */
function expected(corner: Pick<AtlasRow, 'loss' | 'rttMs' | 'budgetMs' | 'rateKbps'>) {
  const there = rows.filter((row) =>
    Object.entries(corner).every(([name, value]) => row[name as keyof AtlasRow] === value),
  );
  return new Map(there.map((row) => [row.strategy, row]));
}

inChromium('sliders choose the network, and the table has the figures of the nearest point', async () => {
  const tab = await atlasTab(server.url);
  await tab.fill('#sliders label:nth-child(1) input', '16');
  await tab.fill('#sliders label:nth-child(3) input', '0');
  await tab.fill('#sliders label:nth-child(5) input', '16');
  await tab.fill('#sliders label:nth-child(6) input', '0');
  expect(await tab.textContent('#sliders label:nth-child(1) output')).toBe('10 %');
  expect(await tab.textContent('#place')).toMatch(/loss 10 %.*round trip 20 ms.*budget 300 ms, capacity unlimited/);
  const cells = await cellsOf(tab);
  const point = expected({ loss: 10, rttMs: 20, budgetMs: 300, rateKbps: 0 });
  expect([...cells.keys()].sort()).toEqual(['hybrid', 'nack', 'tcp-cubic']);
  for (const [name, [standing, missed]] of cells) {
    const row = point.get(name)!;
    expect(standing).toBe(row.standing === 'behind' ? '' : row.standing);
    expect(Number.parseFloat(missed!)).toBeCloseTo((1 - row.inTime) * 100, 1);
  }
  expect(await tab.textContent('#command')).toBe(
    'dropframe lab ask "nack hybrid tcp-cubic" loss=10% burst=1 rtt=20 jitter=0 budget=300 kbps=1000 fps=30 keys=30 seconds=5 --until 1pp --seeds-max 5',
  );
  // An address brings the point back.
  const again = await atlasTab(tab.url());
  expect(await again.textContent('#place')).toBe(await tab.textContent('#place'));
});

inChromium('keys move a slider, and a click on the map goes there', async () => {
  const tab = await atlasTab(server.url);
  await tab.focus('#sliders label:nth-child(1) input');
  await tab.keyboard.press('End');
  expect(await tab.textContent('#sliders label:nth-child(1) output')).toBe('10 %');
  await tab.keyboard.press('Home');
  expect(await tab.textContent('#sliders label:nth-child(1) output')).toBe('1 %');
  expect(await tab.getAttribute('#sliders label:nth-child(1) input', 'aria-valuetext')).toBe('1 %');
  expect(await tab.$$('#map rect')).toHaveLength(17 * 17);
  const box = (await (await tab.$('#map'))!.boundingBox())!;
  await tab.mouse.click(box.x + box.width - 3, box.y + 3);
  expect(await tab.textContent('#sliders label:nth-child(1) output')).toBe('10 %');
  expect(await tab.textContent('#sliders label:nth-child(3) output')).toBe('200 ms');
  await tab.selectOption('#x', { label: 'Loss' });
  // Both axes changed places.
  expect(await tab.$eval('#y', (select) => (select as unknown as { value: string }).value)).toBe('2');
  expect(await tab.getAttribute('#map', 'aria-label')).toMatch(
    /^Who wins by loss and round trip: \S+ (the cheapest of a tie )?\d+ %/,
  );
});

inChromium('a tie is drawn paler than a win, and named', async () => {
  const ends = { loss: [1, 10], rttMs: [20, 200], budgetMs: [75, 300], rateKbps: [0, 1_250] } as const;
  const at = (row: AtlasRow) =>
    Object.entries(ends).map(([name, values]) => values.indexOf(row[name as 'loss'] as never));
  const tied = rows.find((row) => row.standing === 'tied' && row.inTime > 0.9 && !at(row).includes(-1))!;
  const [loss, rtt, budget, rate] = at(tied).map((end) => end * 16);
  const tab = await atlasTab(`${server.url}#${loss},0,${rtt},0,${budget},${rate};2,0`);
  const [opacity, title] = await tab.$eval(`#map rect[x="${rtt}"][y="${16 - loss!}"]`, (square) => {
    const { style, textContent } = square as unknown as { style: { fillOpacity: string }; textContent: string };
    return [style.fillOpacity, textContent] as const;
  });
  expect([opacity, title]).toEqual(['0.5', expect.stringMatching(/^\S+, tie of \d: /)]);
  expect(await tab.getAttribute('#map', 'aria-label')).toMatch(/the cheapest of a tie \d+ %/);
});

inChromium('the folder opens from disk, without a server', async () => {
  const tab = await atlasTab(pathToFileURL(join(folder, 'index.html')).href);
  expect((await cellsOf(tab)).size).toBe(3);
  expect(await tab.textContent('#about')).toContain(`${rows.length} cells of 3 strategies`);
});

inChromium('the script of the page has the license of the reader of tables', () => {
  const script = readFileSync(join(folder, 'atlas-page.js'), 'utf8');
  expect(script).toMatch(/^\/\*!\nContains hyparquet [\d.]+, .*\n\nThe MIT License/);
  expect(script).toContain('shall be included in all copies');
});

inChromium('files that do not belong together are refused in words', async () => {
  const tab = await browser.context.newPage();
  await tab.route('**/atlas.json', async (route) => {
    const manifest = await (await route.fetch()).json();
    await route.fulfill({ json: { ...manifest, rows: manifest.rows + 1 } });
  });
  await tab.goto(server.url);
  await expect.poll(() => tab.textContent('#about'), PATIENCE).toMatch(/cannot be shown: atlas.parquet has \d+ cells/);
});

inChromium('nothing is wider than the window, from a phone to a large screen', async () => {
  const tab = await atlasTab(server.url);
  for (const width of [390, 820, 1280, 2560]) {
    await tab.setViewportSize({ width, height: 900 });
    expect(await tab.evaluate('document.documentElement.scrollWidth <= innerWidth'), `${width} px`).toBe(true);
  }
});

withAxe('the page is usable without sight or mouse, in light and dark', async () => {
  expect(await findings(await atlasTab(server.url))).toEqual([]);
});
