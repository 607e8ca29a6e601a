import { expect, test } from 'vitest';
import { readUint16 } from '../../protocol/base/big-endian.ts';
import { milliseconds } from '../../protocol/base/units.ts';
import { packet, packets, payloadOf, retransmissionOf, Stage, unitOf } from './stage.ts';

const MARKED = { mark: 'edges' } as const;
const framesOf = (stage: Stage) => stage.units.map(({ parts }) => parts);
const sequenceOf = (datagram: Uint8Array) => readUint16(datagram, 2);
const partsOf = (frame: number, count: number) => unitOf(frame, count).parts;

test('completes the packets between the edges of a frame from its first packet', () => {
  const stage = new Stage({ latency: milliseconds(100) });
  stage.arrive(0, ...packets({ ...MARKED, frame: 0, count: 5 }));
  stage.arrive(40, ...packets({ ...MARKED, frame: 1, count: 5 })).until(400);
  expect(framesOf(stage)).toEqual([partsOf(0, 5), partsOf(1, 5)]);
});

test.each([
  ['first', 0],
  ['last', 4],
])('a frame whose %s packet is retransmitted is shown', (_, lost) => {
  const stage = new Stage({ latency: milliseconds(100) });
  const sent = packets({ ...MARKED, frame: 1, count: 5 });
  stage.arrive(0, ...packets({ ...MARKED, frame: 0, count: 5 }));
  stage.arrive(40, ...sent.filter((_datagram, index) => index !== lost));
  stage.arrive(80, retransmissionOf(sent[lost]!)).until(400);
  expect(framesOf(stage)).toEqual([partsOf(0, 5), partsOf(1, 5)]);
  expect(stage.receiver.statistics.packets).toMatchObject({ onTime: 9, late: 0, neverArrived: 0 });
});

const askedBy = (stage: Stage) =>
  new Set(stage.rtcpSent.flatMap(({ packet: rtcp }) => (rtcp.kind === 'nack' ? rtcp.sequenceNumbers : [])));

test.each(['nack', 'hybrid'] as const)(
  '%s requests the first packet of a frame before its frame is known',
  (recovery) => {
    const stage = new Stage({ latency: milliseconds(200), recovery });
    const sent = packets({ ...MARKED, frame: 1, count: 5 });
    stage.arrive(0, ...packets({ ...MARKED, frame: 0, count: 5 }));
    stage.arrive(40, sent[1]!, sent[2]!).until(60);
    expect([...askedBy(stage)]).toEqual([sequenceOf(sent[0]!)]);
  },
);

test('does not request a packet that it holds, and takes it when its frame is known', () => {
  const stage = new Stage({ latency: milliseconds(200) });
  const sent = packets({ ...MARKED, frame: 1, count: 4 });
  stage.arrive(0, ...packets({ ...MARKED, frame: 0, count: 4 }));
  stage.arrive(40, sent[1]!, sent[2]!);
  stage.arrive(80, ...packets({ ...MARKED, frame: 2, count: 4 })).until(100);
  expect([...askedBy(stage)]).toEqual([sent[0]!, sent[3]!].map(sequenceOf));
  stage.arrive(110, retransmissionOf(sent[0]!), retransmissionOf(sent[3]!)).until(500);
  expect(framesOf(stage)).toEqual([0, 1, 2].map((frame) => partsOf(frame, 4)));
});

test('packets whose frame is never known are counted as late, and the sums balance', () => {
  const stage = new Stage({ latency: milliseconds(100), recovery: 'reorder', onLoss: 'smear' });
  stage.arrive(0, ...packets({ ...MARKED, frame: 0, count: 4 }));
  stage.arrive(40, ...packets({ ...MARKED, frame: 1, count: 4 }).slice(1, 3));
  stage.arrive(80, ...packets({ ...MARKED, frame: 2, count: 4 })).until(500);
  expect(framesOf(stage)).toEqual([0, 2].map((frame) => partsOf(frame, 4)));
  const { frames, packets: classes } = stage.receiver.statistics;
  expect(frames).toMatchObject({ onTime: 2, neverArrived: 1 });
  expect(classes).toMatchObject({ onTime: 8, late: 2, neverArrived: 2 });
  stage.receiver.assertBalanced();
});

test('a held packet that arrives again is a duplicate', () => {
  const stage = new Stage({ latency: milliseconds(100) });
  const middle = packet({ ...MARKED, frame: 1, index: 1, count: 4 });
  stage.arrive(0, ...packets({ ...MARKED, frame: 0, count: 4 }));
  stage.arrive(40, middle, middle);
  expect(stage.receiver.statistics.duplicates).toBe(1);
});

test('takes marks in each packet and at the edges in one stream', () => {
  const stage = new Stage({ latency: milliseconds(100) });
  for (let frame = 0; frame < 4; frame++)
    stage.arrive(40 * frame, ...packets({ frame, count: 3, mark: frame % 2 === 0 ? true : 'edges' }));
  stage.until(600);
  expect(framesOf(stage)).toEqual([0, 1, 2, 3].map((frame) => partsOf(frame, 3)));
});

test('extends the short frame number across its wrap', () => {
  const stage = new Stage({ latency: milliseconds(100), initialFrameNumber: 0x1ffe });
  const sequence = (frame: number) => (frame - 0x1ffe) * 2;
  for (let frame = 0x1ffe; frame < 0x2003; frame++) {
    const options = { ...MARKED, frame, count: 2, importance: 'key', timestamp: (frame - 0x1ffe) * 3_600 } as const;
    stage.arrive(
      40 * (frame - 0x1ffe),
      ...[0, 1].map((index) => packet({ ...options, index, sequence: sequence(frame) + index })),
    );
  }
  stage.until(800);
  expect(framesOf(stage).map(([first]) => first)).toEqual(
    [0x1ffe, 0x1fff, 0x2000, 0x2001, 0x2002].map((frame) => payloadOf(frame, 0)),
  );
});
