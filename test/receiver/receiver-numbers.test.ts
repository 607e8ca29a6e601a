import { describe, expect, test } from 'vitest';
import { milliseconds } from '../../protocol/base/units.ts';
import { serializeRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { MEDIA_SSRC, RECEIVER_OPTIONS, SENDER_OPTIONS } from '../simulated-session.ts';
import { FRAME_MS, FRAME_TICKS, INITIAL_SEQUENCE, packet, packets, Stage, unitOf } from './stage.ts';

/** Sends frames of one packet each at their time. */
function live(stage: Stage, from: number, to: number, options: { sequenceOf?: (frame: number) => number } = {}): Stage {
  for (let frame = from; frame < to; frame++) {
    const sequence = options.sequenceOf?.(frame) ?? frame;
    stage.arrive(frame * FRAME_MS, packet({ frame, sequence }));
  }
  return stage;
}

describe('wrapping numbers', () => {
  test.each([0, 1, 32_767, 32_768, 65_535])('sequence numbers, from %i', (initialSequence) => {
    const stage = new Stage({ initialSequence: wireSequence(initialSequence) });
    // The stage's packets count from its own first number; these count from another one.
    const sequenceOf = (frame: number) => initialSequence - INITIAL_SEQUENCE + frame;
    live(stage, 0, 6, { sequenceOf }).until(1_000);
    expect(stage.units).toEqual([0, 1, 2, 3, 4, 5].map((frame) => unitOf(frame)));
    expect(stage.receiver.statistics.packets).toMatchObject({ decided: 6, onTime: 6 });
  });

  test.each([0, 1, 32_767, 32_768, 65_535])('frame numbers, from %i', (initialFrameNumber) => {
    const stage = new Stage({ initialFrameNumber });
    for (let step = 0; step < 6; step++) {
      const options = {
        importance: step === 0 ? 'key' : 'reference',
        sequence: step,
        timestamp: step * FRAME_TICKS,
      } as const;
      stage.arrive(step * FRAME_MS, packet({ frame: initialFrameNumber + step, ...options }));
    }
    const numbers = stage.until(1_000).eventLines.map((line) => Number(line.split(' ')[2]));
    expect(numbers).toEqual([0, 1, 2, 3, 4, 5].map((step) => initialFrameNumber + step));
  });

  test.each([0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1])('timestamps, from %i', (timestampBase) => {
    const stage = new Stage({ timestampBase: wireTimestamp(timestampBase) });
    const shift = timestampBase - SENDER_OPTIONS.timestampBase;
    for (let frame = 0; frame < 6; frame++) {
      stage.arrive(frame * FRAME_MS, packet({ frame, timestamp: frame * FRAME_TICKS + shift }));
    }
    expect(stage.until(1_000).units).toEqual([0, 1, 2, 3, 4, 5].map((frame) => unitOf(frame)));
  });

  test('packets reordered across the wrap are extended correctly', () => {
    const stage = new Stage({ initialSequence: wireSequence(65_534), recovery: 'reorder' });
    const sequenceOf = (frame: number) => 65_534 - INITIAL_SEQUENCE + frame;
    const of = (frame: number) => packet({ frame, sequence: sequenceOf(frame) });
    stage.arrive(0, of(0)).arrive(85, of(2), of(1)).arrive(130, of(3)).until(1_000);
    expect(stage.units).toEqual([0, 1, 2, 3].map((frame) => unitOf(frame)));
  });
});

describe('an outage', () => {
  // 25 frames per second of 400 packets each: 10,000 packets per second.
  const COUNT = 400;
  const run = (stage: Stage, from: number, to: number) => {
    for (let frame = from; frame < to; frame++) {
      const importance = frame % 10 === 0 ? 'key' : 'reference';
      stage.arrive(frame * FRAME_MS, ...packets({ frame, count: COUNT, importance }));
    }
  };

  test.each([
    ['shorter than half a round of sequence numbers', 10, 70],
    ['of more than half a round', 10, 110],
    ['of a whole round and a little', 10, 180],
    ['of many rounds', 10, 1_300],
  ])('%s is survived, and every frame of it accounted for', (_, from, to) => {
    const stage = new Stage({ recovery: 'reorder' });
    run(stage, 0, from);
    run(stage, to, to + 20);
    stage.until((to + 30) * FRAME_MS);
    const { frames } = stage.receiver.statistics;
    expect(frames.decided).toBe(to + 20);
    expect(frames.neverArrived).toBe(to - from);
    expect(frames.onTime).toBe(from + 20);
  });

  test('longer than all frames held is survived as well', () => {
    const stage = live(new Stage({ recovery: 'reorder', framesMax: 50, onLoss: 'smear' }), 0, 10);
    live(stage, 3_000, 3_010).until(3_030 * FRAME_MS);
    expect(stage.receiver.statistics.frames).toMatchObject({ decided: 3_010, onTime: 20, neverArrived: 2_990 });
  });

  test('after a stall of the sender, media time moves and the stream plays again within a second', () => {
    const stage = live(new Stage({ recovery: 'reorder', onLoss: 'smear' }), 0, 50);
    // The sender paused for ten seconds and resumed where it was: every later frame is ten seconds late.
    for (let frame = 50; frame < 150; frame++) {
      stage.arrive(
        frame * FRAME_MS + 10_000,
        ...packets({ frame, count: 2, sequence: 50 + (frame - 50) * 2 }).slice(0, 1),
      );
      stage.arrive(frame * FRAME_MS + 10_005, packet({ frame, count: 2, index: 1, sequence: 51 + (frame - 50) * 2 }));
    }
    stage.until(30_000);
    const { frames } = stage.receiver.statistics;
    expect(frames.decided).toBe(150);
    expect(frames.incomplete).toBeLessThan(30);
    expect(frames.onTime).toBeGreaterThan(120);
  });
});

describe('implausible numbers', () => {
  test('a single packet far ahead, damaged or forged, affects no others', () => {
    for (const forged of [
      packet({ frame: 3, sequence: 20_000 }),
      packet({ frame: 3, timestamp: 2 ** 30 }),
      packet({ frame: 3, timestamp: 2 ** 31 - 1 }),
      packet({ frame: 3 + 512 }),
      packet({ frame: 3 + 30_000, sequence: 4 }),
    ]) {
      const stage = live(new Stage({ recovery: 'reorder', onLoss: 'smear' }), 0, 3);
      stage.arrive(3 * FRAME_MS - 1, forged);
      live(stage, 3, 50).until(5_000);
      expect(stage.units).toHaveLength(50);
      const { frames, packets: classes } = stage.receiver.statistics;
      expect(frames.onTime).toBe(50);
      expect(classes.decided).toBe(50);
    }
  });

  test('a stream that continues there is followed from its second packet on, and loses neither', () => {
    const stage = live(new Stage({ recovery: 'reorder', onLoss: 'smear' }), 0, 3);
    live(stage, 3, 6, { sequenceOf: (frame) => frame + 20_000 }).until(1_000);
    expect(stage.units).toEqual([0, 1, 2, 3, 4, 5].map((frame) => unitOf(frame)));
    expect(stage.receiver.statistics.packets).toMatchObject({ decided: 20_006, neverArrived: 20_000, onTime: 6 });
  });

  test('a frame whose first packet is false is corrected by the next two', () => {
    const stage = live(new Stage({ recovery: 'reorder', onLoss: 'smear' }), 0, 1);
    const [first, ...rest] = packets({ frame: 1, count: 5, sequence: 1 });
    expect(first).toBeDefined();
    stage.arrive(39, packet({ frame: 1, count: 60_000, sequence: 1 }), ...packetsOf(rest));
    for (let frame = 2; frame < 10; frame++) stage.arrive(frame * FRAME_MS, packet({ frame, sequence: frame + 4 }));
    stage.until(2_000);
    // Its first packet is lost with the false mark; everything else is as before.
    expect(stage.receiver.statistics).toMatchObject({
      frames: { decided: 10, incomplete: 1, onTime: 9 },
      packets: { decided: 14, onTime: 13, neverArrived: 1 },
    });
  });

  const packetsOf = (rest: readonly Uint8Array[]) =>
    rest.map((_, index) => packet({ frame: 1, count: 5, index: index + 1, sequence: 2 + index }));

  test('a single packet that announces sixty thousand more costs only its own frame', () => {
    const stage = live(new Stage({ onLoss: 'smear' }), 0, 5);
    stage.arrive(5 * FRAME_MS, packet({ frame: 5, count: 60_000, sequence: 5 }));
    live(stage, 6, 40).until(3_000);
    const { frames, packets: classes } = stage.receiver.statistics;
    expect(frames.decided).toBe(40);
    expect(frames.onTime).toBe(39);
    expect(classes).toMatchObject({ decided: 40, onTime: 39 });
    // Few requests are made for the announced packets.
    expect(stage.requests.flatMap(({ sequences }) => sequences).length).toBeLessThan(5_000);
  });

  test('frames that claim the same packets are entered once', () => {
    const stage = new Stage({ recovery: 'reorder', onLoss: 'smear' });
    stage.arrive(0, ...packets({ frame: 0, count: 4 }));
    // Claims to be the third of four, so that the frame overlaps the one before.
    stage.arrive(40, packet({ frame: 1, index: 2, count: 4, sequence: 4 }));
    stage.arrive(80, ...packets({ frame: 2, count: 4 })).until(1_000);
    expect(stage.receiver.statistics.packets).toMatchObject({ decided: 12, onTime: 8 });
    expect(stage.units).toEqual([unitOf(0, 4), unitOf(2, 4)]);
    expect(stage.receiver.statistics.malformed).toBe(1);
  });

  test('a frame whose timestamp is ahead is neither waited for nor shown', () => {
    const stage = live(new Stage({ onLoss: 'smear' }), 0, 3);
    stage.arrive(3 * FRAME_MS, packet({ frame: 3, timestamp: 3 * FRAME_TICKS + 4 * 90_000 }));
    live(stage, 4, 8).until(500);
    expect(stage.eventLines.slice(3, 6)).toEqual(['280 malformed', '280 undecodable 3', '280 onTime 4']);
    expect(stage.eventLines.at(-1)).toBe('400 onTime 7');
  });

  test('a frame whose timestamp is behind is not shown, and time does not run backwards', () => {
    const stage = live(new Stage({ onLoss: 'smear' }), 0, 3);
    stage.arrive(3 * FRAME_MS, packet({ frame: 3, timestamp: -1_000 }));
    live(stage, 4, 8).until(500);
    expect(stage.units).toEqual([0, 1, 2, 4, 5, 6, 7].map((frame) => unitOf(frame)));
  });
});

describe('datagrams outside the stream', () => {
  test.each([
    ['another source', packet({ frame: 1, ssrc: 99 }), 'foreign'],
    ['another payload type', packet({ frame: 1, payloadType: 100 }), 'foreign'],
    ['no mark, and a timestamp of no frame', packet({ frame: 1, mark: false, timestamp: 7 }), 'duplicates'],
    ['neither RTP nor RTCP', Uint8Array.of(1, 2, 3), 'foreign'],
    ['an empty datagram', new Uint8Array(0), 'foreign'],
    ['a header cut short', packet({ frame: 1 }).subarray(0, 20), 'malformed'],
    ['a mark that contradicts itself', damaged(packet({ frame: 1, count: 2 }), 20, 0xff), 'malformed'],
    ['a mark of no importance', damaged(packet({ frame: 1 }), 17, 0), 'malformed'],
  ] as const)('%s is counted, and changes nothing', (_, datagram, counter) => {
    const stage = new Stage().arrive(0, packet({ frame: 0 })).arrive(20, datagram);
    live(stage, 1, 3).until(500);
    expect(stage.units).toEqual([unitOf(0), unitOf(1), unitOf(2)]);
    expect(stage.receiver.statistics[counter]).toBe(1);
    expect(stage.receiver.statistics.packets).toMatchObject({ decided: 3, onTime: 3 });
  });

  test('padding belongs to no frame and is not lost', () => {
    const stage = live(new Stage({ recovery: 'nack' }), 0, 1);
    const padding = serializeRtpPacket({
      marker: false,
      payloadType: 96,
      sequenceNumber: wireSequence(INITIAL_SEQUENCE + 1),
      timestamp: SENDER_OPTIONS.timestampBase,
      ssrc: MEDIA_SSRC,
      csrcs: [],
      payload: new Uint8Array(0),
    });
    stage.arrive(20, padding, padding);
    live(stage, 1, 4, { sequenceOf: (frame) => frame + 1 }).until(500);
    expect(stage.units).toEqual([0, 1, 2, 3].map((frame) => unitOf(frame)));
    expect(stage.receiver.statistics).toMatchObject({ packets: { decided: 5, onTime: 5 }, duplicates: 1, requests: 0 });
  });

  test('a frame of malformed payloads is dropped and reported', () => {
    const stage = live(new Stage(), 0, 1);
    // An FU-A fragment without its start.
    stage.arrive(40, packet({ frame: 1, payload: Uint8Array.of(0x7c, 0x01, 0xaa) })).until(500);
    expect(stage.eventLines).toEqual(['120 onTime 0', '160 malformed', '160 undecodable 1']);
  });
});

describe('joining', () => {
  test('a late joiner shows nothing before a key frame', () => {
    const { ssrc, payloadType, reportSsrc, cname, latency, ...rest } = RECEIVER_OPTIONS;
    const { initialSequence: _, initialFrameNumber: __, timestampBase: ___, ...others } = rest;
    expect([ssrc, payloadType, reportSsrc, cname, latency]).toHaveLength(5);
    const stage = new Stage({ ...others });
    for (let frame = 400; frame < 406; frame++) {
      stage.arrive(frame * FRAME_MS, packet({ frame, importance: frame === 403 ? 'key' : 'reference' }));
    }
    stage.until(20_000);
    expect(stage.units.map(({ importance }) => importance)).toEqual(['key', 'reference', 'reference']);
    expect(stage.receiver.statistics.frames).toMatchObject({ undecodable: 3, onTime: 3 });
  });

  test('a restarted sender is another stream: a new receiver plays it, the old one ignores it', () => {
    const stage = live(new Stage(), 0, 5);
    const restarted = packet({ frame: 0, ssrc: 4_711 });
    stage.arrive(250, restarted).until(1_000);
    expect(stage.receiver.statistics.foreign).toBe(1);
    expect(new Stage({ ssrc: 4_711 }).arrive(250, restarted).until(1_000).units).toEqual([unitOf(0)]);
  });

  test('the first packets of a stream may arrive in any order', () => {
    const stage = new Stage({ recovery: 'reorder' });
    stage.arrive(0, packet({ frame: 2 }), packet({ frame: 1 }), packet({ frame: 0 })).until(500);
    expect(stage.units).toEqual([unitOf(0), unitOf(1), unitOf(2)]);
  });
});

test('buffers are bounded, whatever is sent', () => {
  const stage = new Stage({ framesMax: 20, latency: milliseconds(60_000) });
  for (let frame = 0; frame < 200; frame++) stage.arrive(frame, packet({ frame }));
  expect(stage.receiver.statistics.overflowed).toBe(180);
});

function damaged(datagram: Uint8Array, offset: number, byte: number): Uint8Array {
  const copy = datagram.slice();
  copy[offset] = byte;
  return copy;
}
