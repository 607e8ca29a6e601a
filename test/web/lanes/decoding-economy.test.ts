import { expect, test } from 'vitest';
import { DecodingEconomy } from '../../../web/lanes/decoding-economy.ts';

/** The decoded part after a window fell behind at these times, milliseconds. */
function after(economy: DecodingEconomy, ...behindAt: number[]): string {
  for (const at of behindAt) economy.fellBehind(at);
  return economy.decoded;
}

test('decodes everything for a window that falls behind now and then', () => {
  expect(after(new DecodingEconomy(), 0, 20_000, 40_000)).toBe('all');
});

test('decodes one lane whole, then key frames only, for a window that falls behind again and again', () => {
  const economy = new DecodingEconomy();
  expect(after(economy, 0, 4_000)).toBe('one-lane');
  expect(after(economy, 7_000)).toBe('key-frames');
  expect(after(economy, 12_000)).toBe('key-frames');
});

test('does not count what still waited when less was decoded', () => {
  expect(after(new DecodingEconomy(), 0, 4_000, 4_050, 5_900)).toBe('one-lane');
});

test('decodes more once the window has kept up for ten seconds', () => {
  const economy = new DecodingEconomy();
  after(economy, 0, 4_000, 7_000);
  economy.update(16_900);
  expect(economy.decoded).toBe('key-frames');
  economy.update(17_000);
  expect(economy.decoded).toBe('one-lane');
  economy.update(27_000);
  expect(economy.decoded).toBe('all');
});

test('tries more at longer and longer intervals while it is too much each time', () => {
  const economy = new DecodingEconomy();
  after(economy, 0, 4_000);
  let at = 14_000;
  for (const waitMs of [20_000, 40_000, 80_000, 160_000, 160_000]) {
    economy.update(at);
    expect(economy.decoded).toBe('all');
    expect(after(economy, at + 5_000)).toBe('one-lane');
    economy.update(at + 5_000 + waitMs - 1);
    expect(economy.decoded).toBe('one-lane');
    at += 5_000 + waitMs;
  }
});

test('tries more at longer intervals also where the first trouble comes at once', () => {
  const economy = new DecodingEconomy();
  after(economy, 0, 4_000);
  let at = 14_000;
  for (const waitMs of [20_000, 40_000, 80_000, 160_000, 160_000]) {
    economy.update(at);
    expect(economy.decoded).toBe('all');
    expect(after(economy, at + 1_500)).toBe('all');
    expect(after(economy, at + 3_000)).toBe('one-lane');
    economy.update(at + 3_000 + waitMs - 1);
    expect(economy.decoded).toBe('one-lane');
    at += 3_000 + waitMs;
  }
});

test('counts lanes that fall behind together once', () => {
  expect(after(new DecodingEconomy(), 0, 1, 2, 1_500)).toBe('all');
});
