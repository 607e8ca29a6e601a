import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { PageFolders } from '../../io/web-server/page-files.ts';
import { optional } from '../optional.ts';
import { CHROMIUM, FLAGS, HAS_CHROMIUM } from './chromium.ts';
import { buildPage } from './page-build.ts';

/** A test in Debian's Chromium. */
export const inChromium = optional(CHROMIUM, HAS_CHROMIUM);

export interface Browser {
  /** The page, compiled. */
  folders: PageFolders;
  /** Its tabs are closed after each test. */
  context: BrowserContext;
}

/** One browser and one build of the page for all tests of a file; both are there once a test runs. */
export function useBrowser(patienceMs: number): Browser {
  const browser = {} as Browser;
  let profile: string;
  beforeAll(async () => {
    if (!HAS_CHROMIUM) return;
    browser.folders = buildPage();
    profile = mkdtempSync(join(tmpdir(), 'dropframe-chromium-'));
    const launch = { executablePath: CHROMIUM, headless: true, args: FLAGS };
    browser.context = await chromium.launchPersistentContext(profile, launch);
  }, patienceMs);
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
