import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { PageFolders } from '../../io/web-server/page-files.ts';
import { optional } from '../optional.ts';
import { PATIENCE } from '../patience.ts';
import { CHROMIUM, FLAGS, HAS_CHROMIUM } from './chromium.ts';
import { buildPage } from './page-build.ts';

/** Test in Debian's Chromium; skipped and listed where there is none. */
export const inChromium = optional(CHROMIUM, HAS_CHROMIUM);

export interface Browser {
  /** Folders of the compiled page. */
  folders: PageFolders;
  /** Context whose tabs are closed after each test. */
  context: BrowserContext;
}

/** Opens one browser and builds the page once for all tests of a file. */
export function useBrowser(): Browser {
  const browser = {} as Browser;
  let profile: string;
  beforeAll(async () => {
    if (!HAS_CHROMIUM) return;
    browser.folders = await buildPage();
    profile = mkdtempSync(join(tmpdir(), 'dropframe-chromium-'));
    // The page for other devices has a self-made certificate.
    const launch = { executablePath: CHROMIUM, headless: true, args: FLAGS, ignoreHTTPSErrors: true };
    browser.context = await chromium.launchPersistentContext(profile, launch);
    browser.context.setDefaultTimeout(PATIENCE.timeout);
  });
  afterEach(async () => {
    for (const tab of browser.context?.pages() ?? []) await tab.close();
  });
  afterAll(async () => {
    if (!HAS_CHROMIUM) return;
    await browser.context.close();
    rmSync(profile, { recursive: true, force: true });
    rmSync(browser.folders.compiled, { recursive: true });
  });
  return browser;
}
