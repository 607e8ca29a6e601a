import { expect, test } from 'vitest';
import { checkPageScenario } from '../../cli/page-scenario.ts';
import { CLEAN_LINK } from '../../sim/link/clean-link.ts';

const SYNTHETIC = { synthetic: { seconds: 5 } };

test.each([
  ['a link with a trace that comes with us', { forward: 'trace=lte-drive.down delay=10ms' }, SYNTHETIC],
  ['a link without any', { forward: 'loss=4%' }, SYNTHETIC],
])('a page may ask about %s', (_, link, source) => {
  expect(() => checkPageScenario(scenario(link, source), CLEAN_LINK)).not.toThrow();
});

test.each([
  ['a trace of its own', { forward: 'trace=package.json' }, SYNTHETIC, /only a trace of samples/],
  [
    'such a one on the way back',
    { forward: 'loss=1%', back: 'losstrace=README.md' },
    SYNTHETIC,
    /only a trace of samples/,
  ],
  ['a file', { forward: 'loss=1%' }, { file: '/etc/hostname' }, /synthetic streams alone/],
  ['a file among others', { forward: 'loss=1%' }, [SYNTHETIC, { file: 'a.mp4' }], /synthetic streams alone/],
])('a page that asks about %s is told no, and nothing of what the file holds', (_, link, source, why) => {
  expect(() => checkPageScenario(scenario(link, source), CLEAN_LINK)).toThrow(why);
});

function scenario(link: object, source: object): string {
  return JSON.stringify({ name: 'x', question: 'y?', source, link, strategies: ['hybrid'], budgetsMs: [200] });
}
