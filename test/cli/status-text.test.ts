import { expect, test } from 'vitest';
import { relayStatus, waysStatus } from '../../cli/link-text.ts';
import { countPart, fitStatus, positionText, type Status, statusInFull } from '../../cli/status-text.ts';
import { receiverStatus } from '../../cli/summary-text.ts';
import { microseconds } from '../../protocol/base/units.ts';
import type { RelayReport } from '../../session/relay/relay-report.ts';
import { type RunSummary, summarizeRun } from '../../session/run/run-summary.ts';

const EMPTY = summarizeRun([], {
  transport: 'udp',
  transports: ['udp'],
  sessionCauses: ['first'],
  encrypted: false,
  recovery: 'hybrid',
  latencyMs: 200,
  link: undefined,
  media: undefined,
  durationSeconds: 0,
  ipv6: false,
  stalledFor: microseconds(0),
  segments: undefined,
  modeledTcp: undefined,
  hostFaults: { drops: undefined, refusedHere: 0, refusedBySender: 0, notAuthentic: undefined },
});
const BUSY: RunSummary = {
  ...EMPTY,
  frames: { ...EMPTY.frames, total: 216_000, onTime: 200_000, recovered: 15_000, late: 900, neverArrived: 100 },
  playoutDelayMs: { p50: 200.66, p95: 201.71, p99: 203, max: 240 },
  roundTripMs: 47.61,
};
const POSITION = { seconds: 3_599.9, of: 7_200 };

test('a terminal of 80 columns has room for the position, losses and delay after hours', () => {
  const line = fitStatus(receiverStatus(BUSY, 4_012_345, POSITION), { width: 79, color: false });
  expect(line).toBe('59:59 / 2:00:00 · 100 of 216000 lost · 900 late · delay 201 ms');
  expect(`${line} · 15000 recovered`).toHaveLength(80);
});

test('a quiet stream shows everything in 80 columns', () => {
  const quiet = { ...BUSY, frames: { ...BUSY.frames, total: 360, recovered: 2, late: 0, neverArrived: 0 } };
  expect(fitStatus(receiverStatus(quiet, 2_010_000, { seconds: 12.4, of: 30 }), { width: 79, color: false })).toBe(
    '0:12 / 0:30 · 0 lost · delay 201 ms · 2 recovered · 2.01 Mb/s · not encrypted',
  );
});

test('a stall comes first', () => {
  const [first] = receiverStatus({ ...BUSY, stalledForMs: 1_240 }, null, POSITION);
  expect(first).toEqual({ text: 'STALLED for 1.2 s', tone: 'bad' });
});

test('figures are left out from the end, and the first is cut where even it does not fit', () => {
  const status: Status = ['aaaa', { text: 'bbbb', tone: 'bad' }, 'cccc'];
  expect(statusInFull(status)).toBe('aaaa · bbbb · cccc');
  const shown = (width: number, color = false) => fitStatus(status, { width, color });
  expect([shown(18), shown(17), shown(11), shown(10), shown(3)]).toEqual([
    'aaaa · bbbb · cccc',
    'aaaa · bbbb',
    'aaaa · bbbb',
    'aaaa',
    'aaa',
  ]);
  expect(shown(11, true)).toBe('aaaa · \x1b[31;1mbbbb\x1b[0m');
});

test('a count is colored unless it is zero', () => {
  expect(countPart(0, '0 lost', 'bad')).toBe('0 lost');
  expect(countPart(1, '1 lost', 'bad')).toEqual({ text: '1 lost', tone: 'bad' });
});

test.each([
  [{ seconds: 12.9, of: 30 }, '0:12 / 0:30'],
  [{ seconds: 30.02, of: 30 }, '0:30 / 0:30'],
  [{ seconds: 3_600, of: undefined }, '1:00:00'],
  [{ seconds: -0.1, of: 5 }, '0:00 / 0:05'],
])('position %o is %s', (position, text) => {
  expect(positionText(position)).toBe(text);
});

test('a relay shows the losses and rates of both directions in 80 columns', () => {
  const way = { offered: 120_345, offeredBytes: 1_250_000, lossShare: 0.0512, inFlight: 12 };
  const report = { durationSeconds: 1, forward: way, back: way, clients: { active: 3, served: 3, expired: 0 } };
  const line = fitStatus(waysStatus(report as unknown as RelayReport, undefined), { width: 79, color: false });
  expect(line).toBe('forward 5.12 % lost, 10.00 Mb/s · back 5.12 % lost, 10.00 Mb/s');
  expect(statusInFull(relayStatus(() => report as unknown as RelayReport)() ?? [])).toContain('3 clients');
});
