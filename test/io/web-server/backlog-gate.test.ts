import { expect, test } from 'vitest';
import { BacklogGate } from '../../../io/web-server/backlog-gate.ts';

test('a viewer joins at the first keyframe, and what came before it is not counted as dropped', () => {
  const gate = new BacklogGate({ queueBytes: 100 });
  expect(gate.admits('reference', 0)).toBe(false);
  expect(gate.admits('discardable', 0)).toBe(false);
  expect(gate.waitsForKey).toBe(true);
  expect(gate.admits('key', 0)).toBe(true);
  expect(gate.admits('reference', 0)).toBe(true);
  expect(gate.dropped).toBe(0);
});

test('a viewer that is too slow loses everything up to a keyframe that finds the backlog half gone', () => {
  const gate = new BacklogGate({ queueBytes: 100 });
  gate.admits('key', 0);
  expect(gate.admits('reference', 100)).toBe(true);
  expect(gate.admits('reference', 101)).toBe(false);
  expect(gate.admits('reference', 0)).toBe(false);
  expect(gate.admits('key', 51)).toBe(false);
  expect(gate.admits('key', 50)).toBe(true);
  expect(gate.admits('reference', 60)).toBe(true);
  expect(gate.dropped).toBe(3);
});

test('a discardable picture is dropped alone', () => {
  const gate = new BacklogGate({ queueBytes: 100 });
  gate.admits('key', 0);
  expect(gate.admits('discardable', 101)).toBe(false);
  expect(gate.admits('reference', 100)).toBe(true);
  expect(gate.dropped).toBe(1);
});

test('a keyframe that finds too much waiting is dropped as well', () => {
  const gate = new BacklogGate({ queueBytes: 100 });
  gate.admits('key', 0);
  expect(gate.admits('key', 101)).toBe(false);
  expect(gate.admits('reference', 0)).toBe(false);
});
