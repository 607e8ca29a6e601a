import { expect, test } from 'vitest';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { codecByName } from '../../../protocol/codec/codecs.ts';
import { JoinedTimeline } from '../../../session/stream/joined-timeline.ts';
import { until } from '../../io/net/control-peers.ts';
import { receive, serve, sourceOf } from '../../loopback-session.ts';
import { soundSource, soundUnits } from '../../sound-units.ts';

/** A unit that is decoded and shown at this time, 90 kHz. */
const at = (time: number): AccessUnit => ({
  parts: [],
  timestamp: ticks(time),
  decodeTimestamp: ticks(time),
  importance: 'key',
});

/** A timeline whose first session has ended with a picture at 90,000 and sound at 91,000, and whose second begins. */
function rejoined(): JoinedTimeline {
  const timeline = new JoinedTimeline();
  for (const time of [87_000, 90_000]) {
    timeline.shift(at(time), 'shown');
    timeline.shift(at(time), 'recorded');
  }
  timeline.shift(at(91_000), 'sound');
  timeline.begin();
  return timeline;
}

test('the first session keeps its times', () => {
  const timeline = new JoinedTimeline();
  expect(timeline.shift(at(-6_000), 'shown').decodeTimestamp).toBe(-6_000);
  expect(timeline.shift(at(1_000), 'sound').timestamp).toBe(1_000);
});

test.each([
  { first: 'sound', from: 500_000, later: 560_000 },
  { first: 'shown', from: 560_000, later: 560_500 },
  { first: 'recorded', from: 500_000, later: 560_000 },
] as const)('a session that begins with $first moves all its streams by the same', ({ first, from, later }) => {
  const timeline = rejoined();
  const offset = timeline.shift(at(from), first).timestamp - from;
  // Behind all that the session before had.
  expect(from + offset).toBe(94_000);
  for (const stream of ['shown', 'recorded', 'sound'] as const) {
    expect(timeline.shift(at(later), stream).timestamp - later).toBe(offset);
  }
});

test('pictures from before the first sound of a session do not run back into the session before, and sound stays beside them', () => {
  const timeline = rejoined();
  timeline.shift(at(500_000), 'sound');
  expect(timeline.shift(at(491_000), 'shown').decodeTimestamp).toBe(93_000);
  expect(timeline.shift(at(502_000), 'sound').timestamp).toBe(104_000);
  // The recording begins earlier, with a picture that was mended after its deadline.
  expect(timeline.shift(at(488_000), 'recorded').decodeTimestamp).toBe(93_000);
  expect(timeline.shift(at(494_000), 'shown').decodeTimestamp).toBe(99_000);
  expect(timeline.shift(at(503_800), 'sound').timestamp).toBe(108_800);
});

/** Pictures at fifty a second with a key frame each second, and sound beside them. */
function film(frames: number) {
  const pictures = Array.from({ length: frames }, (_, index): AccessUnit => {
    const key = index % 50 === 0;
    // Each has a length of its own, by which it is found again.
    const part = codecByName('h264').syntheticPart({ key, bytes: 300 + index, filling: 1 });
    return { ...at(index * 1_800), parts: [part], importance: key ? 'key' : 'reference' };
  });
  const sound = soundUnits('opus', frames);
  return { pictures, sound, source: { ...sourceOf(pictures), sound: soundSource('opus', sound) } };
}

const bytesOf = ({ parts }: AccessUnit): string => Buffer.concat(parts).toString('base64');

/** Amounts by which received units are moved from those that were sent, 90 kHz. */
function offsets(received: readonly AccessUnit[], sent: readonly AccessUnit[]): number[] {
  const times = new Map(sent.map((unit) => [bytesOf(unit), unit.timestamp]));
  return [...new Set(received.map((unit) => unit.timestamp - times.get(bytesOf(unit))!))];
}

test.each([
  { records: 'the pictures shown', options: {} },
  { records: 'pictures apart from those shown', options: { records: true, onLoss: 'smear' } },
] as const)(
  'sound stays in step with a recording of $records, when the receiver joins again between key frames',
  async ({ options }) => {
    const first = await serve([], { source: film(100).source });
    const { port } = first.server;
    const [shown, recorded, heard]: [AccessUnit[], AccessUnit[], AccessUnit[]] = [[], [], []];
    const { client, waited, welcomed } = receive(port, {
      ...options,
      onUnit: (unit) => shown.push(unit),
      onRecordedUnit: (unit) => recorded.push(unit),
      onSound: (unit) => heard.push(unit),
    });
    await until('pictures and sound are recorded', () => recorded.length > 10 && heard.length > 10);
    await first.server.close('restarted');
    await until('the receiver waits', () => waited.length > 0);
    const before = { shown: shown.length, recorded: recorded.length, heard: heard.length };

    const { pictures, sound, source } = film(1_000);
    const second = await serve([], { source, port });
    // The film runs for another viewer when the receiver comes.
    const other = receive(port);
    await until('the receiver is back', () => welcomed.length === 2 && recorded.length > before.recorded + 60);
    client.stop();
    other.client.stop();
    await second.server.close('enough');
    const [offset, ...others] = offsets(recorded.slice(before.recorded), pictures);
    expect(others).toEqual([]);
    expect(offsets(shown.slice(before.shown), pictures)).toEqual([offset]);
    const tail = offsets(heard.slice(before.heard), sound);
    // What was played before the first picture may be placed otherwise.
    expect(tail.at(-1)).toBe(offset);
    for (const units of [recorded, heard]) {
      const times = units.map(({ timestamp }) => timestamp);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  },
);
