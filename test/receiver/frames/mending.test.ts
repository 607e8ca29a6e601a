import { describe, expect, test } from 'vitest';
import { microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { parseRecoveryNotice } from '../../../protocol/rtcp/recovery-notice.ts';
import { Receiver } from '../../../receiver/receiver.ts';
import type { ReceiverOptions } from '../../../receiver/receiver-options.ts';
import { RECEIVER_OPTIONS } from '../../simulated-session.ts';
import { again, FRAME_MS, packet, packets, Stage } from '../stage.ts';

/** Frames of 40 ms, due 120 ms after they arrive: frame n at 40 n + 120. */
class MendingStage extends Stage {
  constructor(options: Partial<ReceiverOptions> = {}) {
    super({ mend: milliseconds(5_000), ...options });
  }

  /** Frames of one packet each at their time, without those that are lost. */
  frames(from: number, to: number, lost: readonly number[] = [], keys: readonly number[] = [0]): this {
    for (let frame = from; frame < to; frame++) {
      if (lost.includes(frame)) continue;
      this.arrive(frame * FRAME_MS, packet({ frame, importance: keys.includes(frame) ? 'key' : 'reference' }));
    }
    return this;
  }

  /** When the packet was asked for as one that is too late to be shown. */
  get lateRequests(): { readonly ms: number; readonly sequences: readonly number[] }[] {
    const requests: { ms: number; sequences: readonly number[] }[] = [];
    for (const [index, { ms, packet: said }] of this.said.entries()) {
      const notice = said.kind === 'application' ? parseRecoveryNotice(said) : undefined;
      const nack = this.said[index + 1]?.packet;
      if (!notice?.ok || notice.value?.kind !== 'request' || !notice.value.late || nack?.kind !== 'nack') continue;
      requests.push({ ms, sequences: nack.sequenceNumbers });
    }
    return requests;
  }
}

const from = (stage: Stage, ms: number) => stage.told.filter((line) => Number.parseFloat(line) >= ms);

describe('a frame that misses its deadline', () => {
  test('is shown at once when it comes before the next one is due', () => {
    const stage = new MendingStage().frames(0, 5, [1]).arrive(190, again(packet({ frame: 1 })));
    stage.until(300);
    expect(stage.told).toEqual(['120 onTime 0', '190 late 1', '200 onTime 2', '240 onTime 3', '280 onTime 4']);
  });

  test('is decoded with all that waited for it, of which the newest is shown', () => {
    const stage = new MendingStage().frames(0, 6, [1]).arrive(250, again(packet({ frame: 1 })));
    stage.until(300);
    expect(from(stage, 200)).toEqual(['250 mended 1', '250 mended 2', '250 late 3', '280 onTime 4']);
  });

  test('marks what is mended for the decoder alone, and nothing else', () => {
    const stage = new MendingStage().frames(0, 6, [1]).arrive(250, again(packet({ frame: 1 })));
    stage.until(400);
    const marks = stage.events.flatMap((event) =>
      event.kind === 'access-unit' ? [`${event.fate} ${event.decodeOnly}`] : [],
    );
    expect(marks).toEqual(['onTime false', 'mended true', 'mended true', 'late false', 'onTime false', 'onTime false']);
  });

  test('is dropped where mending is switched off, as is what refers to it', () => {
    const stage = new MendingStage({ mend: microseconds(0) })
      .frames(0, 4, [1])
      .arrive(190, again(packet({ frame: 1 })));
    stage.until(300);
    expect(stage.told).toEqual(['120 onTime 0', '160 neverArrived 1', '200 undecodable 2', '240 undecodable 3']);
  });

  test.each([{ recovery: 'reorder' }, { recovery: 'none' }, { onLoss: 'smear' }] as const)(
    'is dropped where nobody asks for it, or damage is shown: %o',
    (options) => {
      const stage = new MendingStage(options).frames(0, 3, [1]).until(300);
      expect(stage.told).toContain('160 neverArrived 1');
    },
  );

  test('is mended twice in a row when the next one is lost as well', () => {
    const stage = new MendingStage().frames(0, 8, [1, 4]).arrive(290, again(packet({ frame: 1 })));
    stage.arrive(330, again(packet({ frame: 4 }))).until(500);
    expect(from(stage, 200)).toEqual([
      '290 mended 1',
      '290 mended 2',
      '290 late 3',
      '330 mended 4',
      '330 late 5',
      '360 onTime 6',
      '400 onTime 7',
    ]);
  });

  test('shows nothing that is half a second old', () => {
    const stage = new MendingStage().frames(0, 3, [1]).arrive(1_000, again(packet({ frame: 1 })));
    stage.until(1_100);
    expect(from(stage, 200)).toEqual(['1000 mended 1', '1000 mended 2']);
  });

  test('is mended when a part of it was missing, be it the first frame', () => {
    const stage = new MendingStage();
    const [first, second] = packets({ frame: 0, count: 2 });
    stage.arrive(0, first!);
    for (let frame = 1; frame < 4; frame++) stage.arrive(frame * FRAME_MS, ...packets({ frame, count: 2 }));
    stage.arrive(170, again(second!)).until(250);
    expect(stage.told).toEqual(['170 mended 0', '170 late 1', '200 onTime 2', '240 onTime 3']);
  });
});

describe('a later key frame', () => {
  test('takes over when it is due, and the old group is given up', () => {
    const stage = new MendingStage().frames(0, 6, [1], [0, 4]).until(400);
    expect(from(stage, 200)).toEqual([
      '280 neverArrived 1',
      '280 undecodable 2',
      '280 undecodable 3',
      '280 onTime 4',
      '320 onTime 5',
    ]);
  });

  test('takes over as soon as the old group is overdue where frames are released at once', () => {
    const stage = new MendingStage({ release: 'asap' }).frames(0, 4, [1], [0, 3]).until(400);
    expect(stage.told.slice(0, 4)).toEqual(['0 onTime 0', '160 neverArrived 1', '160 undecodable 2', '160 onTime 3']);
  });

  test('that is not whole does not: it is mended itself', () => {
    const stage = new MendingStage({ mend: milliseconds(300) }).frames(0, 2, [1]);
    const key = packets({ frame: 2, count: 2, importance: 'key' });
    stage.arrive(80, key[0]!).arrive(480, again(key[1]!)).until(600);
    expect(from(stage, 150)).toEqual(['460 neverArrived 1', '480 late 2']);
  });

  test('leaves the old group its time until then', () => {
    const stage = new MendingStage()
      .frames(0, 6, [1], [0, 5])
      .arrive(230, again(packet({ frame: 1 })))
      .until(400);
    expect(from(stage, 200)).toEqual(['230 mended 1', '230 late 2', '240 onTime 3', '280 onTime 4', '320 onTime 5']);
  });
});

describe('a bound', () => {
  test('of time gives the frame up, and what refers to it with it', () => {
    const stage = new MendingStage({ mend: milliseconds(500) }).frames(0, 4, [1]).until(2_000);
    expect(from(stage, 200)).toEqual(['660 neverArrived 1', '660 undecodable 2', '660 undecodable 3']);
  });

  test('of bytes gives the oldest group up first', () => {
    // Each packet has a payload of four bytes.
    const stage = new MendingStage({ heldBytesMax: 8 }).frames(0, 5, [1]).until(1_000);
    expect(from(stage, 200)).toEqual([]);
    stage.frames(26, 27).until(1_200);
    expect(from(stage, 200)[0]).toBe('1040 neverArrived 1');
  });

  test('of frames gives the frame up before others find no room', () => {
    const stage = new MendingStage({ framesMax: 20 }).frames(0, 60, [1], [0, 50]).until(3_000);
    expect(stage.receiver.statistics.overflowed).toBe(0);
    expect(stage.told.at(-1)).toBe('2480 onTime 59');
  });

  test('of requests holds for a forged promise of a frame that never comes', () => {
    const stage = new MendingStage().frames(0, 1);
    stage.arrive(40, packet({ frame: 1, index: 0, count: 60_000, sequence: 1 }));
    stage.until(10_000);
    const asked = stage.asked.reduce((sum, { sequences }) => sum + sequences.length, 0);
    // Once in time, and in each of the five seconds' round trips what one may ask for.
    expect(asked).toBeLessThan(512 + 64 * 90);
    expect(stage.told.at(-1)).toBe('5160 incomplete 1');
  });

  test('of time keeps an outage of thirty seconds from coming back as thirty seconds of requests', () => {
    const stage = new MendingStage().frames(0, 25);
    stage.frames(775, 800).until(34_000);
    const asked = stage.asked.reduce((sum, { sequences }) => sum + sequences.length, 0);
    expect(asked).toBeLessThan(750);
    expect(stage.receiver.statistics.frames.neverArrived).toBe(750);
  });
});

describe('requests for what is too late to be shown', () => {
  test('follow those that were in time, by the round trip, and then ever more slowly', () => {
    const stage = new MendingStage().frames(0, 20, [1]).until(3_000);
    const times = stage.asked.map(({ ms }) => ms);
    const late = stage.lateRequests.map(({ ms }) => ms);
    expect(times[0]).toBe(83);
    expect(late.length).toBeGreaterThan(5);
    const gaps = late.slice(1).map((ms, index) => ms - late[index]!);
    expect(gaps[0]).toBeCloseTo(56.25, 1);
    expect(Math.max(...gaps)).toBeCloseTo(500, 0);
  });

  test('end when the frame is here', () => {
    const stage = new MendingStage().frames(0, 6, [1]).arrive(250, again(packet({ frame: 1 })));
    stage.until(3_000);
    expect(stage.asked.every(({ ms }) => ms < 250)).toBe(true);
  });

  test('are not made for a frame that no other refers to', () => {
    const stage = new MendingStage().frames(0, 1);
    const discardable = packets({ frame: 1, count: 2, sequence: 1, importance: 'discardable' }).map((_, index) =>
      packet({ frame: 1, index, count: 2, sequence: 1 + index, importance: 'discardable' }),
    );
    stage
      .arrive(40, discardable[0]!)
      .arrive(80, packet({ frame: 2, sequence: 3 }))
      .until(3_000);
    expect(stage.lateRequests).toEqual([]);
    expect(stage.told).toEqual(['120 onTime 0', '160 incomplete 1', '200 onTime 2']);
  });

  test('are not made for what cannot be decoded in any case', () => {
    const stage = new MendingStage({ mend: milliseconds(400) }).frames(0, 30, [1, 20]).until(3_000);
    const wanted = stage.lateRequests.flatMap(({ sequences }) => sequences.map((wire) => wire - 100));
    expect(new Set(wanted)).toEqual(new Set([1]));
  });
});

describe('the end of the stream', () => {
  test('leaves its last frame two seconds to be mended', () => {
    const stage = new MendingStage().frames(0, 3, [2]).end(120, 3, 2);
    stage.arrive(1_500, again(packet({ frame: 2 }))).until(1_600);
    expect(stage.told.slice(-2)).toEqual(['1500 mended 2', '1500 ended']);
  });

  test('comes all the same when the last frame does not', () => {
    const stage = new MendingStage().frames(0, 3, [2]).end(120, 3, 2).until(10_000);
    expect(stage.told.at(-1)).toMatch(/^\d+(\.\d+)? ended$/);
    expect(Number.parseFloat(stage.told.at(-1)!)).toBeLessThan(4_000);
  });

  test('decides what is held when the connection is gone', () => {
    const stage = new MendingStage().frames(0, 4, [1]).finish(250);
    expect(from(stage, 200)).toEqual(['250 neverArrived 1', '250 undecodable 2', '250 undecodable 3', '250 ended']);
  });
});

describe('a stranger’s stream without frame marks', () => {
  const plain = (frame: number) =>
    packet({ frame, mark: false, payload: Uint8Array.of(frame === 0 ? 0x65 : 0x41, 0x9a) });

  test('is mended as well', () => {
    const { initialFrameNumber: _, ...options } = { ...RECEIVER_OPTIONS, recovery: 'nack' as const };
    const stage = new MendingStage();
    const receiver = new Receiver({ ...options, mend: milliseconds(5_000), frameMarks: false });
    stage.use(receiver);
    for (const frame of [0, 1, 2, 4, 5, 6]) stage.arrive(frame * FRAME_MS, plain(frame));
    stage.arrive(300, plain(3)).until(500);
    expect(stage.told.map((line) => line.replace(/^[\d.]+ /, ''))).toEqual([
      'onTime 0',
      'onTime 1',
      'onTime 2',
      'mended 3',
      'late 4',
      'onTime 5',
      'onTime 6',
    ]);
  });
});
