import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAdts, withAdts } from '../../../../protocol/codec/aac/adts.ts';
import { configOfAdts, parseAudioSpecificConfig } from '../../../../protocol/codec/aac/audio-specific-config.ts';
import { codecByName } from '../../../../protocol/codec/codecs.ts';
import { parseSessionDescription, writeSessionDescription } from '../../../../protocol/sdp.ts';
import { hex, plain } from '../../bytes.ts';
import { carried } from '../carried.ts';

const AAC = codecByName('aac');
/** AAC-LC, 48 kHz, stereo. */
const STEREO_48 = hex('1190');

const read = (...payloads: string[]) => {
  const result = AAC.depacketize(
    payloads.map((text) => ({ bytes: hex(text), payloadAt: 0, payloadEnd: hex(text).length })),
  );
  return result.ok ? result.value.parts.map(plain) : result.malformed;
};

describe('RTP payloads in the mode AAC-hbr (RFC 3640 §3.3.6)', () => {
  test('have the length of the headers in bits, and the size of the access unit in 13', () => {
    const [packet] = AAC.packetize([hex('21 10 05')], { payloadBytesMax: 100, headroomBytes: 0 });
    expect(plain(packet!)).toEqual(hex('0010' /* 16 bits of headers */ + '0018' /* size 3, index 0 */ + '211005'));
  });

  test('an access unit that does not fit is split, each payload with the size of the whole (§3.2.3.1)', () => {
    const packets = AAC.packetize([new Uint8Array(30).fill(9)], { payloadBytesMax: 16, headroomBytes: 0 });
    expect(packets.map((packet) => plain(packet).slice(0, 5))).toEqual(Array(3).fill(hex('0010 00f0 09')));
    expect(packets.map(({ length }) => length)).toEqual([16, 16, 10]);
  });

  test('round-trip', () => {
    const parts = fc.array(fc.uint8Array({ minLength: 1, maxLength: 3_000 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(parts, fc.integer({ min: 16, max: 1_500 }), (units, payloadBytesMax) => {
        expect(carried(AAC, units, payloadBytesMax)).toEqual(units.map(plain));
      }),
    );
  });

  test('several access units in a payload of another sender are read', () => {
    expect(read('0020' + '0010' + '0018' + 'aaaa' + 'bbbbbb')).toEqual([hex('aaaa'), hex('bbbbbb')]);
  });

  test.each([
    ['no header', '0000 0010 aaaa', 'aac-headers'],
    ['headers that are not whole', '0011 0010 aaaa', 'aac-headers'],
    ['headers beyond the end', '0040 0010', 'aac-headers'],
    ['an empty access unit', '0010 0000 aa', 'aac-headers'],
    ['a second unit that is cut', '0020 0010 0018 aaaa bb', 'aac-size'],
    ['bytes behind the last unit', '0010 0010 aaaa bb', 'aac-size'],
    ['a fragment alone', '0010 0020 aaaa', 'aac-incomplete'],
  ])('%s is malformed', (_, payload, malformed) => {
    expect(read(payload)).toBe(malformed);
  });
});

describe('AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1)', () => {
  test.each([
    ['AAC-LC, 48 kHz, stereo', '1190', { sampleRate: 48_000, channelConfiguration: 2, samplesPerUnit: 1_024 }],
    ['AAC-LC, 44.1 kHz, mono', '1208', { sampleRate: 44_100, channelConfiguration: 1 }],
    ['AAC-LC, 48 kHz, 5.1', '11b0', { channelConfiguration: 6 }],
    ['HE-AAC, core of 24 kHz', '2b118800', { announcedType: 5, objectType: 2, sampleRate: 24_000 }],
    ['frames of 960 samples', '1194', { samplesPerUnit: 960 }],
    ['a rate outside of the table', '17805dc010', { sampleRate: 48_000, rateIndex: 15, channelConfiguration: 2 }],
  ])('reads %s', (_, bytes, fields) => {
    expect(parseAudioSpecificConfig(hex(bytes))).toMatchObject(fields);
  });

  test('any bytes are read or refused', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => void parseAudioSpecificConfig(bytes)));
    expect(parseAudioSpecificConfig(hex('11'))).toBeUndefined();
  });

  test('tells decoder string and duration', () => {
    expect(AAC.sound!.describe([STEREO_48])).toEqual({ decoder: 'mp4a.40.2', sampleRate: 48_000, channels: 2 });
    expect(AAC.sound!.durationOf([hex('00')], [STEREO_48])).toBe(1_920);
    expect(AAC.sound!.durationOf([hex('00')], [hex('1210')])).toBeCloseTo(2_089.8, 1);
  });

  test('is in the descriptors of MP4', () => {
    expect(plain(AAC.mp4!.configuration([STEREO_48])!)).toEqual(
      hex(
        '00000000' /* version, flags */ +
          '03 19 0000 00' /* stream */ +
          '04 11 40 15 000000 00000000 00000000' +
          '05 02 1190' +
          '06 01 02',
      ),
    );
  });
});

describe('ADTS (ISO/IEC 14496-3 §1.A.3.2)', () => {
  test('is written in front of a frame, and read back', () => {
    const config = parseAudioSpecificConfig(STEREO_48)!;
    const bytes = withAdts(hex('21 10 05'), config)!;
    expect(plain(bytes)).toEqual(hex('fff1 4c 80 01 5f fc 211005'));
    const header = parseAdts(bytes)!;
    expect(header).toMatchObject({
      headerBytes: 7,
      frameBytes: 10,
      objectType: 2,
      rateIndex: 3,
      channelConfiguration: 2,
    });
    expect(plain(configOfAdts(header))).toEqual(STEREO_48);
  });

  test('cannot describe what is too long, or of another type', () => {
    const config = parseAudioSpecificConfig(STEREO_48)!;
    expect(withAdts(new Uint8Array(8_185), config)).toBeUndefined();
    expect(withAdts(hex('21'), { ...config, objectType: 23 })).toBeUndefined();
  });

  test('any bytes are read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (rest) => {
        const header = parseAdts(Uint8Array.of(0xff, 0xf1, ...rest));
        if (header) expect(header.frameBytes).toBeGreaterThan(header.headerBytes);
      }),
    );
  });
});

test('is announced by its configuration (RFC 3640 §4.1), and read back', () => {
  const stream = { host: '127.0.0.1', port: 5_004, payloadType: 100, clockRate: 48_000, parameterSets: [STEREO_48] };
  const text = writeSessionDescription({ ...stream, codec: AAC, name: 'sound' });
  expect(text).toContain('a=rtpmap:100 mpeg4-generic/48000/2\r\n');
  expect(text).toContain('mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1190\r\n');
  expect(parseSessionDescription(text, AAC)).toMatchObject({ ok: true, value: stream });
  expect(parseSessionDescription(text.replace('AAC-hbr', 'CELP-vbr'), AAC)).toMatchObject({ ok: false });
});
