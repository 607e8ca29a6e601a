import { expect, test } from 'vitest';
import { instant, seconds } from '../../../protocol/base/units.ts';
import { H264 } from '../../../protocol/codec/h264/h264.ts';
import { wireSequence, wireTimestamp } from '../../../protocol/rtp/sequence.ts';
import { SourceLock } from '../../../receiver/intake/source-lock.ts';

const SLICE = Uint8Array.of(0x41, 0x9a, 0x00);
const FRAME = 3_000;
const FRAME_TIME = 33_333;

interface Given {
  readonly ssrc?: number;
  readonly payloadType?: number;
  readonly payload?: Uint8Array;
  /** Timestamp, in frames. */
  readonly frame?: number;
}

const packet = (sequenceNumber: number, { ssrc = 1, payloadType = 96, payload = SLICE, frame }: Given = {}) => ({
  ssrc,
  payloadType,
  payload,
  sequenceNumber: wireSequence(sequenceNumber),
  timestamp: wireTimestamp(((frame ?? sequenceNumber) * FRAME) >>> 0),
});

/** A source lock that has seen packets 0 to 9 of its source in time. */
function watching(): { watch: SourceLock; now: number } {
  const watch = new SourceLock(H264, undefined);
  expect(watch.observe(instant(0), packet(0))).toBe('new');
  for (let n = 1; n < 10; n++) expect(watch.observe(instant(n * FRAME_TIME), packet(n))).toBe('present');
  return { watch, now: 10 * FRAME_TIME };
}

test('locks to the first source with a dynamic payload type', () => {
  const watch = new SourceLock(H264, undefined);
  expect(watch.observe(instant(0), packet(1, { payloadType: 33 }))).toBe('foreign');
  expect(watch.observe(instant(0), packet(1, { payloadType: 111 }))).toBe('new');
  expect(watch.source).toEqual({ ssrc: 1, payloadType: 111 });
});

test('accepts only the known payload type', () => {
  const watch = new SourceLock(H264, 97);
  expect(watch.observe(instant(0), packet(1))).toBe('foreign');
  expect(watch.observe(instant(0), packet(1, { payloadType: 97 }))).toBe('new');
  expect(new SourceLock(H264, 35).observe(instant(0), packet(1, { payloadType: 35 }))).toBe('new');
});

test('a payload that cannot be H.264 does not start a stream', () => {
  const vp8 = Uint8Array.of(0x90, 0x80, 0x80, 0x12);
  const reserved = Uint8Array.of(0x1f, 0x00);
  const cutAggregate = Uint8Array.of(0x78, 0x00, 0x10, 0x67, 0x42);
  const watch = new SourceLock(H264, undefined);
  for (const payload of [vp8, reserved, cutAggregate, new Uint8Array()]) {
    expect(watch.observe(instant(0), packet(1, { payload }))).toBe('foreign');
  }
  expect(watch.observe(instant(0), packet(1, { payload: Uint8Array.of(0x7c, 0x85, 0x88) }))).toBe('new');
});

test('another source is foreign while the first one sends, and takes over after a second of silence', () => {
  const { watch, now } = watching();
  expect(watch.observe(instant(now), packet(500, { ssrc: 2 }))).toBe('foreign');
  expect(watch.observe(instant(now + seconds(1) - FRAME_TIME), packet(501, { ssrc: 2 }))).toBe('foreign');
  expect(watch.observe(instant(now + seconds(1)), packet(502, { ssrc: 2 }))).toBe('new');
  expect(watch.observe(instant(now + seconds(1)), packet(10))).toBe('foreign');
});

test('after BYE another source starts at once, and late packets of the first one still belong to it', () => {
  const { watch, now } = watching();
  watch.handleGoodbye([7]);
  expect(watch.observe(instant(now), packet(500, { ssrc: 2 }))).toBe('foreign');
  watch.handleGoodbye([1]);
  expect(watch.observe(instant(now), packet(10))).toBe('present');
  expect(watch.observe(instant(now), packet(500, { ssrc: 2 }))).toBe('new');
});

test('a source that returns after its BYE is a new stream', () => {
  const { watch, now } = watching();
  watch.handleGoodbye([1]);
  expect(watch.observe(instant(now + seconds(2)), packet(70))).toBe('new');
});

test('a silence with matching media time is an outage, and the stream continues', () => {
  const { watch } = watching();
  expect(watch.observe(instant(seconds(60)), packet(1_800))).toBe('present');
});

test('a jump of media time, forwards or backwards, is a new stream once a second packet confirms it', () => {
  for (const frame of [100_000, -100_000]) {
    const { watch, now } = watching();
    expect(watch.observe(instant(now), packet(10, { frame }))).toBe('held');
    expect(watch.observe(instant(now), packet(11, { frame }))).toBe('new');
    expect(watch.observe(instant(now + FRAME_TIME), packet(12, { frame: frame + 1 }))).toBe('present');
  }
});

test('a sender that resumes after a pause without advancing its media time is a new stream', () => {
  const { watch, now } = watching();
  const later = now + seconds(30);
  expect(watch.observe(instant(later), packet(10))).toBe('held');
  expect(watch.observe(instant(later + FRAME_TIME), packet(11))).toBe('new');
});

test('a single packet with a damaged timestamp changes nothing', () => {
  const { watch, now } = watching();
  expect(watch.observe(instant(now), packet(10, { frame: 500_000 }))).toBe('held');
  expect(watch.observe(instant(now + FRAME_TIME), packet(11))).toBe('present');
  expect(watch.observe(instant(now + 2 * FRAME_TIME), packet(12, { frame: 12 }))).toBe('present');
});

test('reordering, B-frames and wraps stay in the same stream', () => {
  const watch = new SourceLock(H264, undefined);
  const ring = 2 ** 32 / FRAME;
  const at = (n: number, frame: number) =>
    watch.observe(instant(n * FRAME_TIME), packet((65_530 + n) & 0xffff, { frame }));
  expect(at(0, ring - 2)).toBe('new');
  expect(at(1, ring + 1)).toBe('present');
  expect(at(2, ring - 1)).toBe('present');
  expect(at(7, ring + 3)).toBe('present');
  expect(at(5, ring + 5)).toBe('present');
  expect(at(8, ring + 4)).toBe('present');
});

test('a source that restarts with lower numbers is a new stream at the second packet', () => {
  const watch = new SourceLock(H264, undefined);
  expect(watch.observe(instant(0), packet(40_000))).toBe('new');
  expect(watch.observe(instant(FRAME_TIME), packet(40_001))).toBe('present');
  expect(watch.observe(instant(2 * FRAME_TIME), packet(17))).toBe('held');
  expect(watch.observe(instant(3 * FRAME_TIME), packet(18))).toBe('new');
  expect(watch.observe(instant(4 * FRAME_TIME), packet(19))).toBe('present');
});

test('a source that restarts slightly behind is a new stream after a run of packets', () => {
  const { watch, now } = watching();
  const verdicts = [0, 1, 2, 3, 4, 5].map((n) => watch.observe(instant(now + (n + 6) * FRAME_TIME), packet(n)));
  expect(verdicts).toEqual(['held', 'held-also', 'held-also', 'held-also', 'new', 'present']);
});

test('sequence numbers that jump ahead are a new stream, and not thousands of lost packets', () => {
  const { watch, now } = watching();
  expect(watch.observe(instant(now), packet(20_000, { frame: 10 }))).toBe('held');
  expect(watch.observe(instant(now + FRAME_TIME), packet(20_001, { frame: 11 }))).toBe('new');
});

test('late packets belong to the present stream, even several in order', () => {
  const { watch, now } = watching();
  expect(watch.observe(instant(now), packet(20))).toBe('present');
  for (let n = 10; n < 20; n++) expect(watch.observe(instant(now + n), packet(n))).toBe('present');
});

test('a single packet far behind does not start a stream', () => {
  const watch = new SourceLock(H264, undefined);
  expect(watch.observe(instant(0), packet(40_000))).toBe('new');
  expect(watch.observe(instant(FRAME_TIME), packet(17, { frame: 40_001 }))).toBe('held');
  expect(watch.observe(instant(2 * FRAME_TIME), packet(40_001))).toBe('present');
  expect(watch.observe(instant(3 * FRAME_TIME), packet(18, { frame: 40_002 }))).toBe('held');
});
