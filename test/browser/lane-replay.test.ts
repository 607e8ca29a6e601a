import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page as Tab } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { PATIENCE } from '../patience.ts';
import { findings, withAxe } from './axe.ts';
import { inChromium } from './browser.ts';
import { browser, decided, LANE, opened, pageState, tabAt, untilPage } from './lane-tab.ts';

/** A replay, as both pages expose it. */
interface Replay {
  readonly atMs: number;
  readonly seconds: number;
  readonly isSettled: boolean;
}

const replayOf = (tab: Tab): Promise<Replay | undefined> =>
  tab.evaluate(() => {
    const view = (globalThis as unknown as { dropframe?: { replay?: Replay } }).dropframe?.replay;
    return view && { atMs: view.atMs, seconds: view.seconds, isSettled: view.isSettled };
  });

/** Waits until every lane of the replay shows the picture of its position. */
const settled = (tab: Tab) => expect.poll(async () => (await replayOf(tab))?.isSettled, PATIENCE).toBe(true);

/** The pixels of the lanes in a replay, as numbers to compare. */
const pictures = (tab: Tab): Promise<readonly number[]> =>
  tab.evaluate<number[]>(`[...document.querySelectorAll('.replay .video')].map((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let sum = 0;
    for (let at = 0; at < data.length; at += 41) sum = (sum * 31 + data[at]) % 1000003;
    return sum;
  })`);

async function withReplay(): Promise<Tab> {
  const tab = await tabAt(await opened('loss=4% delay=20ms seed=3'));
  await untilPage(tab, ({ lanes }) => lanes.every(({ figures }) => decided(figures) > 150));
  await tab.keyboard.press('r');
  await tab.locator('#replay-dialog .replay').waitFor();
  return tab;
}

/** Saves the shown recording, and opens the file without a server. */
async function sharedTab(tab: Tab, button: string): Promise<Tab> {
  const [download] = await Promise.all([tab.waitForEvent('download'), tab.locator(button).click()]);
  const folder = mkdtempSync(join(tmpdir(), 'dropframe-shared-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, download.suggestedFilename());
  await download.saveAs(file);
  const shared = await browser.context.newPage();
  const faults: string[] = [];
  shared.on('pageerror', ({ message }) => faults.push(message));
  shared.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  shared.on('request', (request) => {
    if (!request.url().startsWith('file:')) faults.push(`request: ${request.url()}`);
  });
  onTestFinished(() => expect(faults).toEqual([]));
  await shared.goto(pathToFileURL(file).href);
  await shared.locator('.replay').waitFor();
  return shared;
}

inChromium('replays the last seconds with all lanes in step, slowly, and picture by picture', async () => {
  const tab = await withReplay();
  await tab.keyboard.press('s');
  expect(await tab.locator('.replay-controls select').inputValue()).toBe('0.5');
  await tab.keyboard.press('Space');
  const { atMs, seconds } = (await replayOf(tab))!;
  expect(seconds).toBeGreaterThan(3);
  // A step is one frame of 30 per second, for all lanes.
  await tab.keyboard.press('End');
  await tab.keyboard.press('ArrowLeft');
  expect(seconds * 1_000 - (await replayOf(tab))!.atMs).toBeCloseTo(33.3, 0);
  expect((await replayOf(tab))!.atMs).not.toBe(atMs);
  await settled(tab);
  const late = await pictures(tab);
  expect(late).toHaveLength(3);
  // Backwards and on again: the same pictures.
  await tab.keyboard.press('Shift+ArrowLeft');
  await settled(tab);
  const before = await pictures(tab);
  expect(before).not.toEqual(late);
  await tab.keyboard.press('Shift+ArrowRight');
  await settled(tab);
  expect(await pictures(tab)).toEqual(late);
  expect(await tab.locator('.replay .verdict').allTextContents()).toEqual([
    expect.stringMatching(/damaged|Damaged/),
    expect.stringMatching(/whole|gaps/),
    expect.stringMatching(/^Whole|whole$/),
  ]);
  await tab.keyboard.press('Escape');
  expect(await replayOf(tab)).toBeUndefined();
  expect((await pageState(tab)).state).toBe('live');
});

inChromium('a shared run opens from the disk, plays without a server, and says how to repeat it', async () => {
  const tab = await withReplay();
  await tab.keyboard.press('Space');
  await tab.keyboard.press('End');
  await tab.keyboard.press('Shift+ArrowLeft');
  await settled(tab);
  const { atMs, seconds } = (await replayOf(tab))!;
  const shown = await pictures(tab);
  const shared = await sharedTab(tab, '#replay-share');
  expect((await replayOf(shared))?.seconds).toBeCloseTo(seconds, 1);
  await shared.keyboard.press('End');
  await shared.keyboard.press('Shift+ArrowLeft');
  expect((await replayOf(shared))?.atMs).toBeCloseTo(atMs, 0);
  await settled(shared);
  expect(await pictures(shared)).toEqual(shown);
  await shared.locator('summary').click();
  const words = await shared.locator('.reproduction').textContent();
  expect(words).toContain('loss=4% delay=20ms');
  expect(words).toContain('#lanes=reorder.200.smear%2Chybrid.200%2Ctcp-cubic.200');
  expect(words).toContain('dropframe demo --transport udp --recovery hybrid');
  // A click on a packet timeline names the lane, and what became of the frame.
  await shared.locator('.timeline').nth(1).click();
  await shared.locator('.replay-details tr').nth(1).waitFor();
  expect(await shared.locator('.replay-details').textContent()).toContain('UDP hybrid');
});

inChromium('a lane that began or ended within the recording is there while it was', async () => {
  const tab = await tabAt(await opened('delay=10ms'));
  await untilPage(tab, ({ lanes }) => lanes.every(({ figures }) => decided(figures) > 30));
  await tab.locator('.remove').first().click();
  await untilPage(tab, ({ lanes }) => lanes.length === 2 && lanes.every(({ figures }) => decided(figures) > 90));
  await tab.keyboard.press('r');
  await tab.locator('#replay-dialog .replay').waitFor();
  await tab.keyboard.press('Space');
  await tab.keyboard.press('Home');
  await expect.poll(() => tab.locator('.replay .lane:visible').count(), PATIENCE).toBe(3);
  await tab.keyboard.press('End');
  await expect.poll(() => tab.locator('.replay .lane:visible').count(), PATIENCE).toBe(2);
});

inChromium('a recording of a paused page goes on to the present', async () => {
  const tab = await tabAt(await opened('delay=10ms', { lanes: [LANE] }));
  await untilPage(tab, ({ lanes }) => lanes.every(({ framesDrawn }) => framesDrawn > 10));
  await tab.keyboard.press('Space');
  const { lanes } = await pageState(tab);
  await expect
    .poll(async () => {
      await tab.keyboard.press('r');
      await tab.locator('#replay-dialog .replay').waitFor();
      const { seconds = 0 } = (await replayOf(tab)) ?? {};
      await tab.keyboard.press('Escape');
      return seconds;
    }, PATIENCE)
    .toBeGreaterThan(3);
  expect((await pageState(tab)).lanes[0]?.framesDrawn).toBe(lanes[0]?.framesDrawn);
});

for (const colorScheme of ['light', 'dark'] as const) {
  withAxe(`axe-core finds nothing in the replay and in a shared run, in ${colorScheme}`, async () => {
    const tab = await withReplay();
    await tab.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await tab.keyboard.press('Space');
    await tab.locator('summary').click();
    expect(await findings(tab)).toEqual([]);
    const shared = await sharedTab(tab, '#replay-share');
    await shared.emulateMedia({ colorScheme });
    await shared.locator('summary').click();
    expect(await findings(shared)).toEqual([]);
  });
}
