import { join } from 'node:path';
import { expect } from 'vitest';
import { loadAvLibrary } from '../../io/encoder/av-library.ts';
import { openMediaSource } from '../../io/sources/open-source.ts';
import { optional } from '../optional.ts';
import { inChromium } from './browser.ts';
import { CHROMIUM, HAS_CHROMIUM } from './chromium.ts';
import { colorsOnCanvas, decided, LANE, opened, SAMPLES, tabAt, untilPage } from './lane-tab.ts';

const lanes = [LANE, { ...LANE, follows: true }];
const withEncoder = optional(`node-av and ${CHROMIUM}`, HAS_CHROMIUM && (await loadAvLibrary()) !== undefined);

withEncoder('shows a lane whose source follows the path, with its target and the size of its picture', async () => {
  const follow = { bitrateMin: 100_000, bitrateMax: 2_000_000, prefer: true };
  const openFollowed = (input: string) =>
    openMediaSource(input, { encode: 'auto', bitrate: 500_000, gop: 30, follow, warn: () => {} });
  const inputs = new Map([['counter.mp4', join(SAMPLES, 'counter.mp4')]]);
  const tab = await tabAt(await opened('delay=20ms rate=1mbit queue=300ms', { lanes, openFollowed, inputs }));
  await untilPage(tab, ({ lanes: [, adaptive] }) => decided(adaptive?.figures) > 90 && adaptive!.framesDrawn > 30);
  expect(await colorsOnCanvas(tab, 1)).toBeGreaterThan(8);
  await tab.getByText(/^\d\.\d\d.Mb\/s, \d+.×.\d+/).waitFor();
  const points = (await tab.locator('#rates .target').getAttribute('points')) ?? '';
  expect(points.split(' ').length).toBeGreaterThan(3);
  expect(await tab.locator('#rates').getAttribute('aria-label')).toMatch(/^the link carries 1\.00/);
});

inChromium('a lane without an encoder says in one line why it is not there', async () => {
  const tab = await tabAt(
    await opened('delay=20ms', { lanes, openFollowed: async () => 'no encoder on this machine' }),
  );
  await tab.locator('.waiting', { hasText: 'no encoder on this machine' }).waitFor();
  await untilPage(tab, ({ lanes: [fixed] }) => decided(fixed?.figures) > 30);
  // Another recovery in its place needs no encoder.
  await tab.locator('.strategy').nth(1).selectOption('nack');
  await untilPage(tab, ({ lanes: [, other] }) => decided(other?.figures) > 30);
  expect(await tab.locator('.waiting', { hasText: 'no encoder' }).count()).toBe(0);
});
