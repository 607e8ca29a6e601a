import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  answerToProbe,
  PROBE_BYTES_MIN,
  parseProbeAnswer,
  serializeProbe,
} from '../../../protocol/control/path-probe.ts';
import { hex } from '../bytes.ts';

test('a probe has the tried length, and its answer echoes number and length', () => {
  const probe = serializeProbe({ number: 7, bytes: 1_200 });
  expect(probe).toHaveLength(1_200);
  expect(probe.subarray(0, 16)).toEqual(hex('84 cc 01 2b  00 00 00 00  44 46 52 4d  00 00 00 07'));
  const answer = answerToProbe(probe)!;
  expect(answer).toEqual(hex('85 cc 00 04  00 00 00 00  44 46 52 4d  00 00 00 07  00 00 04 b0'));
  expect(parseProbeAnswer(answer)).toEqual({ number: 7, bytes: 1_200 });
});

test('an answer reports the drops of the receiver itself, when known', () => {
  const answer = answerToProbe(serializeProbe({ number: 7, bytes: 548 }), () => 27_202)!;
  expect(answer).toEqual(hex('85 cc 00 05  00 00 00 00  44 46 52 4d  00 00 00 07  00 00 02 24  00 00 6a 42'));
  expect(parseProbeAnswer(answer)).toEqual({ number: 7, bytes: 548, hostDrops: 27_202 });
});

test('the drops are read for a probe only', () => {
  let reads = 0;
  const read = () => {
    reads++;
    return 0;
  };
  answerToProbe(Uint8Array.of(0x80, 96, 0, 1), read);
  answerToProbe(answerToProbe(serializeProbe({ number: 7, bytes: 548 }))!, read);
  expect(reads).toBe(0);
  answerToProbe(serializeProbe({ number: 7, bytes: 548 }), read);
  expect(reads).toBe(1);
});

test('neither parses as the other, and no other datagram as either', () => {
  const probe = serializeProbe({ number: 0xffff_ffff, bytes: PROBE_BYTES_MIN });
  expect(parseProbeAnswer(probe)).toBeUndefined();
  expect(answerToProbe(answerToProbe(probe)!)).toBeUndefined();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      answerToProbe(bytes);
      parseProbeAnswer(bytes);
    }),
  );
});
