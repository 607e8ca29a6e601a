import { describe, expect, test } from 'vitest';
import { instant, milliseconds } from '../../protocol/base/units.ts';
import { FRAME_MS, packet, packets, retransmissionOf, Stage, unitOf } from './stage.ts';

/** Sends frames of one packet at their time, except those left out. */
function stream(stage: Stage, from: number, to: number, leftOut: readonly number[] = []): Stage {
  for (let frame = from; frame < to; frame++) {
    if (!leftOut.includes(frame)) stage.arrive(frame * FRAME_MS, packet({ frame }));
  }
  return stage;
}

describe('in order', () => {
  test('each frame is released the latency after its arrival on the fastest path', () => {
    const stage = stream(new Stage(), 0, 3).until(300);
    expect(stage.eventLines).toEqual(['120 onTime 0', '160 onTime 1', '200 onTime 2']);
    expect(stage.units).toEqual([unitOf(0), unitOf(1), unitOf(2)]);
  });

  test('with release asap, a frame is released as soon as it can be decoded', () => {
    const stage = stream(new Stage({ release: 'asap' }), 0, 3);
    expect(stage.eventLines).toEqual(['0 onTime 0', '40 onTime 1', '80 onTime 2']);
  });

  test('restores frames of many packets', () => {
    const stage = new Stage();
    for (const frame of [0, 1]) stage.arrive(frame * FRAME_MS, ...packets({ frame, count: 7 }));
    expect(stage.until(500).units).toEqual([unitOf(0, 7), unitOf(1, 7)]);
  });

  test('the decode lead moves the deadline before the presentation time', () => {
    const stage = new Stage();
    stage.arrive(0, packet({ frame: 0, timestamp: 2 * 3_600, lead: 2 * 3_600 }));
    stage.arrive(40, packet({ frame: 1, timestamp: 5 * 3_600, lead: 4 * 3_600 }));
    stage.arrive(80, packet({ frame: 2, timestamp: 3 * 3_600, lead: 3_600, importance: 'discardable' }));
    expect(stage.until(400).eventLines).toEqual(['120 onTime 0', '160 onTime 1', '200 onTime 2']);
    expect(stage.units.map(({ timestamp, decodeTimestamp }) => [timestamp, decodeTimestamp])).toEqual([
      [7_200, 0],
      [18_000, 3_600],
      [10_800, 7_200],
    ]);
  });
});

describe('out of order', () => {
  test('frames are released in order, and reordered packets are counted', () => {
    const stage = new Stage();
    stage.arrive(0, packet({ frame: 0 }));
    stage.arrive(85, packet({ frame: 2 }), packet({ frame: 1 }));
    expect(stage.until(400).eventLines).toEqual(['120 onTime 0', '160 onTime 1', '200 onTime 2']);
    expect(stage.receiver.statistics.packets).toMatchObject({ onTime: 2, reordered: 1, late: 0, neverArrived: 0 });
  });

  test('the packets of a frame may arrive in reverse', () => {
    const stage = new Stage().arrive(0, ...packets({ frame: 0, count: 5 }).reverse());
    expect(stage.until(200).units).toEqual([unitOf(0, 5)]);
    expect(stage.receiver.statistics.packets).toMatchObject({ onTime: 1, reordered: 4 });
  });

  test('without recovery, a packet after a later one is discarded and counted as late', () => {
    const stage = new Stage({ recovery: 'none', onLoss: 'smear' });
    stage.arrive(0, packet({ frame: 0 })).arrive(85, packet({ frame: 2 }), packet({ frame: 1 }));
    expect(stage.until(400).eventLines).toEqual(['120 onTime 0', '160 neverArrived 1', '200 onTime 2']);
    expect(stage.receiver.statistics).toMatchObject({ packets: { onTime: 2, reordered: 0, late: 1 }, duplicates: 0 });
  });
});

describe('twice', () => {
  test.each(['none', 'reorder', 'nack'] as const)('a duplicate changes nothing and is counted (%s)', (recovery) => {
    const stage = new Stage({ recovery });
    for (const frame of [0, 1, 2]) stage.arrive(frame * FRAME_MS, packet({ frame }), packet({ frame }));
    stage.arrive(150, packet({ frame: 0 }));
    stage.arrive(190, packet({ frame: 1 }), packet({ frame: 2 }));
    expect(stage.until(400).units).toEqual([unitOf(0), unitOf(1), unitOf(2)]);
    expect(stage.receiver.statistics.duplicates).toBe(6);
    expect(stage.receiver.statistics.packets.decided).toBe(3);
  });

  test('a late packet that arrives twice counts as late once and as a duplicate once', () => {
    const stage = stream(new Stage({ recovery: 'reorder' }), 0, 4, [1]);
    stage.arrive(250, packet({ frame: 1 }), packet({ frame: 1 }));
    expect(stage.receiver.statistics).toMatchObject({ packets: { late: 1, neverArrived: 0 }, duplicates: 1 });
  });
});

describe('too late', () => {
  test('a packet after its deadline is counted as late, not played', () => {
    const stage = stream(new Stage({ recovery: 'reorder', onLoss: 'smear' }), 0, 5, [2]);
    stage.arrive(230, packet({ frame: 2 })).until(400);
    expect(stage.eventLines).toEqual([
      '120 onTime 0',
      '160 onTime 1',
      '200 neverArrived 2',
      '240 onTime 3',
      '280 onTime 4',
    ]);
    expect(stage.receiver.statistics.packets).toMatchObject({ onTime: 4, late: 1, neverArrived: 0 });
  });

  test('a frame incomplete at its deadline is dropped, and its remaining packets are late', () => {
    const stage = new Stage({ recovery: 'reorder', onLoss: 'smear' });
    for (const frame of [0, 1, 2]) {
      const sent = packets({ frame, count: 3 });
      stage.arrive(frame * FRAME_MS, ...(frame === 1 ? sent.slice(0, 2) : sent));
    }
    stage.arrive(165, packet({ frame: 1, index: 2, count: 3 })).until(400);
    expect(stage.eventLines).toEqual(['120 onTime 0', '160 incomplete 1', '200 onTime 2']);
    expect(stage.receiver.statistics.packets).toMatchObject({ decided: 9, onTime: 8, late: 1, neverArrived: 0 });
  });

  test('the same holds for the newest frame, after which nothing has arrived', () => {
    const stage = new Stage({ recovery: 'reorder' });
    stage.arrive(0, ...packets({ frame: 0, count: 3 }).slice(0, 1)).until(130);
    expect(stage.eventLines).toEqual(['120 incomplete 0']);
    stage.arrive(140, ...packets({ frame: 0, count: 3 }).slice(1));
    stage.arrive(150, ...packets({ frame: 1, count: 3 })).until(400);
    expect(stage.receiver.statistics).toMatchObject({ packets: { decided: 6, onTime: 4, late: 2 }, duplicates: 0 });
  });

  test('a packet exactly at the deadline is on time', () => {
    const stage = new Stage({ recovery: 'reorder' });
    stage.arrive(0, packet({ frame: 0, count: 2 }));
    stage.receiver.handleDatagram(instant(120_000 - 1), packet({ frame: 0, index: 1, count: 2 }));
    expect(stage.until(200).eventLines).toEqual(['120 onTime 0']);
  });
});

describe('a lost reference', () => {
  test('freezes the picture until the next key frame, which is requested', () => {
    const stage = new Stage({ recovery: 'reorder' });
    for (const frame of [0, 2, 3, 4]) {
      stage.arrive(frame * FRAME_MS, packet({ frame, importance: frame % 4 === 0 ? 'key' : 'reference' }));
    }
    expect(stage.until(400).eventLines).toEqual([
      '120 onTime 0',
      '160 neverArrived 1',
      '200 undecodable 2',
      '240 undecodable 3',
      '280 onTime 4',
    ]);
    const requests = stage.rtcpSent.filter(({ packet }) => packet.kind === 'picture-loss-indication');
    expect(requests.map(({ ms }) => ms)).toEqual([200]);
  });

  test('with smear, every complete frame is shown', () => {
    const stage = stream(new Stage({ recovery: 'reorder', onLoss: 'smear' }), 0, 4, [1]);
    expect(stage.until(400).eventLines).toEqual(['120 onTime 0', '160 neverArrived 1', '200 onTime 2', '240 onTime 3']);
  });

  test('with smear, nothing is shown before the first key frame', () => {
    const stage = stream(new Stage({ recovery: 'reorder', onLoss: 'smear' }), 0, 3, [0]);
    expect(stage.until(400).eventLines.map((line) => line.split(' ')[1])).toEqual([
      'neverArrived',
      'undecodable',
      'undecodable',
    ]);
  });

  test('a discardable frame may be lost without consequences', () => {
    const stage = new Stage({ recovery: 'reorder' });
    stage.arrive(0, packet({ frame: 0, count: 2 }), packet({ frame: 0, index: 1, count: 2 }));
    stage.arrive(40, packet({ frame: 1, count: 2, importance: 'discardable' }));
    stage.arrive(80, ...packets({ frame: 2, count: 2 }));
    expect(stage.until(400).eventLines).toEqual(['120 onTime 0', '160 incomplete 1', '200 onTime 2']);
  });
});

describe('the end of a stream', () => {
  test('is reported once every frame is decided', () => {
    const stage = stream(new Stage(), 0, 3).end(90, 3, 2).until(1_000);
    expect(stage.eventLines).toEqual(['120 onTime 0', '160 onTime 1', '200 onTime 2', '200 ended']);
    expect(stage.receiver.ended).toBe(true);
  });

  test('with its tail missing reports the tail as never arrived', () => {
    const stage = stream(new Stage({ recovery: 'reorder' }), 0, 3)
      .end(90, 5, 6)
      .until(2_000);
    expect(stage.eventLines).toEqual([
      '120 onTime 0',
      '160 onTime 1',
      '200 onTime 2',
      // Packets overtaken by the control channel may be in flight: the latency, and a second for the unknown path.
      '1210 neverArrived 3',
      '1210 neverArrived 4',
      '1210 ended',
    ]);
    expect(stage.receiver.statistics.packets).toMatchObject({ decided: 7, neverArrived: 4 });
  });

  test('with its tail missing requests and recovers the tail', () => {
    const stage = stream(new Stage({ latency: milliseconds(400) }), 0, 3);
    // Nobody answers probes here: the round trip is unknown, and a second is allowed for packets in flight.
    stage.end(90, 4, 3);
    stage.arrive(130, retransmissionOf(packet({ frame: 3 }))).until(2_000);
    expect(stage.eventLines.slice(-2)).toEqual(['520 recovered 3', '520 ended']);
  });

  test('with everything missing reports everything as never arrived', () => {
    const stage = new Stage().end(10, 4, undefined).until(5_000);
    expect(stage.eventLines.map((line) => line.split(' ').slice(1).join(' '))).toEqual([
      'neverArrived 0',
      'neverArrived 1',
      'neverArrived 2',
      'neverArrived 3',
      'ended',
    ]);
    expect(stage.receiver.statistics.frames).toMatchObject({ decided: 4, neverArrived: 4 });
  });

  test('without a single frame is reached at once', () => {
    expect(new Stage().end(10, 0, undefined).eventLines).toEqual(['10 ended']);
  });

  test('after a broken connection decides the remaining frames as if due', () => {
    const stage = stream(new Stage({ recovery: 'reorder' }), 0, 4, [2]);
    expect(stage.finish(131).eventLines).toEqual([
      '120 onTime 0',
      '131 onTime 1',
      '131 neverArrived 2',
      '131 undecodable 3',
      '131 ended',
    ]);
    const due = stage.receiver.pollTimeout();
    expect(due === undefined || due > 131_000).toBe(true);
  });
});

describe('a transport without loss', () => {
  test('drops nothing: frames after their deadline are released and reported as late', () => {
    const stage = new Stage({ overdue: 'wait', recovery: 'reorder' });
    stage.arrive(0, packet({ frame: 0 }));
    stage.arrive(700, packet({ frame: 1 }), packet({ frame: 2 }), packet({ frame: 3 })).until(2_000);
    expect(stage.eventLines).toEqual(['120 onTime 0', '700 late 1', '700 late 2', '700 late 3']);
    expect(stage.units).toEqual([0, 1, 2, 3].map((frame) => unitOf(frame)));
  });

  test('waits for the rest of a frame for any time', () => {
    const stage = new Stage({ overdue: 'wait', recovery: 'reorder' });
    stage.arrive(0, packet({ frame: 0, count: 2 }));
    stage.arrive(9_000, packet({ frame: 0, index: 1, count: 2 }));
    expect(stage.eventLines).toEqual(['9000 late 0']);
  });

  test('keeps reporting sustained lateness, which the clock does not hide', () => {
    const stage = new Stage({ overdue: 'wait', recovery: 'reorder' });
    stage.arrive(0, packet({ frame: 0 }));
    for (let frame = 1; frame < 60; frame++) stage.arrive(frame * FRAME_MS + 1_000, packet({ frame }));
    expect(stage.until(9_000).receiver.statistics.frames).toMatchObject({ onTime: 1, late: 59 });
  });
});
