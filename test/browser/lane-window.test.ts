import { join } from 'node:path';
import { expect } from 'vitest';
import { inChromium } from './browser.ts';
import { colorsOnCanvas, decided, LANES, opened, pageState, SAMPLES, tabAt, untilPage } from './lane-tab.ts';

/** Script that occupies its thread for four seconds. */
const BUSY = '{ const until = performance.now() + 4000; while (performance.now() < until); }';

inChromium('shows the newest picture, and none of those before it, once a busy page draws again', async () => {
  const tab = await tabAt(await opened('delay=10ms'));
  await untilPage(tab, ({ lanes }) => lanes.every(({ figures }) => decided(figures) > 30));
  const before = (await pageState(tab)).lanes;
  await tab.evaluate(BUSY);
  await untilPage(tab, ({ lanes }) => lanes.every(({ lagMs = 9e9 }) => lagMs < 1_000));
  for (const [index, { framesDrawn }] of (await pageState(tab)).lanes.entries()) {
    // There were 120 of them.
    expect(framesDrawn - before[index]!.framesDrawn).toBeLessThan(100);
  }
});

inChromium(
  'a window that cannot keep up skips to live and says so; its figures stay those of the network',
  async () => {
    const tab = await tabAt(await opened('delay=10ms'));
    await untilPage(tab, ({ lanes }) => lanes.every(({ figures }) => decided(figures) > 30));
    await tab.workers()[0]!.evaluate(BUSY);
    await tab.locator('#behind', { hasText: /This browser was .* behind and skipped to live/ }).waitFor();
    await untilPage(tab, ({ lanes }) => lanes.every(({ lagMs = 9e9 }) => lagMs < 1_000));
    for (const { behindMs, figures } of (await pageState(tab)).lanes) {
      expect(behindMs).toBeLessThan(1_000);
      expect(figures!.framesLate + figures!.framesLost).toBe(0);
    }
    const drawn = (await pageState(tab)).lanes[1]!.framesDrawn;
    await untilPage(tab, ({ lanes }, before) => lanes[1]!.framesDrawn > before + 15, drawn);
    await tab.locator('#behind').waitFor({ state: 'hidden' });
  },
);

inChromium(
  'a window that falls behind again and again decodes one lane whole, says so, and decodes all later',
  async () => {
    const tab = await tabAt(await opened('delay=10ms'));
    await untilPage(tab, ({ lanes }) => lanes.every(({ framesDrawn }) => framesDrawn > 15));
    const decoded = () => tab.evaluate('dropframe.decoded');
    while ((await decoded()) === 'all') {
      const { skips } = await pageState(tab);
      await tab.workers()[0]!.evaluate(BUSY);
      await untilPage(tab, (page, before) => page.skips > before, skips);
    }
    await tab.locator('#behind', { hasText: /Too much for this computer: .*key frames/ }).waitFor();
    while ((await decoded()) !== 'all') await new Promise((resolve) => setTimeout(resolve, 200));
    const { lanes: before } = await pageState(tab);
    await untilPage(tab, ({ lanes }, drawn) => lanes[2]!.framesDrawn > drawn + 40, before[2]!.framesDrawn);
  },
);

inChromium('shows nothing of the previous video once another one begins', async () => {
  const inputs = new Map(['counter.mp4', 'counter.h264'].map((name) => [name, join(SAMPLES, name)]));
  const tab = await tabAt(await opened('delay=10ms', { inputs }));
  await untilPage(tab, ({ lanes }) =>
    lanes.every(({ framesDrawn, figures }) => framesDrawn > 15 && decided(figures) > 30),
  );
  // Nothing of the new video arrives.
  await tab.locator('#link').fill('loss=100% delay=10ms');
  await tab.locator('#link').press('Enter');
  await untilPage(tab, ({ settings }) => settings!.link.includes('loss=100%'));
  await tab.locator('#source').selectOption('counter.h264');
  await untilPage(tab, ({ settings }) => settings!.source === 'counter.h264');
  // Later there are points of the new video.
  expect(await tab.locator('#frontier .trail').count()).toBe(0);
  for (let lane = 0; lane < LANES.length; lane++) {
    const card = tab.locator('.lane').nth(lane);
    await card.locator('.waiting', { hasText: 'waiting for a key frame' }).waitFor();
    await card.locator('[data-figure="behind"]', { hasText: '–' }).waitFor();
    expect(await colorsOnCanvas(tab, lane)).toBe(1);
  }
});

inChromium('keeps the pictures of paused lanes when a lane is removed, added or moved', async () => {
  const tab = await tabAt(await opened('delay=10ms'));
  await untilPage(tab, ({ lanes }) => lanes.every(({ framesDrawn }) => framesDrawn > 30));
  await tab.keyboard.press('Space');
  const before = (await pageState(tab)).lanes.map(({ framesDrawn }) => framesDrawn);
  await tab.locator('.remove').first().click();
  await untilPage(tab, ({ lanes }) => lanes.length === 2);
  await tab.locator('#add-lane').click();
  await untilPage(tab, ({ lanes }) => lanes.length === 3);
  await tab.setViewportSize({ width: 900, height: 700 });
  const { lanes, state } = await pageState(tab);
  expect(state).toBe('paused');
  expect(lanes.map(({ framesDrawn }) => framesDrawn)).toEqual([before[1], before[2], 0]);
  for (const lane of [0, 1]) expect(await colorsOnCanvas(tab, lane)).toBeGreaterThan(200);
  // The others have not begun again.
  await tab.keyboard.press('Space');
  await untilPage(tab, ({ lanes: [first] }, drawn) => first!.framesDrawn > drawn + 15, before[1]!);
});
