import type { Page as Tab } from 'playwright-core';
import { expect } from 'vitest';
import { inChromium } from './browser.ts';
import { opened, PATIENCE_MS, pageState, tabAt, untilPage } from './lane-tab.ts';

inChromium(
  'the settings stand in the address and survive a reload, even on a server that was started anew',
  async () => {
    const first = await opened('delay=10ms');
    const tab = await tabAt(first);
    await tab.locator('.lane').nth(0).locator('.strategy').selectOption('nack');
    await tab.locator('#preset').selectOption('satellite');
    await untilPage(tab, ({ settings }) => settings?.lanes[0]?.recovery === 'nack' && settings.link.includes('600ms'));
    const { hash } = new URL(tab.url());
    await tab.reload();
    await untilPage(tab, ({ settings }) => settings?.lanes[0]?.recovery === 'nack' && settings.link.includes('600ms'));
    const second = await opened('delay=10ms');
    await tab.goto(`${second.url}${hash}`);
    await untilPage(tab, ({ settings }) => settings?.lanes[0]?.recovery === 'nack' && settings.link.includes('600ms'));
    expect(new URL(tab.url()).hash).toBe(hash);
  },
  PATIENCE_MS,
);

inChromium(
  'a link that is refused is said to who asked, the controls show what runs, and the next good one ends the message',
  async () => {
    const show = await opened('loss=1% delay=10ms');
    const other = await tabAt(show);
    const tab = await tabAt(show);
    // Every preset is possible: on its way this one is made impossible.
    await tab.evaluate(`{
      const { send } = WebSocket.prototype;
      WebSocket.prototype.send = function (text) { send.call(this, text.replace('step=frame', 'step=nobody')); };
    }`);
    await tab.locator('#preset').selectOption('tambur');
    await message(tab).getByText('this link cannot be read').waitFor();
    expect(await tab.locator('#preset').inputValue()).toBe('');
    expect(await tab.locator('#link').inputValue()).toBe('loss=1% delay=10ms seed=1');
    await tab.locator('#preset').selectOption('satellite');
    await message(tab).waitFor({ state: 'hidden' });
    expect(await tab.locator('#preset').inputValue()).toBe('satellite');
    await untilPage(other, ({ settings }) => settings?.link.includes('600ms') === true);
    expect(await message(other).textContent()).toBe('');
    await tab.locator('#preset').selectOption('my own');
    expect(await tab.locator('#preset').inputValue()).toBe('satellite');
  },
  PATIENCE_MS,
);

for (const [what, hash, words] of [
  ['a lane that nobody knows', '#lanes=none.200,bogus.200&link=loss%3D9%25', 'lane 2 asks for “bogus”'],
  ['a source that is not there', '#source=film.mp4&link=loss%3D9%25', 'there is no source “film.mp4”'],
  ['an impossible link', '#lanes=none.200&link=loss%3D200%25', 'this link cannot be read'],
  [
    'a latency beyond the limit',
    '#lanes=none.60001',
    '“60001”, which is no whole number of milliseconds from 0 to 60000',
  ],
] as const) {
  inChromium(
    `an address with ${what} is said to be so, and nothing of it is used`,
    async () => {
      const show = await opened('loss=1% delay=10ms');
      const before = { lanes: show.summary.lanes.map(({ settings }) => settings), link: show.summary.link };
      const tab = await tabAt(show, hash);
      await message(tab).getByText('Nothing of this address is used').getByText(words).waitFor();
      const { settings } = await pageState(tab);
      expect({ lanes: settings!.lanes, link: settings!.link }).toEqual(before);
      expect({ lanes: show.summary.lanes.map((lane) => lane.settings), link: show.summary.link }).toEqual(before);
      expect(new URL(tab.url()).hash).not.toBe(hash);
      await tab.locator('#preset').selectOption('satellite');
      await message(tab).waitFor({ state: 'hidden' });
    },
    PATIENCE_MS,
  );
}

inChromium(
  'a link that only a command line can ask for survives a reload, and no knob says what it is not',
  async () => {
    const tab = await tabAt(await opened('netem="loss 1% delay 30ms"'));
    await tab.reload();
    await untilPage(tab, ({ state, settings }) => state === 'live' && settings?.link.startsWith('netem=') === true);
    expect(await message(tab).isVisible()).toBe(false);
    const delay = tab.locator('[name="delay"]');
    expect([await delay.isDisabled(), await delay.getAttribute('aria-valuetext')]).toEqual([true, '–']);
    await tab.locator('#preset').selectOption('satellite');
    await untilPage(tab, ({ settings }) => settings?.link.includes('600ms') === true);
    expect([await delay.isDisabled(), await delay.getAttribute('aria-valuetext')]).toEqual([false, '600\u00a0ms']);
  },
  PATIENCE_MS,
);

inChromium(
  'a knob says what the link is, also beyond its end and between its steps',
  async () => {
    const tab = await tabAt(await opened('loss=0.2% delay=600ms rate=50kbit'));
    const said = (name: string) => tab.locator(`[name="${name}"]`).getAttribute('aria-valuetext');
    expect([await said('loss'), await said('delay'), await said('rate')]).toEqual([
      '0.2\u00a0%',
      '600\u00a0ms',
      '0.05\u00a0Mb/s',
    ]);
  },
  PATIENCE_MS,
);

inChromium(
  'everything that can be worked has a name for a screen reader',
  async () => {
    const tab = await tabAt(await opened('delay=10ms'));
    const nameless = await tab.evaluate<string[]>(`[...document.querySelectorAll('button, select, input, a, .timeline')]
      .filter((part) => !part.ariaLabel && !part.labels?.[0]?.textContent.trim() && !part.textContent.trim())
      .map((part) => part.outerHTML)`);
    expect(nameless).toEqual([]);
    expect(await tab.getByRole('slider', { name: 'Delay' }).getAttribute('aria-valuetext')).toBe('10\u00a0ms');
  },
  PATIENCE_MS,
);

const message = (tab: Tab) => tab.locator('#message');
