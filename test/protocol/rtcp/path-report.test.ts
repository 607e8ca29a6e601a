import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendPathReport, isPathProbe, pathProbe, splitPathReport } from '../../../protocol/rtcp/path-report.ts';
import { RepeatedFeedback } from '../../../protocol/rtcp/repeated-feedback.ts';
import { parseRtcp, serializeRtcp } from '../../../protocol/rtcp/rtcp.ts';
import { wireSequence } from '../../../protocol/rtp/sequence.ts';

const REPORT = {
  paths: [
    { newest: wireSequence(0x1234), datagrams: 5 },
    { newest: wireSequence(0xffff), datagrams: 0xfffe },
  ],
} as const;
const NACK = serializeRtcp([
  { kind: 'nack', senderSsrc: 3, mediaSsrc: 1, sequenceNumbers: [7, 9].map((number) => wireSequence(number)) },
]);

test('a report has the bytes of its picture', () => {
  expect([...appendPathReport(new Uint8Array(0), 3, REPORT)]).toEqual([
    ...[0x8e, 204, 0, 4], // version 2, subtype 14; APP; five words
    ...[0, 0, 0, 3], // SSRC of the reports
    ...[0x44, 0x46, 0x52, 0x4d], // DFRM
    ...[0x12, 0x34, 0, 5], // path 0
    ...[0xff, 0xff, 0xff, 0xfe], // path 1
  ]);
});

test('a report behind a request is split off, and the request is left as it was', () => {
  const both = appendPathReport(NACK, 3, REPORT);
  const split = splitPathReport(both)!;
  expect(split.report).toEqual(REPORT);
  expect(split.rest).toEqual(NACK);
  const packets = parseRtcp(both);
  expect(packets.ok && packets.value.map(({ kind }) => kind)).toEqual(['nack', 'application']);
});

test('other feedback has no report', () => {
  expect(splitPathReport(NACK)).toBeUndefined();
  expect(splitPathReport(pathProbe(1))).toBeUndefined();
  expect(splitPathReport(new Uint8Array(0))).toBeUndefined();
});

test('a probe is told from a report and from other packets', () => {
  expect(isPathProbe(pathProbe(1))).toBe(true);
  expect(isPathProbe(appendPathReport(new Uint8Array(0), 3, REPORT))).toBe(false);
  expect(isPathProbe(NACK)).toBe(false);
});

test('any bytes are a report, or are not', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      isPathProbe(bytes);
      const split = splitPathReport(bytes);
      if (split) expect(split.rest.length).toBe(bytes.length - 20);
    }),
  );
});

test('a datagram sent by both paths counts once, whichever copy comes first', () => {
  const feedback = new RepeatedFeedback(2);
  expect(feedback.isRepeated(Uint8Array.of(1), 0)).toBe(false);
  expect(feedback.isRepeated(Uint8Array.of(1), 1)).toBe(true);
  expect(feedback.isRepeated(Uint8Array.of(2), 1)).toBe(false);
  expect(feedback.isRepeated(Uint8Array.of(2), 0)).toBe(true);
});

test('a datagram sent twice counts twice, although each came by both paths', () => {
  const feedback = new RepeatedFeedback(2);
  const repeated = [0, 0, 1, 1].map((path) => feedback.isRepeated(Uint8Array.of(1), path));
  expect(repeated).toEqual([false, false, true, true]);
});

test('with one path dead, each repetition counts', () => {
  const feedback = new RepeatedFeedback(2);
  feedback.isRepeated(Uint8Array.of(1), 0);
  feedback.isRepeated(Uint8Array.of(1), 1);
  expect([1, 1, 1].map((path) => feedback.isRepeated(Uint8Array.of(1), path))).toEqual([false, false, false]);
});

test('does not rely on the memory of a datagram', () => {
  const feedback = new RepeatedFeedback(2);
  const memory = Uint8Array.of(1);
  feedback.isRepeated(memory, 0);
  memory[0] = 2;
  expect(feedback.isRepeated(Uint8Array.of(1), 1)).toBe(true);
});
