import { expect } from 'vitest';
import { LANE_STRATEGIES } from '../../web/lanes/lane-style.ts';
import { inChromium } from './browser.ts';
import { nextFrame, opened, pageState, tabAt, untilPage } from './lane-tab.ts';

inChromium('pauses with the space bar whatever was clicked before, and never presses the clicked control', async () => {
  let drops = 0;
  const show = await opened('delay=10ms');
  const { handleCommand } = show;
  show.handleCommand = (command, reply) => {
    if (command.kind === 'drop') drops++;
    handleCommand.call(show, command, reply);
  };
  const tab = await tabAt(show);
  for (const [index, clicked] of ['#drop', '#pause', '#preset', '.timeline', '#knob-loss'].entries()) {
    const before = (await pageState(tab)).state;
    if (clicked === '#preset') await tab.locator(clicked).focus();
    else await tab.locator(clicked).first().click();
    const after = clicked === '#pause' ? (await pageState(tab)).state : before;
    await tab.keyboard.press('Space');
    const expected = after === 'paused' ? 'live' : 'paused';
    expect([index, (await pageState(tab)).state]).toEqual([index, expected]);
  }
  await untilPage(tab, () => drops > 0);
  expect(drops).toBe(1);
});

inChromium('disables the controls once the server has gone, and names the command that starts it', async () => {
  const first = await opened('delay=10ms', { command: 'npm start -- film.mp4' });
  const tab = await tabAt(first);
  expect(await tab.locator('#drop').isDisabled()).toBe(false);
  await first.close();
  await tab.locator('#message').getByText('npm start -- film.mp4').waitFor();
  await untilPage(tab, ({ state }) => state === 'ended' || state === 'gone');
  // The page draws once a frame of the display, up to which the state is ahead of the controls.
  await tab.locator('#drop:disabled').waitFor();
  for (const control of ['#drop', '#freeze', '#source', '#stop', '#link', '.strategy', '.latency']) {
    expect([control, await tab.locator(control).first().isDisabled()]).toEqual([control, true]);
  }
  // Verdicts and lesson do not pretend that the lanes still play.
  const before = () => tab.evaluate<string>("getComputedStyle(document.querySelector('.verdict'), '::before').content");
  expect(await before()).toBe('"Last: "');
  await tab.locator('#lesson', { hasText: 'The server is gone.' }).waitFor();
  await opened('delay=10ms', { pagePort: Number(new URL(first.url).port) });
  await untilPage(tab, ({ state }) => state === 'live');
  expect(await tab.locator('#drop').isDisabled()).toBe(false);
  expect(await before()).toBe('none');
  await tab.locator('#lesson', { hasNotText: 'The server is gone.' }).waitFor();
});

inChromium('forgets a lane that is removed while the page is paused, in the charts and in the lesson', async () => {
  const tab = await tabAt(await opened('loss=4% delay=30ms'));
  const [points, lines] = [tab.locator('#frontier .trail'), tab.locator('#rates .delivered')];
  while ((await points.count()) < 3 || (await lines.count()) < 3) await nextFrame(tab);
  await tab.locator('#lesson', { hasText: 'TCP' }).waitFor();
  await tab.keyboard.press('Space');
  await untilPage(tab, ({ state }) => state === 'paused');
  await tab.locator('.lane').nth(2).locator('.remove').click();
  await untilPage(tab, ({ lanes }) => lanes.length === 2);
  expect([await points.count(), await lines.count()]).toEqual([2, 2]);
  expect(await tab.locator('#lesson').textContent()).not.toContain('TCP');
});

inChromium('explains every strategy, and the words of the network, in a dialog', async () => {
  const tab = await tabAt(await opened('delay=10ms'));
  await tab.locator('#explain').click();
  const terms = (await tab.locator('#glossary dt').allTextContents()).join(' ').toLowerCase().split(/[ ,]+/);
  const strategies = LANE_STRATEGIES.map(({ name }) => name.replace('tcp-', ''));
  expect(terms).toEqual(expect.arrayContaining([...strategies, 'udp', 'tcp', 'packet', 'jitter', 'burst']));
});
