import { describe, expect, test } from 'vitest';
import { instant, microseconds } from '../../protocol/base/units.ts';
import { asSequence } from '../../protocol/rtp/sequence.ts';
import { PacketHistory } from '../../sender/packet-history.ts';
import { EventLimit, TokenBucket } from '../../sender/repair/token-bucket.ts';

describe('a budget with an advance', () => {
  test('repays it from half of its earnings, and never exceeds its share from then on', () => {
    const bucket = new TokenBucket({ share: 0.25, bytesMax: 1_000, advance: 100 });
    expect(bucket.spend(100)).toBe(true);
    bucket.earn(400);
    expect(bucket.bytes).toBe(50);
    bucket.earn(400);
    expect(bucket.bytes).toBe(100);
    bucket.earn(200);
    expect(bucket.spend(100)).toBe(true);
    expect(bucket.bytes).toBe(50);
    expect(bucket.spend(40, 20)).toBe(false);
    expect(bucket.spend(30, 20)).toBe(true);
  });
});

/** A history limited by the number of packets only. */
const newHistory = (packetsMax: number) =>
  new PacketHistory({
    packetsMax,
    keptFor: microseconds(Number.POSITIVE_INFINITY),
    budget: { share: Number.POSITIVE_INFINITY },
  });

describe('the packet history', () => {
  test('finds recent packets only', () => {
    const history = newHistory(4);
    for (let sequence = 65_534; sequence < 65_540; sequence++)
      history.keep(asSequence(sequence), Uint8Array.of(sequence & 0xff), instant(0));
    const found = Array.from({ length: 8 }, (_, step) => history.find(asSequence(65_533 + step))?.datagram[0]);
    expect(found).toEqual([undefined, undefined, undefined, 0, 1, 2, 3, undefined]);
  });

  test('grows to its limit, and then finds exactly that many packets', () => {
    const history = newHistory(4_096);
    for (let sequence = 65_000; sequence < 72_000; sequence++) {
      history.keep(asSequence(sequence), Uint8Array.of(sequence & 0xff), instant(0));
      const oldest = Math.max(65_000, sequence - 4_095);
      expect(history.find(asSequence(oldest))?.datagram[0]).toBe(oldest & 0xff);
      expect(history.find(asSequence(oldest - 1))).toBeUndefined();
    }
    for (let sequence = 72_000 - 4_096; sequence < 72_000; sequence++) {
      expect(history.find(asSequence(sequence))?.datagram).toEqual(Uint8Array.of(sequence & 0xff));
    }
  });

  test('distinguishes a packet from the one with the same number one cycle earlier', () => {
    const history = newHistory(8192);
    history.keep(asSequence(5), Uint8Array.of(1), instant(0));
    expect(history.find(asSequence(5 + 65_536))).toBeUndefined();
    history.keep(asSequence(5 + 65_536), Uint8Array.of(2), instant(0));
    expect(history.find(asSequence(5))).toBeUndefined();
    expect(history.find(asSequence(5 + 65_536))?.datagram[0]).toBe(2);
  });

  test("returns exactly the datagram's part of a shared buffer", () => {
    const history = newHistory(4);
    const shared = Uint8Array.of(1, 2, 3, 4, 5, 6);
    history.keep(asSequence(1), shared.subarray(1, 3), instant(0));
    history.keep(asSequence(2), shared.subarray(3), instant(0));
    expect(history.find(asSequence(1))!.datagram).toEqual(Uint8Array.of(2, 3));
    expect(history.find(asSequence(2))!.datagram).toEqual(Uint8Array.of(4, 5, 6));
  });

  test('forgets the answers to a packet when its slot is reused', () => {
    const history = newHistory(4);
    history.keep(asSequence(1), Uint8Array.of(1), instant(100), 'key');
    history.find(asSequence(1))!.resentAt = instant(200);
    history.keep(asSequence(5), Uint8Array.of(5), instant(300));
    expect(history.find(asSequence(5))).toMatchObject({
      sequence: 5,
      datagram: Uint8Array.of(5),
      sentAt: 300,
      importance: 'reference',
      resentAt: undefined,
    });
  });

  test.each([
    [0, 1],
    [1, 1],
    [5, 8],
    [8, 8],
    [1_000_000, 32_768],
  ])('room for %i packets is room for %i', (requested, room) => {
    const history = newHistory(requested);
    for (let sequence = 0; sequence < 40_000; sequence++)
      history.keep(asSequence(sequence), new Uint8Array(0), instant(0));
    expect(history.find(asSequence(40_000 - room))).toBeDefined();
    expect(history.find(asSequence(40_000 - room - 1))).toBeUndefined();
  });
});

describe('the token bucket', () => {
  test('starts full, is emptied by spending and filled by its share of the media', () => {
    const bucket = new TokenBucket({ share: 0.5, bytesMax: 1_000 });
    expect(bucket.spend(1_000)).toBe(true);
    expect(bucket.spend(1)).toBe(false);
    bucket.earn(300);
    expect(bucket.spend(151)).toBe(false);
    expect(bucket.spend(150)).toBe(true);
  });

  test('never exceeds its maximum', () => {
    const bucket = new TokenBucket({ share: 1, bytesMax: 1_000 });
    bucket.earn(5_000);
    expect(bucket.bytes).toBe(1_000);
  });

  test('with a share of 0 starts empty', () => {
    const bucket = new TokenBucket({ share: 0, bytesMax: 1_000 });
    bucket.earn(5_000);
    expect(bucket.spend(1)).toBe(false);
  });
});

test('an event limit allows one event per interval', () => {
  const limit = new EventLimit(10);
  expect([0, 9, 10, 11, 19, 25].map((now) => limit.allow(instant(now)))).toEqual([
    true,
    false,
    true,
    false,
    false,
    true,
  ]);
});
