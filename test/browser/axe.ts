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

/** Returns what axe-core finds, one line each. */
export async function findings(tab: Tab): Promise<readonly string[]> {
  await tab.evaluate(readFileSync(AXE, 'utf8'));
  const { passes, violations } = await tab.evaluate<AxeResult>('axe.run()');
  expect(passes.length).toBeGreaterThan(10);
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}
