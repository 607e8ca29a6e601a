import { describe, expect, test } from 'vitest';
import { microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { parseRecoveryNotice } from '../../../protocol/rtcp/recovery-notice.ts';
import { Receiver } from '../../../receiver/receiver.ts';
import type { ReceiverOptions } from '../../../receiver/receiver-options.ts';
import { RECEIVER_OPTIONS } from '../../simulated-session.ts';
import { FRAME_MS, packet, packets, retransmissionOf, Stage } from '../stage.ts';

/** Frames of 40 ms with a deadline 120 ms after they arrive: frame n at 40 n + 120. */
class MendingStage extends Stage {
  constructor(options: Partial<ReceiverOptions> = {}) {
    super({ mend: milliseconds(5_000), ...options });
  }

  /** Sends frames of one packet at their time, except those in `lost`. */
  frames(from: number, to: number, lost: readonly number[] = [], keys: readonly number[] = [0]): this {
    for (let frame = from; frame < to; frame++) {
      if (lost.includes(frame)) continue;
      this.arrive(frame * FRAME_MS, packet({ frame, importance: keys.includes(frame) ? 'key' : 'reference' }));
    }
    return this;
  }

  /** Requests for packets too late to be shown. */
  get lateRequests(): { readonly ms: number; readonly sequences: readonly number[] }[] {
    const requests: { ms: number; sequences: readonly number[] }[] = [];
    for (const [index, { ms, packet: sent }] of this.rtcpSent.entries()) {
      const notice = sent.kind === 'application' ? parseRecoveryNotice(sent) : undefined;
      const nack = this.rtcpSent[index + 1]?.packet;
      if (!notice?.ok || notice.value?.kind !== 'request' || !notice.value.late || nack?.kind !== 'nack') continue;
      requests.push({ ms, sequences: nack.sequenceNumbers });
    }
    return requests;
  }
}

const from = (stage: Stage, ms: number) => stage.eventLines.filter((line) => Number.parseFloat(line) >= ms);

describe('a frame that misses its deadline', () => {
  test('is shown at once when it arrives before the next deadline', () => {
    const stage = new MendingStage().frames(0, 5, [1]).arrive(190, retransmissionOf(packet({ frame: 1 })));
    stage.until(300);
    expect(stage.eventLines).toEqual(['120 onTime 0', '190 late 1', '200 onTime 2', '240 onTime 3', '280 onTime 4']);
  });

  test('is decoded with the frames that waited for it, the newest of which is shown', () => {
    const stage = new MendingStage().frames(0, 6, [1]).arrive(250, retransmissionOf(packet({ frame: 1 })));
    stage.until(300);
    expect(from(stage, 200)).toEqual(['250 mended 1', '250 mended 2', '250 late 3', '280 onTime 4']);
  });

  test('marks mended frames, and no others, as decode-only', () => {
    const stage = new MendingStage().frames(0, 6, [1]).arrive(250, retransmissionOf(packet({ frame: 1 })));
    stage.until(400);
    const marks = stage.events.flatMap((event) =>
      event.kind === 'access-unit' ? [`${event.class} ${event.decodeOnly}`] : [],
    );
    expect(marks).toEqual(['onTime false', 'mended true', 'mended true', 'late false', 'onTime false', 'onTime false']);
  });

  test('is dropped without mending, together with the frames that refer to it', () => {
    const stage = new MendingStage({ mend: microseconds(0) })
      .frames(0, 4, [1])
      .arrive(190, retransmissionOf(packet({ frame: 1 })));
    stage.until(300);
    expect(stage.eventLines).toEqual(['120 onTime 0', '160 neverArrived 1', '200 undecodable 2', '240 undecodable 3']);
  });

  test.each([{ recovery: 'reorder' }, { recovery: 'none' }, { onLoss: 'smear' }] as const)(
    'is dropped without requests, or when damaged frames are shown: %o',
    (options) => {
      const stage = new MendingStage(options).frames(0, 3, [1]).until(300);
      expect(stage.eventLines).toContain('160 neverArrived 1');
    },
  );

  test('is mended again when the next one is lost as well', () => {
    const stage = new MendingStage().frames(0, 8, [1, 4]).arrive(290, retransmissionOf(packet({ frame: 1 })));
    stage.arrive(330, retransmissionOf(packet({ frame: 4 }))).until(500);
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

  test('is not shown when it is half a second late', () => {
    const stage = new MendingStage().frames(0, 3, [1]).arrive(1_000, retransmissionOf(packet({ frame: 1 })));
    stage.until(1_100);
    expect(from(stage, 200)).toEqual(['1000 mended 1', '1000 mended 2']);
  });

  test('is mended when part of it was missing, even if it is the first frame', () => {
    const stage = new MendingStage();
    const [first, second] = packets({ frame: 0, count: 2 });
    stage.arrive(0, first!);
    for (let frame = 1; frame < 4; frame++) stage.arrive(frame * FRAME_MS, ...packets({ frame, count: 2 }));
    stage.arrive(170, retransmissionOf(second!)).until(250);
    expect(stage.eventLines).toEqual(['170 mended 0', '170 late 1', '200 onTime 2', '240 onTime 3']);
  });
});

describe('a frame that arrives whole after its deadline', () => {
  const wholeAt = (stage: Stage, ms: number, ...frames: readonly number[]) =>
    stage.arrive(ms, ...frames.map((frame) => packet({ frame })));

  test('is late, although nothing of it was missing when it was looked at', () => {
    const stage = new MendingStage().frames(0, 3);
    wholeAt(stage, 250, 3).until(400);
    expect(from(stage, 200)).toEqual(['200 onTime 2', '254 late 3']);
  });

  test.each(['deadline', 'asap'] as const)('is not shown when a newer one follows at once (release %s)', (release) => {
    const stage = new MendingStage({ release }).frames(0, 3);
    for (const [frame, ms] of [
      [3, 341],
      [4, 342],
      [5, 345],
    ] as const)
      wholeAt(stage, ms, frame);
    stage.frames(9, 10).until(500);
    expect(from(stage, 300).slice(0, 3)).toEqual(['342 mended 3', '345 mended 4', '349 late 5']);
  });

  test('is shown although the frames behind it are missing', () => {
    const stage = new MendingStage().frames(0, 3);
    wholeAt(stage, 341, 3);
    wholeAt(stage, 342, 8).until(400);
    expect(from(stage, 300)).toContain('345 late 3');
  });
});

describe('a later key frame', () => {
  test('takes over at its deadline, and the old group is given up', () => {
    const stage = new MendingStage().frames(0, 6, [1], [0, 4]).until(400);
    expect(from(stage, 200)).toEqual([
      '280 neverArrived 1',
      '280 undecodable 2',
      '280 undecodable 3',
      '280 onTime 4',
      '320 onTime 5',
    ]);
  });

  test('takes over as soon as the old group is overdue with release asap', () => {
    const stage = new MendingStage({ release: 'asap' }).frames(0, 4, [1], [0, 3]).until(400);
    expect(stage.eventLines.slice(0, 4)).toEqual([
      '0 onTime 0',
      '160 neverArrived 1',
      '160 undecodable 2',
      '160 onTime 3',
    ]);
  });

  test('does not take over while incomplete, but is mended itself', () => {
    const stage = new MendingStage({ mend: milliseconds(300) }).frames(0, 2, [1]);
    const key = packets({ frame: 2, count: 2, importance: 'key' });
    stage.arrive(80, key[0]!).arrive(480, retransmissionOf(key[1]!)).until(600);
    expect(from(stage, 150)).toEqual(['460 neverArrived 1', '484 late 2']);
  });

  test('leaves the old group its time until then', () => {
    const stage = new MendingStage()
      .frames(0, 6, [1], [0, 5])
      .arrive(230, retransmissionOf(packet({ frame: 1 })))
      .until(400);
    expect(from(stage, 200)).toEqual(['230 mended 1', '230 late 2', '240 onTime 3', '280 onTime 4', '320 onTime 5']);
  });
});

describe('the limit', () => {
  test('gives up a frame and those that refer to it at the time limit', () => {
    const stage = new MendingStage({ mend: milliseconds(500) }).frames(0, 4, [1]).until(2_000);
    expect(from(stage, 200)).toEqual(['660 neverArrived 1', '660 undecodable 2', '660 undecodable 3']);
  });

  test('evicts the oldest group at the byte limit', () => {
    // Each packet has a payload of four bytes.
    const stage = new MendingStage({ heldBytesMax: 8 }).frames(0, 5, [1]).until(1_000);
    expect(from(stage, 200)).toEqual([]);
    stage.frames(26, 27).until(1_200);
    expect(from(stage, 200)[0]).toBe('1040 neverArrived 1');
  });

  test('gives up the oldest frame at the frame limit', () => {
    const stage = new MendingStage({ framesMax: 20 }).frames(0, 60, [1], [0, 50]).until(3_000);
    expect(stage.receiver.statistics.overflowed).toBe(0);
    expect(stage.eventLines.at(-1)).toBe('2480 onTime 59');
  });

  test('bounds the requests for a forged announcement of a frame that never arrives', () => {
    const stage = new MendingStage().frames(0, 1);
    stage.arrive(40, packet({ frame: 1, index: 0, count: 60_000, sequence: 1 }));
    stage.until(10_000);
    const requested = stage.requests.reduce((sum, { sequences }) => sum + sequences.length, 0);
    // Requests in time, and in each round trip of five seconds the permitted number of late ones.
    expect(requested).toBeLessThan(512 + 64 * 90);
    expect(stage.eventLines.at(-1)).toBe('5160 incomplete 1');
  });

  test('bounds the requests after an outage of thirty seconds by the time limit', () => {
    const stage = new MendingStage().frames(0, 25);
    stage.frames(775, 800).until(34_000);
    const requested = stage.requests.reduce((sum, { sequences }) => sum + sequences.length, 0);
    expect(requested).toBeLessThan(750);
    expect(stage.receiver.statistics.frames.neverArrived).toBe(750);
  });
});

describe('requests for packets too late to be shown', () => {
  test('follow those in time, once per round trip at first and then ever less often', () => {
    const stage = new MendingStage().frames(0, 20, [1]).until(3_000);
    const times = stage.requests.map(({ ms }) => ms);
    // The first of each request's copies, which follow within 22 ms.
    const late = stage.lateRequests
      .map(({ ms }) => ms)
      .filter((ms, index, all) => index === 0 || ms - all[index - 1]! > 22);
    expect(times[0]).toBe(83);
    expect(late.length).toBeGreaterThan(5);
    const gaps = late.slice(1).map((ms, index) => ms - late[index]!);
    expect(gaps[0]).toBeCloseTo(56.25, 1);
    expect(Math.max(...gaps)).toBeCloseTo(500, 0);
  });

  test('end when the frame arrives', () => {
    const stage = new MendingStage().frames(0, 6, [1]).arrive(250, retransmissionOf(packet({ frame: 1 })));
    stage.until(3_000);
    expect(stage.requests.every(({ ms }) => ms < 250)).toBe(true);
  });

  test('are made for a discardable frame while a recording waits for it', () => {
    const stage = new MendingStage({ records: true }).frames(0, 1);
    const [first, second] = [0, 1].map((index) =>
      packet({ frame: 1, index, count: 2, sequence: 1 + index, importance: 'discardable' }),
    );
    stage.arrive(40, first!);
    stage.arrive(80, packet({ frame: 2, sequence: 3 })).arrive(120, packet({ frame: 3, sequence: 4 }));
    expect(stage.until(200).lateRequests).not.toEqual([]);
    stage.arrive(215, retransmissionOf(second!)).until(300);
    expect(stage.eventLines).toEqual(['120 onTime 0', '215 mended 1', '215 late 2', '240 onTime 3']);
  });

  test('are not made for a discardable frame', () => {
    const stage = new MendingStage().frames(0, 1);
    const discardable = packets({ frame: 1, count: 2, sequence: 1, importance: 'discardable' }).map((_, index) =>
      packet({ frame: 1, index, count: 2, sequence: 1 + index, importance: 'discardable' }),
    );
    stage
      .arrive(40, discardable[0]!)
      .arrive(80, packet({ frame: 2, sequence: 3 }))
      .until(3_000);
    expect(stage.lateRequests).toEqual([]);
    expect(stage.eventLines).toEqual(['120 onTime 0', '160 incomplete 1', '200 onTime 2']);
  });

  test('are not made for a frame that cannot be decoded anyway', () => {
    const stage = new MendingStage({ mend: milliseconds(400) }).frames(0, 30, [1, 20]).until(3_000);
    const wanted = stage.lateRequests.flatMap(({ sequences }) => sequences.map((wire) => wire - 100));
    expect(new Set(wanted)).toEqual(new Set([1]));
  });
});

describe('the end of the stream', () => {
  test('leaves two seconds to mend its last frame', () => {
    const stage = new MendingStage().frames(0, 3, [2]).end(120, 3, 2);
    stage.arrive(1_500, retransmissionOf(packet({ frame: 2 }))).until(1_600);
    expect(stage.eventLines.slice(-2)).toEqual(['1500 mended 2', '1500 ended']);
  });

  test('is reached even if the last frame never arrives', () => {
    const stage = new MendingStage().frames(0, 3, [2]).end(120, 3, 2).until(10_000);
    expect(stage.eventLines.at(-1)).toMatch(/^\d+(\.\d+)? ended$/);
    expect(Number.parseFloat(stage.eventLines.at(-1)!)).toBeLessThan(4_000);
  });

  test('decides the held frames when the connection closes', () => {
    const stage = new MendingStage().frames(0, 4, [1]).finish(250);
    expect(from(stage, 200)).toEqual(['250 neverArrived 1', '250 undecodable 2', '250 undecodable 3', '250 ended']);
  });
});

describe('plain RTP without frame marks', () => {
  const plain = (frame: number) =>
    packet({ frame, mark: false, payload: Uint8Array.of(frame === 0 ? 0x65 : 0x41, 0x9a) });

  test('is mended as well', () => {
    const { initialFrameNumber: _, ...options } = { ...RECEIVER_OPTIONS, recovery: 'nack' as const };
    const stage = new MendingStage();
    const receiver = new Receiver({ ...options, mend: milliseconds(5_000), frameMarks: false });
    stage.use(receiver);
    for (const frame of [0, 1, 2, 4, 5, 6]) stage.arrive(frame * FRAME_MS, plain(frame));
    stage.arrive(300, plain(3)).until(500);
    expect(stage.eventLines.map((line) => line.replace(/^[\d.]+ /, ''))).toEqual([
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
