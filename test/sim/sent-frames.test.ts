import { expect, test } from 'vitest';
import { ticks } from '../../protocol/base/units.ts';
import { Packetizer } from '../../sender/packetizer.ts';
import { senderOptions } from '../../sender/sender-options.ts';
import { SentFrames } from '../../sim/sent-frames.ts';
import { simulatedStream } from '../../sim/simulated-stream.ts';

/** Frames of one, two, seven, eight, thirty and some 450 packets. */
const FRAME_BYTES = [500, 2_000, 7_500, 8_900, 33_000, 500_000, 500];

test.each([true, 'edges'] as const)('finds the place of each packet with frame marks of %s', (frameMarks) => {
  const packetizer = new Packetizer(senderOptions(simulatedStream({ recovery: 'reorder', frameMarks })));
  const sent = new SentFrames();
  for (const [frame, bytes] of FRAME_BYTES.entries()) {
    const timestamp = ticks(frame * 3_000);
    const parts = [new Uint8Array(bytes).fill(0x65)];
    const { datagrams } = packetizer.packetize({ parts, timestamp, decodeTimestamp: timestamp, importance: 'key' });
    for (const [packetIndex, datagram] of datagrams.entries()) {
      sent.next(datagram);
      expect(sent).toMatchObject({ frame, packetIndex, packetCount: datagrams.length });
    }
  }
});

test('refuses a packet without a mark where a frame must begin', () => {
  const unmarked = simulatedStream({ recovery: 'reorder', frameMarks: false });
  const packetizer = new Packetizer(senderOptions(unmarked));
  const timestamp = ticks(0);
  const unit = { parts: [Uint8Array.of(0x65)], timestamp, decodeTimestamp: timestamp, importance: 'key' } as const;
  const [datagram] = packetizer.packetize(unit).datagrams;
  expect(() => new SentFrames().next(datagram!)).toThrow('the first packet of a frame must have a mark');
});
