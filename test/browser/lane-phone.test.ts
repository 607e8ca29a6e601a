import { expect } from 'vitest';
import { inChromium } from './browser.ts';
import { browser, inTab, LANE, LANES, opened, pageState, untilPage } from './lane-tab.ts';

/** The lanes of `npm start`. */
const FOUR = [...LANES.slice(0, 2), { ...LANE, follows: true }, ...LANES.slice(2)];
const PHONE = { width: 390, height: 844 };

inChromium('a phone opens the page with the token, decodes its pictures and commands it', async () => {
  const show = await opened('delay=10ms', { lanes: FOUR, pageListen: { host: '0.0.0.0', port: 0 } });
  const [url] = show.invitation!.urls;
  const tab = await inTab(`${url}&tour=off`);
  await tab.waitForURL(({ search }) => !search.includes('token'));
  await tab.setViewportSize(PHONE);
  await untilPage(tab, ({ lanes }) => lanes.filter(({ framesDrawn }) => framesDrawn > 15).length === 3);
  expect(tab.url().startsWith(`${url!.split('?')[0]}?tour=off#lanes=`)).toBe(true);
  // Going back does not bring the token either.
  expect(await tab.evaluate('[isSecureContext, document.cookie, history.length]')).toEqual([true, '', 2]);
  await tab.locator('#link').fill('loss=1% delay=10ms');
  await tab.locator('#link').press('Enter');
  await untilPage(tab, ({ settings }) => settings!.link.includes('loss=1%'));
  expect((await pageState(tab)).state).toBe('live');
  expect(show.viewers).toBe(1);
});

inChromium('another site can neither read the page of other devices nor command it with its cookie', async () => {
  const show = await opened('delay=10ms', { pageListen: { host: '0.0.0.0', port: 0 } });
  const [url] = show.invitation!.urls;
  const [page] = url!.split('?');
  await inTab(url!);
  const foreign = await browser.context.newPage();
  await foreign.route('https://elsewhere.test/', (route) => route.fulfill({ contentType: 'text/html', body: '<p>' }));
  await foreign.goto('https://elsewhere.test/');
  const tried = await foreign.evaluate<string[]>(`(async () => {
    const outcome = (promise) => promise.then(() => 'done', () => 'refused');
    const socket = new WebSocket('${page!.replace('https', 'wss')}lanes');
    const opened = new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = reject; });
    return Promise.all([
      outcome(fetch('${page}summary.json', { credentials: 'include' })),
      outcome(fetch('${page}lab', { method: 'POST', body: '{}', credentials: 'include' }).then(({ ok }) => ok || Promise.reject())),
      outcome(opened),
    ]);
  })()`);
  expect(tried).toEqual(['refused', 'refused', 'refused']);
});
