import { expect, test } from 'vitest';
import { hasColors } from '../../../io/os/terminal-colors.ts';

const colorful = { isTTY: true, hasColors: () => true };

test('colors belong to terminals that have them', () => {
  expect(hasColors(colorful, {})).toBe(true);
  expect(hasColors({ isTTY: true, hasColors: () => false }, {})).toBe(false);
  expect(hasColors({ hasColors: () => true }, {})).toBe(false);
  expect(hasColors({}, {})).toBe(false);
});

test('NO_COLOR turns them off, an empty one does not', () => {
  expect(hasColors(colorful, { NO_COLOR: '1' })).toBe(false);
  expect(hasColors(colorful, { NO_COLOR: '0', FORCE_COLOR: '1' })).toBe(false);
  expect(hasColors(colorful, { NO_COLOR: '' })).toBe(true);
});
