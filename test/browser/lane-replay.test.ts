import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page as Tab } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import type { Recording } from '../../web/replay/recording.ts';
import { PATIENCE } from '../patience.ts';
import { findings, withAxe } from './axe.ts';
import { inChromium } from './browser.ts';
import { browser, decided, LANE, LANES, opened, pageState, tabAt, untilPage } from './lane-tab.ts';
import { recordedRun, sharedFile } from './recorded-run.ts';

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

/** Opens a shared page from the disk; it may ask no one for anything. */
async function sharedTab(file: string): Promise<Tab> {
  const tab = await browser.context.newPage();
  const faults: string[] = [];
  tab.on('pageerror', ({ message }) => faults.push(message));
  tab.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  tab.on('request', (request) => {
    if (!request.url().startsWith('file:')) faults.push(`request: ${request.url()}`);
  });
  onTestFinished(() => expect(faults).toEqual([]));
  await tab.goto(pathToFileURL(file).href);
  await tab.locator('.replay').waitFor();
  return tab;
}

const LANE_400 = { ...LANE, latencyMs: 400 };

/** Pictures of the recording: enough for TCP to be late, and for a jump of a second. */
const PICTURES = 75;
let made: Recording | undefined;
/** The demo's lanes, while so many packets are lost that the decoder gives nothing for some pictures, but not for the last two. */
const lossy = (): Recording => {
  made ??= recordedRun('loss=15% delay=20ms seed=6', [LANES], PICTURES);
  return made;
};

const recordedTab = async (recording: Recording): Promise<Tab> =>
  sharedTab(await sharedFile(recording, browser.folders));

/** Opens the page of the lanes, and in it the replay. */
async function withReplay(): Promise<Tab> {
  const tab = await tabAt(await opened('loss=4% delay=20ms seed=3'));
  await untilPage(tab, ({ lanes }) => lanes.every(({ figures }) => decided(figures) > 30));
  await tab.keyboard.press('r');
  await tab.locator('#replay-dialog .replay').waitFor();
  return tab;
}

inChromium('replays all lanes in step, slowly, and picture by picture', async () => {
  const tab = await recordedTab(lossy());
  await tab.keyboard.press('s');
  expect(await tab.locator('.replay-controls select').inputValue()).toBe('0.5');
  await tab.keyboard.press('Space');
  await expect.poll(async () => (await replayOf(tab))!.atMs, PATIENCE).toBeGreaterThan(0);
  // A step is one frame of 30 per second, for all lanes.
  await tab.keyboard.press('End');
  await tab.keyboard.press('ArrowLeft');
  const { atMs, seconds } = (await replayOf(tab))!;
  expect(seconds).toBeCloseTo((PICTURES - 1) / 30, 2);
  expect(seconds * 1_000 - atMs).toBeCloseTo(1_000 / 30, 0);
  await settled(tab);
  const late = await pictures(tab);
  // Without recovery (the last one that could be decoded), with it, and over TCP, which is behind: three pictures.
  expect(new Set(late).size).toBe(3);
  // Backwards and on again: the same pictures.
  await tab.keyboard.press('Shift+ArrowLeft');
  await settled(tab);
  const before = await pictures(tab);
  for (const [lane, sum] of before.entries()) expect(sum).not.toBe(late[lane]);
  await tab.keyboard.press('Shift+ArrowRight');
  await settled(tab);
  expect(await pictures(tab)).toEqual(late);
  expect(await tab.locator('.replay .verdict').allTextContents()).toEqual([
    expect.stringMatching(/damaged|Damaged/),
    expect.stringMatching(/whole|gaps/),
    expect.stringMatching(/^Whole|whole$/),
  ]);
  // A click on a packet timeline names the lane, and what became of the frame.
  await tab.locator('.timeline').nth(1).click();
  await tab.locator('.replay-details tr').nth(1).waitFor();
  expect(await tab.locator('.replay-details').textContent()).toContain('UDP hybrid');
});

inChromium('a lane that began or ended within the recording is there while it was', async () => {
  const [bare, hybrid, tcp] = LANES;
  const tab = await recordedTab(
    recordedRun(
      'delay=10ms',
      [
        [bare!, hybrid!],
        [hybrid!, tcp!, LANE_400],
      ],
      120,
    ),
  );
  const names = () => tab.locator('.replay .lane:visible .replay-name').allTextContents();
  await tab.keyboard.press('Home');
  await expect.poll(names, PATIENCE).toHaveLength(2);
  expect(await names()).toEqual(['UDP reorder', 'UDP hybrid']);
  await tab.keyboard.press('End');
  await expect.poll(names, PATIENCE).toHaveLength(3);
});

inChromium('shares what it replays as a file, which says how to repeat it', async () => {
  const tab = await withReplay();
  const { seconds } = (await replayOf(tab))!;
  const [download] = await Promise.all([tab.waitForEvent('download'), tab.locator('#replay-share').click()]);
  const folder = mkdtempSync(join(tmpdir(), 'dropframe-shared-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, download.suggestedFilename());
  await download.saveAs(file);
  const shared = await sharedTab(file);
  expect((await replayOf(shared))?.seconds).toBeCloseTo(seconds, 3);
  await shared.locator('summary').click();
  const words = await shared.locator('.reproduction').textContent();
  expect(words).toContain('loss=4% delay=20ms');
  expect(words).toContain('#lanes=reorder.200.smear%2Chybrid.200%2Ctcp-cubic.200');
  expect(words).toContain('dropframe demo --transport udp --recovery hybrid');
  await shared.close();
  await tab.keyboard.press('Escape');
  await expect.poll(() => replayOf(tab), PATIENCE).toBeUndefined();
  expect((await pageState(tab)).state).toBe('live');
});

inChromium('a recording of a paused page goes on to the present', async () => {
  const tab = await tabAt(await opened('delay=10ms', { lanes: [LANE] }));
  await untilPage(tab, ({ lanes }) => lanes.every(({ framesDrawn }) => framesDrawn > 10));
  await tab.keyboard.press('Space');
  const { lanes } = await pageState(tab);
  const recorded = async (): Promise<number> => {
    await tab.keyboard.press('r');
    await tab.locator('#replay-dialog .replay').waitFor();
    const { seconds } = (await replayOf(tab))!;
    await tab.keyboard.press('Escape');
    return seconds;
  };
  const before = await recorded();
  await expect.poll(recorded, PATIENCE).toBeGreaterThan(before + 1);
  expect((await pageState(tab)).lanes[0]?.framesDrawn).toBe(lanes[0]?.framesDrawn);
});

withAxe('axe-core finds nothing in the replay and in a shared run, in both color schemes', async () => {
  const tabs = [await recordedTab(lossy()), await withReplay()];
  for (const tab of tabs) {
    await tab.keyboard.press('End');
    await tab.locator('summary').click();
    // The page behind the dialog is tested without it.
    expect(await findings(tab, '.replay')).toEqual([]);
  }
});
