import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page as Tab } from 'playwright-core';
import { expect } from 'vitest';
import { optional } from '../optional.ts';
import { CHROMIUM, HAS_CHROMIUM } from './chromium.ts';

const AXE = join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js');

/** Test with axe-core in Debian's Chromium; skipped and listed where one of them is missing. */
export const withAxe = optional(`axe-core and ${CHROMIUM}`, HAS_CHROMIUM && existsSync(AXE));

interface AxeResult {
  readonly passes: readonly unknown[];
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
}

/** Rules whose result depends on the colors. */
const OF_COLORS = ['color-contrast', 'link-in-text-block'];

/**
 * Returns what axe-core finds without motion, in light and in dark, one line each.
 * @param part selector of the part of the page that is examined; default: all of it.
 */
export async function findings(tab: Tab, part = ':root'): Promise<readonly string[]> {
  if (!(await tab.evaluate('globalThis.axe !== undefined'))) await tab.evaluate(readFileSync(AXE, 'utf8'));
  const found: string[] = [];
  for (const [colorScheme, rules] of [
    ['light', {}],
    ['dark', { runOnly: OF_COLORS }],
  ] as const) {
    await tab.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const options = JSON.stringify({ ...rules, resultTypes: ['violations'] });
    const { passes, violations } = await tab.evaluate<AxeResult>(`axe.run('${part}', ${options})`);
    expect(passes.length).toBeGreaterThan(colorScheme === 'light' ? 10 : 0);
    found.push(
      ...violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${colorScheme}, ${id}: ${html.slice(0, 160)}`)),
    );
  }
  return found;
}
