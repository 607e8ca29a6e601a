import { afterEach, expect } from 'vitest';
import { optional } from '../optional.ts';
import { PATIENCE } from '../patience.ts';
import { FIREFOX, FirefoxTab, HAS_FIREFOX } from './firefox.ts';
import { decided, LANES, opened, type PageState } from './lane-tab.ts';

const inFirefox = optional(FIREFOX, HAS_FIREFOX);
const tabs: FirefoxTab[] = [];
afterEach(async () => {
  for (const tab of tabs.splice(0)) await tab.close();
});

inFirefox('shows the lanes, pauses, changes the network and asks before it stops', async () => {
  let ended = false;
  const onEnd = () => {
    ended = true;
  };
  const show = await opened('loss=4% delay=20ms', { pageListen: { host: '0.0.0.0', port: 0 }, onEnd });
  const tab = await FirefoxTab.open(1_280, 720);
  tabs.push(tab);
  await tab.goto(`${show.url}?tour=off`);
  const page = await untilPage(tab, ({ lanes }) => lanes.length === LANES.length && lanes.every(isShown));
  expect(page.state).toBe('live');
  const colors = await tab.evaluate<number>(COLORS);
  expect(colors).toBeGreaterThan(200);

  await tab.press(' ');
  await untilPage(tab, ({ state }) => state === 'paused');
  const paused = (await stateOf(tab)).lanes.map(({ framesDrawn }) => framesDrawn);
  await tab.press(' ');
  await untilPage(tab, ({ state, lanes }) => state === 'live' && lanes[1]!.framesDrawn > paused[1]! + 15);

  await tab.evaluate(`(() => {
    const link = document.querySelector('#link');
    link.value = 'loss=1% delay=10ms';
    link.dispatchEvent(new Event('change'));
  })()`);
  await untilPage(tab, ({ settings }) => settings?.link.includes('loss=1%') === true);
  await tab.evaluate(`document.querySelector('#drop').click()`);

  // The same by HTTPS, with the token.
  await tab.goto(`${show.invitation!.urls[0]!}&tour=off`);
  await untilPage(tab, ({ state, lanes }) => state === 'live' && lanes.length > 0 && lanes.every(isShown));
  expect(await tab.evaluate('location.href')).not.toContain('token');

  await tab.press('q');
  expect([await tab.evaluate(`document.querySelector('#stop-dialog').open`), ended]).toEqual([true, false]);
  await tab.evaluate(`document.querySelector('#stop-now').click()`);
  while (!ended) await new Promise((resolve) => setTimeout(resolve, 40));
});

inFirefox('says in one sentence that WebCodecs is missing, where it is turned off', async () => {
  const show = await opened('delay=10ms');
  const tab = await FirefoxTab.open(390, 844, { 'dom.media.webcodecs.enabled': false });
  tabs.push(tab);
  await tab.goto(`${show.url}?tour=off`);
  await untilPage(tab, ({ state }) => state === 'unable');
  expect(await tab.evaluate(`document.querySelector('#message').textContent`)).toContain(
    'This browser cannot decode the stream',
  );
  const waiting = () => tab.evaluate(`document.querySelector('.waiting')?.textContent`);
  await expect.poll(waiting, PATIENCE).toBe('this browser has no decoder for it');
});

const isShown = ({ framesDrawn, figures }: PageState['lanes'][number]): boolean =>
  framesDrawn > 15 && decided(figures) > 30;

const stateOf = (tab: FirefoxTab): Promise<PageState> =>
  tab.evaluate(
    `(({ state, settings, skips, lanes } = { lanes: [] }) => ({ state, settings, skips, lanes }))(globalThis.dropframe)`,
  );

async function untilPage(tab: FirefoxTab, condition: (page: PageState) => boolean): Promise<PageState> {
  for (;;) {
    const page = await stateOf(tab);
    if (condition(page)) return page;
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

/** Number of distinct colors in a sample of the second lane's canvas. */
const COLORS = `(() => {
  const canvas = document.querySelectorAll('.video')[1];
  const pixels = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return new Set(pixels.filter((_, index) => index % 97 === 0)).size;
})()`;
