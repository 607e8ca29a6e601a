import { expect, test } from 'vitest';
import { runSession } from './simulated-session.ts';

/** Payload of a datagram is about 1,150 bytes; the window of the repair code is 512 packets. */
const PACKET_BYTES = 1_150;

test.each([130, 400, 1_000])('frames of %i packets are repaired by fec', (packets) => {
  const bytes = packets * PACKET_BYTES;
  const { sent, received, sender, receiver } = runSession({
    forward: 'loss=2% delay=20ms seed=3',
    back: 'delay=20ms',
    latencyMs: 500,
    parameters: { recovery: 'fec' },
    stream: { framesPerSecond: 5, frameBytes: bytes, keyFrameBytes: bytes, frames: 4 },
  });
  expect(received.map(({ timestamp }) => timestamp)).toEqual(sent.map(({ timestamp }) => timestamp));
  expect(received.every(({ parts }, i) => Buffer.compare(parts[0]!, sent[i]!.parts[0]!) === 0)).toBe(true);
  const { repaired, neverArrived, decided } = receiver.statistics.packets;
  expect(repaired).toBeGreaterThan(0.01 * decided);
  expect(neverArrived).toBe(0);
  // A quarter of the packets of each frame, as for small frames.
  expect(sender.statistics.repairs).toBe(4 * Math.ceil(sender.statistics.packets / 4 / 4));
});
