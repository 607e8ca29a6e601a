import { describe, expect, test } from 'vitest';
import { RECOVERIES } from '../../protocol/control/recovery.ts';
import { wireSequence } from '../../protocol/rtp/sequence.ts';
import type { ReceiverEvent } from '../../receiver/receiver.ts';
import { Receiver } from '../../receiver/receiver.ts';
import { RECEIVER_OPTIONS } from '../simulated-session.ts';
import { at, FRAME_MS, packet, Stage } from './stage.ts';

/** 9.5 million years at 30 frames per second. */
const FRAMES = 9e15;

function drained(receiver: Receiver): ReceiverEvent[] {
  const events: ReceiverEvent[] = [];
  for (let event = receiver.pollEvent(); event; event = receiver.pollEvent()) events.push(event);
  return events;
}

describe.each(RECOVERIES)('recovery %s', (recovery) => {
  test('decides 9e15 announced frames in one step when none of them arrived', () => {
    const receiver = new Receiver({ ...RECEIVER_OPTIONS, recovery });
    receiver.endOfStream(at(0), { frames: FRAMES, lastSequence: undefined });
    receiver.handleTimeout(at(60_000));
    receiver.finish(at(60_000));
    expect(drained(receiver).map(({ kind }) => kind)).toEqual(['dropped', 'ended']);
    expect(receiver.statistics.frames).toMatchObject({ neverArrived: FRAMES, decided: FRAMES });
    receiver.assertBalanced();
  });

  test('decides the missing frames that are due together, and the others when the session ends', () => {
    const receiver = new Receiver({ ...RECEIVER_OPTIONS, recovery });
    for (const frame of [0, 1, 2]) receiver.handleDatagram(at(frame * FRAME_MS), packet({ frame }));
    receiver.endOfStream(at(200), { frames: FRAMES, lastSequence: wireSequence(102) });
    receiver.handleTimeout(at(100_000));
    const events = drained(receiver);
    const missing = events.filter((event) => event.kind === 'dropped');
    expect(missing.length).toBe(1);
    expect(missing[0]!.frames).toBeGreaterThan(2_000);
    expect(missing[0]!.frames).toBeLessThan(3_000);
    receiver.finish(at(100_000));
    expect(receiver.statistics.frames.decided).toBe(FRAMES);
    receiver.assertBalanced();
  });
});

test('decides frames of a gap with one deadline in one step, and others at their own', () => {
  const frames = (stage: Stage) => stage.eventLines.filter((line) => line.includes('neverArrived'));
  const served = new Stage({ recovery: 'none' });
  served
    .arrive(0, packet({ frame: 0 }))
    .arrive(120, packet({ frame: 3 }))
    .until(1_000);
  expect(frames(served).map((line) => Number(line.split(' ')[2]))).toEqual([1, 2]);
  expect(new Set(frames(served).map((line) => line.split(' ')[0])).size).toBe(2);
  const late = new Receiver({ ...RECEIVER_OPTIONS, recovery: 'none' });
  late.handleDatagram(at(0), packet({ frame: 0 }));
  late.handleDatagram(at(120), packet({ frame: 3 }));
  late.handleTimeout(at(5_000));
  expect(drained(late).filter(({ kind }) => kind === 'dropped')).toEqual([
    { kind: 'dropped', frame: 1, frames: 2, cause: 'neverArrived' },
    { kind: 'dropped', frame: 3, frames: 1, cause: 'undecodable' },
  ]);
});
