import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codecByName } from '../../../../protocol/codec/codecs.ts';
import {
  parseHevcConfiguration,
  serializeHevcConfiguration,
} from '../../../../protocol/codec/h265/decoder-configuration.ts';
import { h265DecoderString } from '../../../../protocol/codec/h265/profile-tier-level.ts';
import { parseH265SequenceParameterSet } from '../../../../protocol/codec/h265/sequence-parameter-set.ts';
import { parseSessionDescription, writeSessionDescription } from '../../../../protocol/sdp.ts';
import { hex, plain } from '../../bytes.ts';
import { PPS, picturesOf, SPS, sampleNalUnits, VPS } from './streams.ts';

const H265 = codecByName('h265');
const SETS = [VPS, SPS, PPS];

describe('the sequence parameter set', () => {
  test('tells size, rate, reordering and decoder string', () => {
    expect(parseH265SequenceParameterSet(SPS)).toMatchObject({
      ok: true,
      value: { id: 0, subLayers: 1, width: 320, height: 180, framesPerSecond: 30, reorderFrames: 2, orderLsbBits: 8 },
    });
    expect(H265.describe(SETS)).toMatchObject({
      decoder: 'hvc1.1.6.L60.90',
      width: 320,
      height: 180,
      framesPerSecond: 30,
    });
  });

  test('makes decoder strings as ISO/IEC 14496-15 §E.3 does', () => {
    const main10 = { profileSpace: 0, highTier: true, profile: 2, compatibility: 0x2000_0000, level: 153 };
    expect(h265DecoderString('hev1', { ...main10, constraints: [0xb0, 0, 0, 0, 0, 0] })).toBe('hev1.2.4.H153.B0');
    expect(h265DecoderString('hvc1', { ...main10, profileSpace: 1, constraints: [0, 0, 8, 0, 0, 0] })).toBe(
      'hvc1.A2.4.H153.0.0.8',
    );
    expect(h265DecoderString('hvc1', { ...main10, constraints: [0, 0, 0, 0, 0, 0] })).toBe('hvc1.2.4.H153');
  });

  test('never throws, however it is cut or changed', () => {
    for (let length = 0; length < SPS.length; length += 1) parseH265SequenceParameterSet(SPS.subarray(0, length));
    expect(parseH265SequenceParameterSet(SPS.subarray(0, 12)).ok).toBe(false);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(SPS.length), (bytes, at) => {
        const read = parseH265SequenceParameterSet(Uint8Array.of(...SPS.subarray(0, at), ...bytes));
        if (read.ok) expect(read.value.width).toBeGreaterThan(0);
      }),
    );
  });
});

describe('the decoder configuration (hvcC)', () => {
  const record = hex(
    [
      '01 01 60000000 900000000000 3c', // version, profile space, tier and profile, compatibility, constraints, level
      'f000 fc fd f8 f8 0000 0f', // segmentation, parallelism, 4:2:0, 8 bits, rate, one sub-layer and lengths of 4 bytes
      '03', // three arrays
      `a0 0001 0018 ${Buffer.from(VPS).toString('hex')}`,
      `a1 0001 002b ${Buffer.from(SPS).toString('hex')}`,
      `a2 0001 0006 ${Buffer.from(PPS).toString('hex')}`,
    ].join(''),
  );

  test('is written and read as ISO/IEC 14496-15 §8.3.3.1 says', () => {
    expect(plain(serializeHevcConfiguration(SETS)!)).toEqual(record);
    const read = parseHevcConfiguration(record);
    expect(read.ok && { ...read.value, parameterSets: read.value.parameterSets.map(plain) }).toEqual({
      lengthSize: 4,
      parameterSets: SETS,
    });
  });

  test('is not written without one set of each kind', () => {
    expect(serializeHevcConfiguration([SPS, PPS])).toBeUndefined();
    expect(serializeHevcConfiguration([VPS, SPS.subarray(0, 9), PPS])).toBeUndefined();
  });

  test('is rejected where it is cut', () => {
    for (let length = 0; length < record.length; length += 1)
      expect(parseHevcConfiguration(record.subarray(0, length)).ok).toBe(false);
    expect(parseHevcConfiguration(Uint8Array.of(2, ...record.subarray(1)))).toMatchObject({
      malformed: 'hvcc-version',
    });
  });
});

test('is announced in a session description with its parameter sets (RFC 7798 §7.1), and read back', () => {
  const stream = { host: '127.0.0.1', port: 5_004, payloadType: 96, clockRate: 90_000, parameterSets: SETS };
  const text = writeSessionDescription({ ...stream, codec: H265, name: 'film' });
  expect(text).toContain('a=rtpmap:96 H265/90000\r\n');
  expect(text).toContain(
    'profile-space=0;profile-id=1;tier-flag=0;level-id=60;interop-constraints=900000000000;sprop-vps=QAEM',
  );
  expect(parseSessionDescription(text, H265)).toMatchObject({ ok: true, value: stream });
  expect(H265.session!.parameterSetsIn(['sprop-sps=*'])).toBeUndefined();
});

describe('parameter sets of a joining decoder', () => {
  const delimiter = hex('460150');
  const slice = hex('2a01a0');

  test('are put after the delimiter, the whole of them or the kinds that are missing', () => {
    expect(H265.withParameterSets([delimiter, slice], SETS)).toEqual([delimiter, ...SETS, slice]);
    expect(H265.withParameterSets([delimiter, SPS, slice], SETS)).toEqual([delimiter, VPS, SPS, PPS, slice]);
    expect(H265.withParameterSets([...SETS, slice], SETS)).toEqual([...SETS, slice]);
    expect(H265.withParameterSets([hex('0201a0')], SETS)).toEqual([hex('0201a0')]);
  });

  test('are the latest of each identifier, in the order of kinds', () => {
    const tracker = H265.trackParameterSets();
    for (const part of [PPS, SPS, VPS, slice, SPS]) tracker.add(part);
    expect(tracker.sets()).toEqual(SETS);
    expect(tracker.holds(SPS)).toBe(true);
    expect(tracker.holds(Uint8Array.of(...SPS.subarray(0, -1), 0x20))).toBe(false);
  });
});

test('finds frame starts and importance of the sample from payloads alone', () => {
  for (const { parts, importance, refersBeforeEntry } of picturesOf(sampleNalUnits())) {
    const payloads = H265.packetize(parts, { payloadBytesMax: 100, headroomBytes: 0 });
    expect(H265.startsFrame(payloads[0]!)).toBe(true);
    expect(payloads.slice(3).some(H265.startsFrame)).toBe(false);
    expect(payloads.every(H265.recognizes)).toBe(true);
    expect(H265.importanceOf(payloads)).toBe(importance);
    expect(H265.refersBeforeEntry!(parts)).toBe(refersBeforeEntry);
  }
});

test('is muxed with a delimiter in front of each access unit, or behind it for a player', () => {
  const parts = [...SETS, hex('2a01a0')];
  expect(Buffer.from(H265.transportStream!.write(parts)).toString('hex')).toMatch(/^0000000146015000000001400/);
  expect(Buffer.from(H265.byteStream!.writeForPlayer(parts, true)).toString('hex')).toMatch(
    /000000014e01051064726f706672616d653a2073686f776e80000000012a01a000000001460150$/,
  );
  expect(Buffer.from(H265.byteStream!.writeForPlayer(parts, false)).toString('hex')).not.toContain('4e0105');
});
