import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type FragmentedMp4Event, FragmentedMp4Reader } from '../../../io/mp4/fragmented-mp4-reader.ts';
import { FragmentedMp4Writer } from '../../../io/mp4/fragmented-mp4-writer.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { H264 } from '../../../protocol/codec/h264/h264.ts';
import { joinLengthPrefixed, splitLengthPrefixed } from '../../../protocol/codec/nal/length-prefixed.ts';

const PARAMETER_SET = Uint8Array.of(0x68, 1, 2);
const configuration = Uint8Array.of(1, 66, 0, 30, 0xff);
const track = { width: 640, height: 360, configuration, parameterSets: [PARAMETER_SET] };
const slice = (byte: number) => Uint8Array.of(0x41, byte, byte, byte);

/** I P B B in decode order: presentation order 0 3 1 2, with a gap of a second before the last. */
const UNITS: readonly AccessUnit[] = [
  { parts: [PARAMETER_SET, slice(1)], timestamp: ticks(6_000), decodeTimestamp: ticks(0), importance: 'key' },
  { parts: [slice(2), slice(22)], timestamp: ticks(15_000), decodeTimestamp: ticks(3_000), importance: 'reference' },
  { parts: [slice(3)], timestamp: ticks(9_000), decodeTimestamp: ticks(6_000), importance: 'discardable' },
  { parts: [slice(4)], timestamp: ticks(102_000), decodeTimestamp: ticks(99_000), importance: 'discardable' },
];

function file(): Uint8Array {
  const writer = new FragmentedMp4Writer(H264, track);
  const parts = [
    writer.header(),
    writer.fragment(UNITS.slice(0, 3), ticks(99_000)),
    writer.fragment(UNITS.slice(3), ticks(102_000)),
  ];
  return Buffer.concat(parts);
}

function read(chunks: readonly Uint8Array[]): FragmentedMp4Event[] {
  const reader = new FragmentedMp4Reader();
  return chunks.flatMap((chunk) => {
    const events = reader.push(chunk);
    if (!events.ok) throw new Error(events.malformed);
    return events.value;
  });
}

test('reads back what it wrote, with times from 0 and without the parameter sets of the header', () => {
  const events = read([file()]);
  expect(events[0]).toEqual({ kind: 'configuration', record: track.configuration });
  const samples = events.slice(1).map((event) => event.kind === 'sample' && [event.timestamp, [...event.bytes]]);
  const expected = UNITS.map((unit) => [
    unit.timestamp - 6_000,
    [...joinLengthPrefixed(unit.parts.filter((nalUnit) => nalUnit !== PARAMETER_SET))],
  ]);
  expect(samples).toEqual(expected);
});

test('reads the stream in chunks of any size', () => {
  const bytes = file();
  const whole = read([bytes]);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
      expect(read(chunks)).toEqual(whole);
    }),
  );
  expect(read([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(whole);
});

test('skips unknown boxes', () => {
  const free = Uint8Array.of(0, 0, 0, 12, 0x66, 0x72, 0x65, 0x65, 1, 2, 3, 4);
  const large = Uint8Array.of(0, 0, 0, 1, 0x75, 0x75, 0x69, 0x64, 0, 0, 0, 0, 0, 0, 0, 17, 9);
  expect(read([free, large, file(), free])).toEqual(read([file()]));
});

test('keeps pictures of any size', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 3_000 }), { minLength: 1, maxLength: 8 }),
      (parts) => {
        // No parameter sets, which are left out where they are in force.
        for (const part of parts) part[0] = 0x65;
        const writer = new FragmentedMp4Writer(H264, track);
        const unit: AccessUnit = { parts, timestamp: ticks(0), decodeTimestamp: ticks(0), importance: 'key' };
        const sample = read([writer.header(), writer.fragment([unit], ticks(3_000))])[1];
        expect(sample?.kind === 'sample' && splitLengthPrefixed(sample.bytes, 4)).toEqual({
          nalUnits: parts,
          malformed: undefined,
        });
      },
    ),
  );
});

test('never throws on damage, and repeats its first error', () => {
  const bytes = file();
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] as number) ^ flip;
      const reader = new FragmentedMp4Reader();
      const first = reader.push(damaged);
      if (!first.ok) expect(reader.push(bytes)).toEqual(first);
    }),
  );
});

test('rejects a box of gigabytes before allocating memory', () => {
  const reader = new FragmentedMp4Reader();
  expect(reader.push(Uint8Array.of(0x7f, 0xff, 0xff, 0xff, 0x6d, 0x64, 0x61, 0x74))).toEqual({
    ok: false,
    malformed: 'box mdat of 2147483647 bytes',
  });
});

test('refuses a track run that claims more samples than a fragment has, before it makes any', () => {
  const bytes = Buffer.from(file());
  const run = bytes.indexOf('trun') + 4;
  // No field a sample, so that each of four thousand million would cost no byte.
  bytes.writeUInt32BE(0, run);
  bytes.writeUInt32BE(0xffff_ffff, run + 4);
  expect(new FragmentedMp4Reader().push(bytes)).toEqual({ ok: false, malformed: 'a track run of 4294967295 samples' });
});
