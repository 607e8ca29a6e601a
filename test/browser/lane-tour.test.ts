import { expect } from 'vitest';
import { inChromium } from './browser.ts';
import { browser, inTab, opened, untilPage } from './lane-tab.ts';

/** A scene ends when the test says so: on a busy machine a shorter one would be over before it was looked at. */
const HELD_SCENES = `
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (call, after, ...more) => {
    if (after !== 10_000 && after !== 3_500) return setTimeout(call, after, ...more);
    globalThis.endScene = () => call(...more);
    globalThis.sceneMs = after;
    return setTimeout(() => {}, 2 ** 31 - 1);
  };`;

inChromium(
  'plays a guided minute at the first visit, which can be skipped, and returns to the network of before',
  async () => {
    const show = await opened('loss=1% delay=10ms');
    await browser.context.addInitScript(HELD_SCENES);
    const tab = await inTab(show.url);
    await tab.locator('#lesson', { hasText: '1 of 6: A clean network' }).waitFor();
    await untilPage(tab, ({ settings }) => settings?.link === 'delay=30ms seed=1');
    // The next scene, with losses, begins early enough to be understood within ten seconds.
    expect(await tab.evaluate('sceneMs')).toBe(3_500);
    await tab.evaluate('endScene()');
    await tab.locator('#lesson', { hasText: '2 of 6: Now 4 of 100 packets are lost' }).waitFor();
    expect(await tab.evaluate('sceneMs')).toBe(10_000);
    await untilPage(tab, ({ settings }) => settings?.link.startsWith('loss=4%') === true);
    await tab.locator('#tour-skip').click();
    await untilPage(tab, ({ settings }) => settings?.link === 'loss=1% delay=10ms seed=1');
    await tab.locator('#lesson', { hasNotText: 'of 6' }).waitFor();
    expect(await tab.locator('#tour-skip').isVisible()).toBe(false);
    // It was seen: the second visit is not a first one.
    const again = await inTab(show.url);
    await untilPage(again, ({ lanes }) => lanes.length === 3 && lanes.every(({ framesDrawn }) => framesDrawn > 15));
    expect(await again.locator('#tour-skip').isVisible()).toBe(false);
    // A user who changes the network has taken over.
    await again.locator('#menu-button').click();
    await again.locator('#tour').click();
    await again.locator('#lesson', { hasText: '1 of 6' }).waitFor();
    await again.locator('#preset').selectOption('fibre');
    await untilPage(again, ({ settings }) => settings?.link === 'delay=5ms seed=1');
    expect(await again.locator('#tour-skip').isVisible()).toBe(false);
    // Neither a copy of the address nor a reload starts a tour that was asked for again.
    const asked = await inTab(`${show.url}?tour`);
    await asked.locator('#lesson', { hasText: '1 of 6' }).waitFor();
    expect(new URL(asked.url()).search).toBe('');
  },
);
