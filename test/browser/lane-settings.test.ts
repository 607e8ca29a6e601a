import type { Page as Tab } from 'playwright-core';
import { expect } from 'vitest';
import { inChromium } from './browser.ts';
import { opened, pageState, tabAt, untilPage } from './lane-tab.ts';

inChromium('keeps the settings in the address across a reload and a restarted server', async () => {
  const first = await opened('delay=10ms');
  const tab = await tabAt(first);
  await tab.locator('.lane').nth(0).locator('.strategy').selectOption('nack');
  await tab.locator('#preset').selectOption('satellite');
  await untilPage(tab, ({ settings }) => settings?.lanes[0]?.recovery === 'nack' && settings.link.includes('300ms'));
  const { hash } = new URL(tab.url());
  await tab.reload();
  await untilPage(tab, ({ settings }) => settings?.lanes[0]?.recovery === 'nack' && settings.link.includes('300ms'));
  const second = await opened('delay=10ms');
  await tab.goto(`${second.url}${hash}`);
  await untilPage(tab, ({ settings }) => settings?.lanes[0]?.recovery === 'nack' && settings.link.includes('300ms'));
  expect(new URL(tab.url()).hash).toBe(hash);
});

inChromium(
  'requests its lanes and its network of a restarted server, keeps its address, and forgets the frame of before',
  async () => {
    const first = await opened('delay=10ms');
    const tab = await tabAt(first);
    await tab.locator('.lane').nth(2).locator('.remove').click();
    await tab.locator('#preset').selectOption('fibre');
    await untilPage(tab, ({ settings }) => settings?.lanes.length === 2 && settings.link.startsWith('delay=5ms'));
    await untilPage(tab, ({ lanes }) => lanes.every(({ framesDrawn }) => framesDrawn >= 15));
    const { hash } = new URL(tab.url());
    const help = await tab.locator('#details-body').textContent();
    await tab.keyboard.press('Space');
    await tab.locator('#frame-before').click();
    await tab.locator('#details-body .frame-name').waitFor();
    await tab.keyboard.press('Space');
    await first.close();
    await untilPage(tab, ({ state }) => state === 'ended' || state === 'gone');
    const second = await opened('delay=10ms', { pagePort: Number(new URL(first.url).port) });
    // The page shows the settings of before until the new server has sent its own.
    await untilPage(tab, () => second.summary.link === 'delay=5ms seed=1' && second.summary.lanes.length === 2);
    await untilPage(tab, ({ state, lanes }) => state === 'live' && lanes.length === 2);
    expect(new URL(tab.url()).hash).toBe(hash);
    expect(await tab.locator('#details-body').textContent()).toBe(help);
  },
);

inChromium(
  'reports a refused link only to the tab that asked, shows the link in force, and clears the message with the next valid one',
  async () => {
    const show = await opened('loss=1% delay=10ms');
    const other = await tabAt(show);
    const tab = await tabAt(show);
    // All presets are valid, so this one is made invalid on its way to the server.
    await tab.workers()[0]!.evaluate(`{
      const { send } = WebSocket.prototype;
      WebSocket.prototype.send = function (text) { send.call(this, text.replace('step=frame', 'step=nobody')); };
    }`);
    await tab.locator('#preset').selectOption('tambur');
    await message(tab).getByText('invalid link').waitFor();
    expect(await tab.locator('#preset').inputValue()).toBe('');
    expect(await tab.locator('#link').inputValue()).toBe('loss=1% delay=10ms seed=1');
    await tab.locator('#preset').selectOption('satellite');
    await message(tab).waitFor({ state: 'hidden' });
    expect(await tab.locator('#preset').inputValue()).toBe('satellite');
    await untilPage(other, ({ settings }) => settings?.link.includes('300ms') === true);
    expect(await message(other).textContent()).toBe('');
    await tab.locator('#preset').selectOption('custom');
    expect(await tab.locator('#preset').inputValue()).toBe('satellite');
  },
);

for (const [fault, hash, words] of [
  ['an unknown strategy', '#lanes=none.200,bogus.200&link=loss%3D9%25', 'lane 2 names the strategy “bogus”'],
  ['an unknown source', '#source=film.mp4&link=loss%3D9%25', 'unknown source “film.mp4”'],
  ['an impossible link', '#lanes=none.200&link=loss%3D200%25', 'invalid link'],
  [
    'a latency beyond the limit',
    '#lanes=none.60001',
    '“60001”, which is not a whole number of milliseconds from 0 to 60000',
  ],
] as const) {
  inChromium(`ignores an address with ${fault} as a whole and says why`, async () => {
    const show = await opened('loss=1% delay=10ms');
    const before = { lanes: show.summary.lanes.map(({ settings }) => settings), link: show.summary.link };
    const tab = await tabAt(show, hash);
    await message(tab).getByText('The settings in this address were ignored').getByText(words).waitFor();
    const { settings } = await pageState(tab);
    expect({ lanes: settings!.lanes, link: settings!.link }).toEqual(before);
    expect({ lanes: show.summary.lanes.map((lane) => lane.settings), link: show.summary.link }).toEqual(before);
    expect(new URL(tab.url()).hash).not.toBe(hash);
    await tab.locator('#preset').selectOption('satellite');
    await message(tab).waitFor({ state: 'hidden' });
  });
}

inChromium(
  'keeps a link that only the command line can set across a reload, and shows no value on its sliders',
  async () => {
    const tab = await tabAt(await opened('netem="loss 1% delay 30ms"'));
    await tab.reload();
    await untilPage(tab, ({ state, settings }) => state === 'live' && settings?.link.startsWith('netem=') === true);
    expect(await message(tab).isVisible()).toBe(false);
    const delay = tab.locator('[name="delay"]');
    expect([await delay.isDisabled(), await delay.getAttribute('aria-valuetext')]).toEqual([true, '–']);
    await tab.locator('#preset').selectOption('satellite');
    await untilPage(tab, ({ settings }) => settings?.link.includes('300ms') === true);
    expect([await delay.isDisabled(), await delay.getAttribute('aria-valuetext')]).toEqual([false, '300\u00a0ms']);
  },
);

inChromium("shows the link's value on a slider even beyond its range and between its steps", async () => {
  const tab = await tabAt(await opened('loss=0.2% delay=600ms rate=50kbit'));
  const shown = (name: string) => tab.locator(`[name="${name}"]`).getAttribute('aria-valuetext');
  expect([await shown('loss'), await shown('delay'), await shown('rate')]).toEqual([
    '0.2\u00a0%',
    '600\u00a0ms',
    '0.05\u00a0Mb/s',
  ]);
});

inChromium('names every control for screen readers', async () => {
  const tab = await tabAt(await opened('delay=10ms'));
  const nameless = await tab.evaluate<string[]>(`[...document.querySelectorAll('button, select, input, a, .timeline')]
      .filter((part) => !part.ariaLabel && !part.labels?.[0]?.textContent.trim() && !part.textContent.trim())
      .map((part) => part.outerHTML)`);
  expect(nameless).toEqual([]);
  expect(await tab.getByRole('slider', { name: 'Delay' }).getAttribute('aria-valuetext')).toBe('10\u00a0ms');
});

const message = (tab: Tab) => tab.locator('#message');
