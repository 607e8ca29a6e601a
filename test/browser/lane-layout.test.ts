import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page as Tab } from 'playwright-core';
import { expect } from 'vitest';
import { openMediaSource } from '../../io/sources/open-source.ts';
import { inChromium } from './browser.ts';
import { decided, LANE, LANES, opened, SAMPLES, tabAt, untilPage } from './lane-tab.ts';

const CITY = { encode: 'copy', bitrate: 2_000_000, gop: 30, sound: {} } as const;
/** The lanes of `npm start`. */
const FOUR = [...LANES.slice(0, 2), { ...LANE, follows: true }, ...LANES.slice(2)];

for (const [width, height] of [
  [390, 844],
  [1280, 720],
  [1920, 1080],
  [2560, 1440],
] as const) {
  inChromium(`at ${width} × ${height} nothing overflows the window or overlaps, in light and in dark`, async () => {
    const tab = await tabAt(await opened('loss=4% burst=2 delay=20ms', { lanes: FOUR }));
    await tab.setViewportSize({ width, height });
    await untilPage(tab, ({ lanes }) => lanes.every(({ framesDrawn }, lane) => framesDrawn > 0 || FOUR[lane]!.follows));
    await untilPage(tab, ({ lanes }) => decided(lanes.at(-1)?.figures) > 60);
    for (const colorScheme of ['light', 'dark'] as const) {
      await tab.emulateMedia({ colorScheme });
      expect(await tab.evaluate('document.documentElement.scrollWidth')).toBe(width);
      const wide = await tab.evaluate<string[]>(`[...document.querySelectorAll('.figures dd')]
          .filter((cell) => cell.scrollWidth > cell.clientWidth + 1).map((cell) => cell.textContent)`);
      expect(wide).toEqual([]);
      expect(await overlaps(tab)).toEqual([]);
      expect(await cutTexts(tab)).toEqual([]);
      // Only the lane without an encoder says why it shows nothing.
      expect(await tab.locator('.waiting:visible').count()).toBe(1);
    }
    // A paused page keeps its verdicts: the longest one has room, too.
    await tab.keyboard.press('Space');
    await untilPage(tab, ({ state }) => state === 'paused');
    await tab.evaluate(`for (const verdict of document.querySelectorAll('.verdict'))
      verdict.textContent = 'With gaps, 888\u00a0ms late, catching up'`);
    expect(await cutTexts(tab)).toEqual([]);
    if (width > 1_000) expect(await tab.evaluate('document.documentElement.scrollHeight')).toBe(height);
  });
}

inChromium(
  'at 390 × 844 the pictures and verdicts of all four lanes are visible together, with sound too',
  async () => {
    const media = await openMediaSource(join(SAMPLES, 'city.mp4'), { ...CITY, warn: () => {} });
    const tab = await tabAt(await opened('loss=4% delay=20ms', { lanes: FOUR, source: { name: 'city.mp4', media } }));
    await tab.setViewportSize({ width: 390, height: 844 });
    await tab.locator('.verdict', { hasText: 'On time' }).first().waitFor();
    await tab.locator('.speaker').first().waitFor();
    const bottoms = await tab.evaluate<number[]>(`[...document.querySelectorAll('.screen, .verdict')]
      .map((part) => part.getBoundingClientRect().bottom)`);
    expect(bottoms.length).toBe(8);
    expect(Math.max(...bottoms)).toBeLessThanOrEqual(844);
    // Nothing is below the picture and the figures beside it.
    const holes = await tab.evaluate<number[]>(`[...document.querySelectorAll('.card')].map((card) => {
    const bottom = (part) => part.getBoundingClientRect().bottom;
    return bottom(card) - Math.max(...[...card.querySelectorAll('.screen, .hero-row')].map(bottom));
  })`);
    expect(Math.max(...holes)).toBeLessThan(12);
  },
);

for (const [width, height] of [
  [390, 844],
  [1280, 720],
] as const) {
  inChromium(`at ${width} × ${height} a tour does not move the lanes`, async () => {
    const tab = await tabAt(await opened('delay=20ms', { lanes: FOUR }));
    await tab.setViewportSize({ width, height });
    const top = () => tab.evaluate<number>("document.getElementById('lanes').getBoundingClientRect().top");
    const before = await top();
    await tab.locator('#menu-button').click();
    await tab.locator('#tour').click();
    for (const scene of ['1 of 6', '2 of 6']) {
      await tab.locator('#lesson', { hasText: scene }).waitFor();
      expect([scene, await top()]).toEqual([scene, before]);
    }
  });
}

inChromium('at 844 × 390 the pictures, verdicts and first figures of all four lanes are visible together', async () => {
  const tab = await tabAt(await opened('loss=4% delay=20ms', { lanes: FOUR }));
  await tab.setViewportSize({ width: 844, height: 390 });
  await tab.locator('.verdict', { hasText: 'On time' }).first().waitFor();
  const bottoms = await tab.evaluate<number[]>(`[...document.querySelectorAll('.screen, .verdict, .hero')]
    .map((part) => part.getBoundingClientRect().bottom)`);
  expect(bottoms.length).toBe(12);
  expect(Math.max(...bottoms)).toBeLessThanOrEqual(390);
  expect(await overlaps(tab)).toEqual([]);
  expect(await cutTexts(tab)).toEqual([]);
});

for (const [width, height, lanes, least] of [
  [390, 844, FOUR.slice(0, 1), 340],
  [390, 844, FOUR.slice(0, 2), 340],
  [2_560, 1_440, FOUR, 700],
] as const) {
  inChromium(`at ${width} × ${height} the pictures of ${lanes.length} lanes are at least ${least} wide`, async () => {
    const tab = await tabAt(await opened('delay=20ms', { lanes }));
    await tab.setViewportSize({ width, height });
    const widths = await tab.evaluate<number[]>(`[...document.querySelectorAll('.screen')]
      .map((place) => place.getBoundingClientRect()).map((box) => Math.min(box.width, (box.height * 16) / 9))`);
    expect(widths.length).toBe(lanes.length);
    expect(Math.min(...widths)).toBeGreaterThanOrEqual(least);
    const bottoms = await tab.evaluate<number[]>(
      `[...document.querySelectorAll('.verdict')].map((verdict) => verdict.getBoundingClientRect().bottom)`,
    );
    expect(Math.max(...bottoms)).toBeLessThanOrEqual(height);
  });
}

inChromium('at 1280 × 720 a single lane fills its card', async () => {
  const tab = await tabAt(await opened('delay=20ms', { lanes: [LANE] }));
  await tab.setViewportSize({ width: 1_280, height: 720 });
  await untilPage(tab, ({ lanes }) => lanes[0]!.framesDrawn > 0);
  const { width, height } = (await tab.locator('.screen').boundingBox())!;
  // The picture is 16 : 9, in the middle of its place.
  expect(Math.min(width, (height * 16) / 9)).toBeGreaterThan(600);
  expect(await tab.evaluate('document.documentElement.scrollHeight')).toBe(720);
});

for (const lanes of [LANES.slice(1), LANES, FOUR]) {
  inChromium(
    `at 1280 × 720 everything is visible without scrolling with ${lanes.length} lanes, frame details included`,
    async () => {
      const tab = await tabAt(await opened('loss=4% burst=2 delay=20ms', { lanes }));
      await tab.setViewportSize({ width: 1_280, height: 720 });
      await untilPage(tab, ({ lanes }) => decided(lanes.at(-1)?.figures) > 60);
      expect(await tab.evaluate('document.documentElement.scrollHeight')).toBe(720);
      await tab.keyboard.press('1');
      await tab.keyboard.press('ArrowLeft');
      await tab.locator('#details-body tr').first().waitFor();
      expect(await tab.evaluate('document.documentElement.scrollHeight')).toBe(720);
      // Neither a long source name nor a 4:3 video makes the page taller.
      const buffer = readFileSync(join(SAMPLES, 'counter.h264'));
      await tab.locator('#file').setInputFiles({ name: `${'long-'.repeat(12)}.h264`, mimeType: 'video/h264', buffer });
      await untilPage(tab, ({ settings }) => settings?.source.startsWith('long-') === true);
      await tab.evaluate(`document.body.style.setProperty('--picture-ratio', '4 / 3')`);
      expect(await tab.evaluate('document.documentElement.scrollHeight')).toBe(720);
    },
  );
}

/** Width of a menu's arrow and of what surrounds its text, pixels. */
const ARROW_PX = 20;

/** Returns the texts that have less room than they need; of the menu of a lane, any of its names. */
const cutTexts = (tab: Tab): Promise<string[]> =>
  tab.evaluate<string[]>(`(() => {
    const context = document.createElement('canvas').getContext('2d');
    const visible = (parts) => [...document.querySelectorAll(parts)].filter((part) => part.checkVisibility());
    const hasText = (part) => [...part.childNodes].some(({ nodeType, data }) => nodeType === 3 && data.trim() !== '');
    const menus = visible('select').flatMap((menu) => {
      const { font, paddingLeft, paddingRight } = getComputedStyle(menu);
      context.font = font;
      const room = menu.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight) - ${ARROW_PX};
      const shown = menu.matches('.strategy') ? [...menu.options].filter(({ disabled }) => !disabled) : [...menu.selectedOptions];
      return shown.map(({ text }) => text).filter((text) => context.measureText(text).width > room);
    });
    const words = visible('body *:not(.visually-hidden, svg *, option)')
      .filter((part) => hasText(part) && part.clientWidth > 0 && part.scrollWidth > part.clientWidth + 1)
      .map((part) => part.textContent.trim());
    const charts = visible('svg text').filter((part) => {
      const [inner, outer] = [part, part.ownerSVGElement].map((each) => each.getBoundingClientRect());
      return inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1;
    }).map((part) => part.textContent);
    return [...menus, ...words, ...charts];
  })()`);

/** Returns the pairs of page elements that overlap. */
const overlaps = (tab: Tab): Promise<string[]> =>
  tab.evaluate<
    string[]
  >(`['body > :not(#messages)', '#tools > *', '#stage > *', '.actions > *', '.card > *', '.card > header > *', '.hero-row > *', '.figures > *', '.settings > *', '#panels > *',
    '#network > *', '#network header > *', '#sliders > *', '#keep > *', '#rates-panel > *', '#frontier-panel > *', '.screen > p:not(.waiting)', '#details > *'].flatMap((parts) => {
    const boxes = [...document.querySelectorAll(parts)]
      .map((part) => ({ name: parts + ' ' + (part.id || part.className || part.textContent.slice(0, 20)), ...part.getBoundingClientRect().toJSON() }))
      .filter(({ width, height }) => width > 1 && height > 1);
    return boxes.flatMap((one, index) => boxes.slice(index + 1)
      .filter((other) => Math.min(one.right, other.right) - Math.max(one.left, other.left) > 0.5
        && Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 0.5)
      .map((other) => one.name + ' | ' + other.name));
  })`);
