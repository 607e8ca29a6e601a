import { expect } from 'vitest';
import { findings, withAxe } from './axe.ts';
import { decided, opened, tabAt, untilPage } from './lane-tab.ts';

withAxe('axe-core finds nothing on the page, in light and in dark', async () => {
  const tab = await tabAt(await opened('loss=4% delay=20ms'));
  await untilPage(tab, ({ lanes }) => lanes.every(({ figures }) => decided(figures) > 60));
  expect(await findings(tab)).toEqual([]);
  // With everything that can be opened.
  await tab.locator('.more').first().click();
  await tab.keyboard.press('1');
  await tab.keyboard.press('ArrowLeft');
  await tab.locator('#details-body tr').first().waitFor();
  await tab.locator('#menu-button').click();
  await tab.locator('#link').evaluate((field) => {
    (field as unknown as { value: string }).value = 'nonsense';
    field.dispatchEvent(new Event('change'));
  });
  await tab.locator('#message').getByText('invalid link').waitFor();
  expect(await findings(tab)).toEqual([]);
  await tab.keyboard.press('Escape');
  await tab.keyboard.press('?');
  await tab.locator('#glossary').waitFor();
  expect(await findings(tab)).toEqual([]);
  await tab.keyboard.press('Escape');
  await tab.keyboard.press('q');
  await tab.locator('#stop-dialog').waitFor();
  expect(await findings(tab)).toEqual([]);
});
