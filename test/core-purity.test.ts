import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const ROOMS = ['protocol', 'sender', 'receiver', 'sim'];
/** A clock, randomness, or a function that engines may round differently in the last bit (ECMA-262 §21.3.2). */
const FORBIDDEN =
  /\b(?:Date|performance|crypto|setTimeout|setInterval)\b|\bMath\.(?:random|exp|expm1|log|log1p|log2|log10|pow|a?sinh?|a?cosh?|a?tanh?|atan2|cbrt|hypot)\b/;
const COMMENT = /\/\*[\s\S]*?\*\/|\/\/.*$/gm;

const sources = ROOMS.flatMap((room) =>
  readdirSync(room, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `${room}/${path}`),
);

test('the core uses no clock, no randomness and no engine-dependent mathematics', () => {
  expect(sources.length).toBeGreaterThan(100);
  const found = sources.flatMap((path) => {
    const match = readFileSync(path, 'utf8').replaceAll(COMMENT, '').match(FORBIDDEN);
    return match ? [`${path}: ${match[0]}`] : [];
  });
  expect(found).toEqual([]);
});

test('the check finds each of these', () => {
  const code = ['Math.random()', 'new Date()', 'performance.now()', 'Math.log2(8)', 'Math.atan2(1, 2)', 'Math.sinh(1)'];
  expect(code.filter((text) => !FORBIDDEN.test(text))).toEqual([]);
  expect(['Math.abs(1)', 'Math.sqrt(2)', 'Math.max(1)'].filter((text) => FORBIDDEN.test(text))).toEqual([]);
});
