import { expect, test } from 'vitest';
import { milliseconds } from '../../../protocol/base/units.ts';
import { codecByName } from '../../../protocol/codec/codecs.ts';
import { Receiver } from '../../../receiver/receiver.ts';
import { receiverOptions } from '../../../receiver/receiver-options.ts';
import type { ReceiverStatistics } from '../../../receiver/receiver-statistics.ts';
import { sumFrames, sumPackets } from '../../../session/run/class-summary.ts';
import { type FinishedSession, FinishedSessions } from '../../../session/stream/finished-sessions.ts';
import { REPORT_SSRC, simulatedStream } from '../../../sim/simulated-stream.ts';

const SESSIONS = 1_000;

/** Statistics of a receiver that has received nothing. */
function nothing(): ReceiverStatistics {
  const parameters = simulatedStream({ codec: codecByName('h264'), latency: milliseconds(80) });
  return new Receiver(receiverOptions(parameters, { reportSsrc: REPORT_SSRC })).statistics;
}

/** Statistics of the session with this number, which differ in every total. */
function session(empty: ReceiverStatistics, index: number): ReceiverStatistics {
  const rounds = empty.packets.recoveredInRound.map((_, round) => index + round);
  return {
    ...empty,
    ...{ lateKeyDelay: 5 * index, lateKeyFrames: 1, bytes: index, duplicates: 2 },
    frames: { ...empty.frames, onTime: index, incomplete: 1, decided: index + 1 },
    packets: { ...empty.packets, onTime: 3, recoveredInRound: rounds, decided: 3 },
  };
}

test('adds up the oldest of many sessions, and counts them all', () => {
  const empty = nothing();
  const all = Array.from({ length: SESSIONS }, (_, index) => session(empty, index));
  const finished = new FinishedSessions();
  for (const statistics of all) finished.add({ statistics });
  const { rows } = finished;
  expect(finished.count).toBe(SESSIONS);
  expect(rows).toHaveLength(64);
  expect(rows.slice(1)).toEqual(all.slice(-63));
  expect(sumFrames(rows)).toEqual(sumFrames(all));
  expect(sumPackets(rows)).toEqual(sumPackets(all));
  const bytes = (sessions: readonly ReceiverStatistics[]) => sessions.reduce((sum, each) => sum + each.bytes, 0);
  expect(bytes(rows)).toBe(bytes(all));
  expect(rows[0]).toMatchObject({ duplicates: 2 * (SESSIONS - 63), lateKeyDelay: 5 * (SESSIONS - 64) });
});

test('keeps a row for each of a few sessions', () => {
  const empty = nothing();
  const finished = new FinishedSessions();
  const few = [session(empty, 1), session(empty, 2)];
  for (const statistics of few) finished.add({ statistics });
  expect(finished.rows).toEqual(few);
  expect(finished.count).toBe(2);
});

test('adds up only sessions of the same transport, and keeps the order', () => {
  const empty = nothing();
  const finished = new FinishedSessions();
  const transportOf = (index: number) => (index % 3 === 1 ? ('tcp' as const) : ('udp' as const));
  const all = Array.from({ length: SESSIONS }, (_, index) => ({
    statistics: session(empty, index),
    transport: transportOf(index),
    cause: index === 0 ? ('first' as const) : ('sender-stopped' as const),
  })) satisfies readonly FinishedSession[];
  for (const each of all) finished.add(each);
  expect(finished.rows).toHaveLength(64);
  expect(finished.count).toBe(SESSIONS);
  const bytesOver = (wanted: string, rows: readonly ReceiverStatistics[], transports: readonly string[]) =>
    rows.reduce((sum, { bytes }, index) => (transports[index] === wanted ? sum + bytes : sum), 0);
  for (const wanted of ['udp', 'tcp']) {
    const expected = bytesOver(
      wanted,
      all.map(({ statistics }) => statistics),
      all.map(({ transport }) => transport),
    );
    expect(bytesOver(wanted, finished.rows, finished.transports)).toBe(expected);
  }
  expect(finished.rows.slice(2)).toEqual(all.slice(-62).map(({ statistics }) => statistics));
  expect(finished.transports.slice(2)).toEqual(all.slice(-62).map(({ transport }) => transport));
  expect(finished.causes[0]).toBe('first');
});
