import { expect, test } from 'vitest';
import { BacklogGate } from '../../../io/web-server/backlog-gate.ts';

test('admits a viewer at the first key frame, and counts nothing before it as dropped', () => {
  const gate = new BacklogGate({ queueMax: 100 });
  expect(gate.admits('reference', 0)).toBe(false);
  expect(gate.admits('discardable', 0)).toBe(false);
  expect(gate.waitsForKey).toBe(true);
  expect(gate.admits('key', 0)).toBe(true);
  expect(gate.admits('reference', 0)).toBe(true);
  expect(gate.dropped).toBe(0);
});

test('drops everything for a slow viewer up to a key frame with at most half the backlog', () => {
  const gate = new BacklogGate({ queueMax: 100 });
  gate.admits('key', 0);
  expect(gate.admits('reference', 100)).toBe(true);
  expect(gate.admits('reference', 101)).toBe(false);
  expect(gate.admits('reference', 0)).toBe(false);
  expect(gate.admits('key', 51)).toBe(false);
  expect(gate.admits('key', 50)).toBe(true);
  expect(gate.admits('reference', 60)).toBe(true);
  expect(gate.dropped).toBe(3);
});

test('drops a discardable picture alone', () => {
  const gate = new BacklogGate({ queueMax: 100 });
  gate.admits('key', 0);
  expect(gate.admits('discardable', 101)).toBe(false);
  expect(gate.admits('reference', 100)).toBe(true);
  expect(gate.dropped).toBe(1);
});

test('drops a key frame too when the backlog is too long', () => {
  const gate = new BacklogGate({ queueMax: 100 });
  gate.admits('key', 0);
  expect(gate.admits('key', 101)).toBe(false);
  expect(gate.admits('reference', 0)).toBe(false);
});
