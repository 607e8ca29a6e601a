import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codecByName } from '../../../../protocol/codec/codecs.ts';
import { parseOpusHead, serializeOpusHead } from '../../../../protocol/codec/opus/opus-head.ts';
import { opusPacketSamples } from '../../../../protocol/codec/opus/opus-packet.ts';
import { parseSessionDescription, writeSessionDescription } from '../../../../protocol/sdp.ts';
import { hex, plain } from '../../bytes.ts';
import { carried } from '../carried.ts';

const OPUS = codecByName('opus');

/** As `opusenc` writes it: stereo, 312 samples to skip, from 44,100 Hz. */
const HEAD = hex(
  '4f707573 48656164' /* OpusHead */ +
    '01' /* version */ +
    '02' /* channels */ +
    '3801' /* pre-skip 312 */ +
    '44ac0000' /* 44,100 */ +
    '0000' /* gain */ +
    '00' /* family */,
);

describe('RTP payloads (RFC 7587 §4.2)', () => {
  test('are Opus packets as they are, in one payload however long', () => {
    const packet = hex('f8 fffe 0102');
    const [datagram] = OPUS.packetize([packet], { payloadBytesMax: 16, headroomBytes: 3 });
    expect(plain(datagram!)).toEqual(hex('000000 f8fffe0102'));
  });

  test('round-trip', () => {
    const packet = fc.uint8Array({ minLength: 1, maxLength: 1_275 });
    fc.assert(
      fc.property(packet, (part) => {
        expect(carried(OPUS, [part], 1_200)).toEqual([plain(part)]);
      }),
    );
  });

  test('an empty one is malformed', () => {
    expect(OPUS.depacketize([{ bytes: new Uint8Array(4), payloadAt: 4, payloadEnd: 4 }])).toEqual({
      ok: false,
      malformed: 'opus-empty',
    });
  });
});

test.each([
  ['SILK, 10 ms', '00', 480],
  ['SILK, 60 ms, two frames', '19', 5_760],
  ['hybrid, 20 ms', '68', 960],
  ['CELT, 2.5 ms', '80', 120],
  ['CELT, 20 ms, stereo', 'fc', 960],
  ['CELT, 20 ms, six frames of any size', 'fb06', 5_760],
  ['CELT, 20 ms, seven frames: above 120 ms', 'fb07', 0],
  ['no frame', 'fb00', 0],
  ['code 3 without its second byte', 'fb', 0],
  ['nothing', '', 0],
])('reads the length of a packet (RFC 6716 §3.1): %s', (_, packet, samples) => {
  expect(opusPacketSamples(hex(packet))).toBe(samples);
});

describe('identification header (RFC 7845 §5.1)', () => {
  test('is read, and written as it was', () => {
    const head = parseOpusHead(HEAD);
    expect(head).toMatchObject({ channels: 2, preSkip: 312, inputRate: 44_100, gain: 0, mappingFamily: 0 });
    expect(plain(serializeOpusHead(head!))).toEqual(HEAD);
    expect(OPUS.sound!.describe([HEAD])).toEqual({ decoder: 'opus', sampleRate: 48_000, channels: 2 });
  });

  test('any bytes are read or refused', () => {
    const bytes = fc.tuple(fc.constant(HEAD.slice(0, 8)), fc.uint8Array({ maxLength: 40 }));
    fc.assert(
      fc.property(bytes, ([magic, rest]) => {
        const head = parseOpusHead(Uint8Array.of(...magic, ...rest));
        if (head) expect(parseOpusHead(serializeOpusHead(head))).toEqual(head);
      }),
    );
    expect(parseOpusHead(HEAD.slice(0, 18))).toBeUndefined();
  });

  test('becomes the specific box of MP4, big-endian', () => {
    expect(plain(OPUS.mp4!.configuration([HEAD])!)).toEqual(hex('00 02 0138 0000ac44 0000 00'));
  });
});

test('is announced with two channels whatever it has (RFC 7587 §7), and read back', () => {
  const stream = { host: '127.0.0.1', port: 5_004, payloadType: 100, clockRate: 48_000, parameterSets: [HEAD] };
  const text = writeSessionDescription({ ...stream, codec: OPUS, name: 'sound' });
  expect(text).toContain(
    'm=audio 5004 RTP/AVP 100\r\na=rtpmap:100 opus/48000/2\r\na=fmtp:100 sprop-stereo=1;stereo=1\r\n',
  );
  const read = parseSessionDescription(text, OPUS);
  if (!read.ok) throw new Error(read.malformed);
  expect(OPUS.sound!.describe(read.value.parameterSets)?.channels).toBe(2);
});

test('has a control header in a transport stream, whose length counts in bytes of 255', () => {
  const write = (bytes: number) => plain(OPUS.transportStream!.write([new Uint8Array(bytes).fill(7)], [HEAD]));
  expect(write(3)).toEqual(hex('7fe0 03 070707'));
  expect(write(254).slice(0, 4)).toEqual(hex('7fe0 fe 07'));
  expect(write(255).slice(0, 5)).toEqual(hex('7fe0 ff00 07'));
  expect(write(256).slice(0, 5)).toEqual(hex('7fe0 ff01 07'));
});
