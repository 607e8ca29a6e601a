import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { PageFolders } from '../../io/page-files.ts';
import { optional } from '../optional.ts';
import { buildPage } from './page-build.ts';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking ' +
  '--disable-component-update --disable-sync';

const present = (() => {
  try {
    accessSync(CHROMIUM, constants.X_OK);
    return true;
  } catch {
    return false;
  }
})();

/** A test in Debian's Chromium. */
export const inChromium = optional(CHROMIUM, present);

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
    if (!present) return;
    browser.folders = buildPage();
    profile = mkdtempSync(join(tmpdir(), 'dropframe-chromium-'));
    const launch = { executablePath: CHROMIUM, headless: true, args: FLAGS.split(' ') };
    browser.context = await chromium.launchPersistentContext(profile, launch);
  }, patienceMs);
  afterEach(async () => {
    for (const tab of browser.context?.pages() ?? []) await tab.close();
  });
  afterAll(async () => {
    if (!present) return;
    await browser.context.close();
    rmSync(profile, { recursive: true, force: true });
    rmSync(browser.folders.compiled, { recursive: true });
  });
  return browser;
}
