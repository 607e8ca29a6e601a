import { expect, test } from 'vitest';
import { optionsOf } from '../../../lab/report/report-folder.ts';

const answerOf = (spec: object) => ({ manifest: { runId: 'a', env: {}, spec } });
const STRATEGIES = [
  { strategy: 'nack', parameters: {} },
  { strategy: 'fec', parameters: { redundancy: 0.5 } },
];
const DECLARED = ['nack', { strategy: 'fec', redundancy: 0.5 }];

test.each([
  { spec: { strategies: STRATEGIES }, declared: { strategies: DECLARED }, options: [] },
  { spec: { host: 'linux-6.18' }, declared: {}, options: ['--host linux-6.18'] },
  { spec: { host: 'linux-6.18' }, declared: { host: 'linux-6.18' }, options: [] },
  { spec: {}, declared: { host: 'linux-6.18' }, options: ['--host ideal'] },
  {
    spec: { host: 'linux-6.18', strategies: STRATEGIES },
    declared: { strategies: ['none', ...DECLARED] },
    options: ['--host linux-6.18', '--strategies nack,fec'],
  },
])("a report's command has the options that changed the scenario: $options", ({ spec, declared, options }) => {
  expect(optionsOf(answerOf(spec), declared)).toEqual(options);
});
