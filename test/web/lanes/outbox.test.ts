import { expect, test } from 'vitest';
import type { LaneAnnouncement, LaneEvents } from '../../../protocol/page/lane-message.ts';
import { Outbox } from '../../../web/lanes/outbox.ts';
import type { WorkerEvent } from '../../../web/lanes/worker-event.ts';

const announced = (announcement: LaneAnnouncement): WorkerEvent => ({ kind: 'announced', announcement, ids: [0] });
const lost = (run: number, ...numbers: number[]): LaneEvents => {
  return { run, sent: [], lost: numbers, arrived: [], freed: [], frames: [], sounds: [] };
};
const events = (atMs: number, lane: LaneEvents) => announced({ kind: 'events', atMs, lanes: [lane] });
const figures = (atMs: number) => announced({ kind: 'figures', atMs, lanes: [] });
const state = announced({ kind: 'state', state: { lanes: [], link: '', source: '', sources: [] } });

test('joins events and keeps only the newest figures, so that a busy page is told everything at once', () => {
  const outbox = new Outbox();
  for (const event of [events(1, lost(0, 1)), figures(1), events(2, lost(0, 2)), figures(2)]) outbox.add(event);
  expect(outbox.take()).toEqual([events(2, lost(0, 1, 2)), figures(2)]);
  expect(outbox.isEmpty).toBe(true);
});

test('joins nothing across a change of the lanes or of their runs', () => {
  const outbox = new Outbox();
  for (const event of [events(1, lost(0, 1)), state, events(2, lost(0, 2)), events(3, lost(1, 3))]) outbox.add(event);
  expect(outbox.take()).toEqual([events(1, lost(0, 1)), state, events(3, lost(1, 3))]);
});

test('does not grow while nothing is taken', () => {
  const outbox = new Outbox();
  const numbers = Array.from({ length: 500 }, (_, number) => number);
  for (let at = 0; at < 100; at++) {
    outbox.add(events(at, lost(0, ...numbers)));
    outbox.add(figures(at));
  }
  const [joined, ...others] = outbox.take();
  expect(others).toHaveLength(1);
  expect(JSON.stringify(joined).length).toBeLessThan(200_000);
});
