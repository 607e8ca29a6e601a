import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { SIMULATED_STRATEGIES } from '../lab/strategies.ts';

const FOLDER = join(import.meta.dirname, '../examples');
const LINES_MAX = 60;

beforeEach(() => {
  for (const method of ['log', 'table'] as const) vi.spyOn(console, method).mockImplementation(() => {});
});

test.for(readdirSync(FOLDER))('%s is short, begins with its question, and imports the package by name only', (name) => {
  const lines = readFileSync(join(FOLDER, name), 'utf8').trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(LINES_MAX);
  expect(lines[0]).toMatch(/^\/\/ .*\?/);
  const imports = [...lines.join('\n').matchAll(/from '([^']+)'/g)].map(([, path]) => path);
  expect(imports.filter((path) => !/^(?:dropframe(?:\/node|\/lab)?|node:.+)$/.test(path!))).toEqual([]);
});

test('a loopback pair delivers the frames that were sent', async () => {
  const { received, sent } = await import('../examples/loopback-pair.ts');
  expect(sent).toHaveLength(90);
  expect(received).toEqual(sent);
});

test('over real sockets, each frame is shown or dropped with a reason', async () => {
  const { pictures, summary } = await import('../examples/real-sockets.ts');
  const { onTime, recovered, late, mended, overdue, incomplete, neverArrived, undecodable, total } = summary.frames;
  expect(total).toBe(50);
  expect(pictures).toBe(onTime + recovered + late);
  expect(pictures + mended + overdue + incomplete + neverArrived + undecodable).toBe(total);
});

test('a simulated link delivers all frames without loss, and fewer with loss under `reorder`', async () => {
  const { figures } = await import('../examples/simulated-link.ts');
  const played = (loss: number, recovery: string) =>
    figures.find((figure) => figure.loss === loss && figure.recovery === recovery)!.playedPercent;
  expect(played(0, 'reorder')).toBe(100);
  expect(played(2, 'reorder')).toBeLessThan(50);
  expect(played(2, 'hybrid')).toBeGreaterThan(95);
  expect(played(10, 'hybrid')).toBeGreaterThan(played(10, 'reorder'));
});

test('a custom recovery delivers more than `reorder`, and less than one that repeats its requests', async () => {
  const { own, reorder, nack, hybrid } = await import('../examples/own-recovery.ts');
  expect(own).toBeGreaterThan(reorder!);
  expect(nack).toBeGreaterThan(own);
  expect(hybrid).toBeGreaterThanOrEqual(nack!);
});

test('a link is a test double for the network of another protocol', async () => {
  const { arrived, messages } = await import('../examples/link-as-test-double.ts');
  expect(arrived).toEqual(messages);
});

test('a scenario from code has a row per cell, with the same name each time', async () => {
  const { rows, runId, table } = await import('../examples/scenario.ts');
  expect(rows).toHaveLength(2 * SIMULATED_STRATEGIES.length * 2);
  expect(runId).toMatch(/^[0-9a-f]{64}$/);
  expect(table.map(({ strategy }) => strategy)).toEqual([...SIMULATED_STRATEGIES, ...SIMULATED_STRATEGIES]);
  expect(table.every(({ inTimePercent }) => inTimePercent > 0 && inTimePercent <= 100)).toBe(true);
});
