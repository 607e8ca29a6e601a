import { join } from 'node:path';
import type { Page as Tab } from 'playwright-core';
import { expect } from 'vitest';
import { openMediaSource } from '../../io/sources/open-source.ts';
import { inChromium } from './browser.ts';
import { LANES, opened, SAMPLES, tabAt, untilPage } from './lane-tab.ts';

const FLASHES = join(SAMPLES, 'flash.mp4');

interface LaneSoundState {
  readonly state: string;
  readonly lane?: number;
  readonly heardUs?: number;
  readonly peak?: number;
  /** Units of sound in the strip, of each lane. */
  readonly sounds: readonly number[];
  readonly peaks: readonly number[];
}

const soundOf = (tab: Tab): Promise<LaneSoundState> =>
  tab.evaluate<LaneSoundState>(`(() => {
    const { state, lane, heardUs, report } = dropframe.sound;
    const { lanes } = dropframe;
    return { state, lane, heardUs, peak: report?.peak, sounds: lanes.map((one) => one.sounds), peaks: lanes.map((one) => one.soundPeak) };
  })()`);

async function untilHeard(tab: Tab, condition: (sound: LaneSoundState) => boolean): Promise<LaneSoundState> {
  for (;;) {
    const sound = await soundOf(tab);
    if (condition(sound)) return sound;
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

/** Opens the lanes of the clip with a flash and a beep each second. */
const openedWithSound = async (link: string) =>
  opened(link, {
    source: {
      name: 'flash.mp4',
      media: await openMediaSource(FLASHES, { encode: 'copy', bitrate: 2_000_000, gop: 30, sound: {}, warn: () => {} }),
    },
    inputs: new Map([['flash.mp4', FLASHES]]),
  });

inChromium('plays the sound of one lane, chosen by its button or by a key, and none before', async () => {
  const tab = await tabAt(await openedWithSound('delay=20ms'));
  await untilPage(tab, ({ lanes }) => lanes.every(({ framesDrawn }) => framesDrawn > 5));
  const muted = await untilHeard(tab, ({ sounds }) => sounds.every((units) => units > 10));
  expect(muted).toMatchObject({ state: 'ready' });
  expect(muted.lane ?? muted.heardUs).toBeUndefined();
  // The meters of all lanes show the beep, also while nothing is heard.
  await untilHeard(tab, ({ peaks }) => peaks.every((peak) => peak > 0.05));
  await tab.locator('.speaker').nth(1).click();
  const { heardUs, lane } = await untilHeard(tab, (sound) => sound.heardUs !== undefined);
  await untilHeard(tab, (sound) => (sound.heardUs ?? 0) > heardUs! + 1e6);
  await untilHeard(tab, ({ peak }) => (peak ?? 0) > 0.05);
  expect(await tab.locator('.speaker[aria-pressed="true"]').count()).toBe(1);
  await tab.keyboard.press('3');
  await untilHeard(tab, (sound) => sound.lane !== lane && sound.heardUs !== undefined);
  expect(await tab.locator('.speaker').nth(2).getAttribute('aria-pressed')).toBe('true');
  await tab.keyboard.press('m');
  expect(await untilHeard(tab, (sound) => sound.lane === undefined)).toMatchObject({ state: 'ready' });
  await tab.keyboard.press('m');
  await tab.locator('.speaker').nth(2).and(tab.locator('[aria-pressed="true"]')).waitFor();
});

inChromium('shows what became of the sound of each lane, and keeps its cards in one screen', async () => {
  const tab = await tabAt(await openedWithSound('loss=20% delay=20ms seed=1'));
  await tab.setViewportSize({ width: 1_280, height: 720 });
  await untilPage(tab, ({ lanes }) => (lanes[0]?.figures?.sound?.unitsLost ?? 0) > 5);
  await tab.locator('.concealed[data-tone="bad"]').first().waitFor();
  expect(await tab.locator('.concealed').first().textContent()).toMatch(/^[\d.]+.m?s missing$/);
  expect(await tab.evaluate('document.documentElement.scrollHeight')).toBe(720);
  const outside = await tab.evaluate<string[]>(`[...document.querySelectorAll('.lane')].flatMap((lane) => {
    const { bottom } = lane.getBoundingClientRect();
    return [...lane.querySelectorAll('.card > *')].filter((part) => part.getBoundingClientRect().bottom > bottom + 0.5)
      .map((part) => part.className);
  })`);
  expect(outside).toEqual([]);
});

inChromium('shows no speaker for a source without sound', async () => {
  const tab = await tabAt(await opened('delay=20ms'));
  await untilPage(tab, ({ lanes }) => lanes.every(({ framesDrawn }) => framesDrawn > 0));
  expect(await soundOf(tab)).toMatchObject({ state: 'none' });
  expect(await tab.locator('.speaker:visible').count()).toBe(0);
  expect(await tab.locator('.sound:visible, .sound-strip:visible').count()).toBe(0);
  expect(LANES).toHaveLength(await tab.locator('.lane').count());
});
