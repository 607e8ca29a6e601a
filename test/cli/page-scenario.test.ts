import { expect, test } from 'vitest';
import { checkPageScenario } from '../../cli/page-scenario.ts';
import { CLEAN_LINK } from '../../sim/link/clean-link.ts';

const SYNTHETIC = { synthetic: { seconds: 5 } };

test.each([
  ['a link with a ready-made trace', { forward: 'trace=lte-drive.down delay=10ms' }, SYNTHETIC],
  ['a link without a trace', { forward: 'loss=4%' }, SYNTHETIC],
])('accepts %s from a page', (_, link, source) => {
  expect(() => checkPageScenario(scenario(link, source), CLEAN_LINK)).not.toThrow();
});

test.each([
  ['a trace from another file', { forward: 'trace=package.json' }, SYNTHETIC, /only traces of samples/],
  [
    'a loss trace from another file on the way back',
    { forward: 'loss=1%', back: 'losstrace=README.md' },
    SYNTHETIC,
    /only traces of samples/,
  ],
  ['a file', { forward: 'loss=1%' }, { file: '/etc/hostname' }, /only use synthetic streams/],
  [
    'a file among several sources',
    { forward: 'loss=1%' },
    [SYNTHETIC, { file: 'a.mp4' }],
    /only use synthetic streams/,
  ],
])('refuses %s from a page without revealing the file', (_, link, source, why) => {
  expect(() => checkPageScenario(scenario(link, source), CLEAN_LINK)).toThrow(why);
});

function scenario(link: object, source: object): string {
  return JSON.stringify({ name: 'x', question: 'y?', source, link, strategies: ['hybrid'], budgetsMs: [200] });
}
