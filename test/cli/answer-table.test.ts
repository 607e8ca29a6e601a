import { expect, test } from 'vitest';
import { answerTable, shortLink } from '../../cli/answer-table.ts';
import { wrapped } from '../../cli/wrapped.ts';
import type { AnswerRow } from '../../lab/answer.ts';

const TRACE = 'delay=20ms trace=../../media/traces/drive.down#2e76512a80a4f43d1122334455667788 queue=500ms';

function row(changes: Partial<AnswerRow>): AnswerRow {
  const whole: Partial<AnswerRow> = {
    source: 'synthetic',
    forward: 'loss=2% delay=20ms seed=1',
    back: 'loss=2% delay=20ms seed=1',
    budgetMs: 100,
    strategy: 'nack',
    parameters: '',
    release: 'deadline',
    frames: 100,
    framesInTime: 90,
    delayUsP50: 20_000,
    delayUsP95: 63_000,
    delayUsP99: Number.POSITIVE_INFINITY,
    freezes: 2,
    watchedUs: 60e6,
    stallUs: 6e6,
    overhead: 0.1,
    ...changes,
  };
  return whole as AnswerRow;
}

test('keeps second paths apart, and names them', () => {
  const second = (delay: string) => ({ secondForward: `${delay} seed=9`, secondBack: `${delay} seed=9` });
  const rows = [row(second('delay=20ms')), row(second('delay=50ms'))];
  expect(
    answerTable(rows, 120)
      .split('\n')
      .filter((line) => line.includes('budget')),
  ).toEqual([
    'loss=2% delay=20ms ∥ delay=20ms, budget 100 ms, 1 seed',
    'loss=2% delay=20ms ∥ delay=50ms, budget 100 ms, 1 seed',
  ]);
});

const PICTURES = { psnrDb: 31.25, ssimMean: 0.9, ssimP1: 0.5, vmafMean: 80 };

test('prints a path and its budget once, and pools their seeds', () => {
  const forward = 'loss=2% delay=20ms seed=2';
  const rows = [row({}), row({ forward, back: forward, framesInTime: 70 })];
  expect(answerTable(rows, 120).split('\n')).toEqual([
    '  strategy  in time  p50 ms  p95 ms  p99 ms  freezes/min  stalled  overhead',
    'loss=2% delay=20ms, budget 100 ms, 2 seeds',
    '  nack      80.00 %    20.0    63.0   never          2.0  10.00 %   10.00 %',
  ]);
});

test('shows the later delay of two seeds, so that neither hides a miss of the other', () => {
  const line = answerTable([row({ delayUsP99: 143_200 }), row({})], 120).split('\n')[2];
  expect(line).toBe('  nack      90.00 %    20.0    63.0   never          2.0  10.00 %   10.00 %');
});

test('calls pictures identical only if those of both seeds are', () => {
  const same = { ...PICTURES, slots: 90, psnrDb: Number.POSITIVE_INFINITY };
  expect(answerTable([row(same), row(same)], 140)).toContain('identical');
  const differing = answerTable([row(same), row({ ...same, psnrDb: 31.25 })], 140);
  expect(differing).not.toContain('identical');
  // Half the squared error of the seed that differs.
  expect(differing).toContain('34.26');
});

test('separates paths that differ on the way back, and sources', () => {
  const rows = [row({}), row({ back: 'delay=5ms seed=1', source: 'film' })];
  const headings = answerTable(rows, 120).split('\n').slice(1);
  expect(headings[0]).toBe('synthetic, loss=2% delay=20ms, budget 100 ms, 1 seed');
  expect(headings[2]).toBe('film, loss=2% delay=20ms / back delay=5ms, budget 100 ms, 1 seed');
});

test.each([80, 120, 140])('prints no line longer than %i characters, and lists omitted columns', (width) => {
  const rows = [
    row({ ...PICTURES, forward: TRACE, back: TRACE.replace('down', 'up') }),
    row({ ...PICTURES, strategy: 'tcp-cubic', parameters: 'unsentBytesMax=20000 giveUpMs=200' }),
  ];
  const lines = answerTable(rows, width).split('\n');
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(width);
  expect(lines.join('\n')).toMatch(/tcp-cubic .*\n +unsentBytesMax=20000\n +giveUpMs=200/);
  const leftOut = lines.at(-1)?.includes('omitted for lack of space');
  expect(leftOut).toBe(width < 140);
});

test('names a file without its folders and with a short hash', () => {
  expect(shortLink(`${TRACE} seed=3`)).toBe('delay=20ms trace=drive.down#2e76512a queue=500ms');
  expect(shortLink('losstrace=bits.txt#0123456789abcdef')).toBe('losstrace=bits.txt#01234567');
  expect(shortLink('delay=20ms losstrace="../my films/bits.txt#0123456789abcdef"')).toBe(
    'delay=20ms losstrace="bits.txt#01234567"',
  );
  expect(shortLink('seed=3')).toBe('clean');
});

test('keeps slashes of values that are not files', () => {
  const line = 'ge=1%/50%/100%/0% slip=1%/3 drop=1/3/15-18 outage=5s-6s/10s-12s queue=100ms/64kB/25p';
  expect(shortLink(`${line} seed=3`)).toBe(line);
});

test('wraps a list in its own column, and only where needed', () => {
  const line = 'gop     What does it cost?';
  expect(wrapped(line, 20, 8)).toBe('gop     What does it\n        cost?');
  expect(wrapped(line, Number.POSITIVE_INFINITY, 8)).toBe(line);
});
