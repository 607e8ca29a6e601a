import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DECODE_LEAD_URN, FRAME_MARK_URN } from '../../protocol/rtp/frame-mark.ts';
import { parseSessionDescription, writeSessionDescription } from '../../protocol/sdp.ts';
import { NO_FEEDBACK } from '../../protocol/sdp-feedback.ts';
import { hex } from './bytes.ts';

const SPS = hex('6742c01ed900a03da1');
const PPS = hex('68cb83cb20');

const lines = (...lines: string[]): string => lines.map((line) => `${line}\r\n`).join('');

const COUNTER = {
  host: '127.0.0.1',
  port: 5_004,
  payloadType: 96,
  clockRate: 90_000,
  parameterSets: [SPS, PPS],
  name: 'counter.mp4',
};

test('describes a stream as in RFC 8866 and RFC 6184 §8.2', () => {
  const text = writeSessionDescription({
    ...COUNTER,
    extensions: new Map([
      [1, FRAME_MARK_URN],
      [2, DECODE_LEAD_URN],
    ]),
    multiplexed: true,
  });
  expect(text).toBe(
    lines(
      'v=0',
      'o=- 0 0 IN IP4 127.0.0.1',
      's=counter.mp4',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      'm=video 5004 RTP/AVP 96',
      'a=rtpmap:96 H264/90000',
      'a=fmtp:96 packetization-mode=1;profile-level-id=42c01e;sprop-parameter-sets=Z0LAHtkAoD2h,aMuDyyA=',
      'a=extmap:1 urn:dropframe:frame-mark',
      'a=extmap:2 urn:dropframe:decode-lead',
      'a=rtcp-mux',
    ),
  );
});

test('describes a stream without parameter sets, over IPv6, and keeps its name on one line', () => {
  const text = writeSessionDescription({
    host: '::1',
    port: 1,
    payloadType: 127,
    clockRate: 90_000,
    parameterSets: [],
    name: '\r\nm=audio 9\r\n',
  });
  expect(text).toBe(
    lines(
      'v=0',
      'o=- 0 0 IN IP6 ::1',
      's=m=audio 9',
      'c=IN IP6 ::1',
      't=0 0',
      'm=video 1 RTP/AVP 127',
      'a=rtpmap:127 H264/90000',
      'a=fmtp:127 packetization-mode=1',
    ),
  );
  expect(
    writeSessionDescription({
      host: '::1',
      port: 1,
      payloadType: 96,
      clockRate: 90_000,
      parameterSets: [],
      name: '\n',
    }),
  ).toContain('s=-\r\n');
});

const FEEDBACK = { nack: true, pictureLoss: true, fullIntra: true };

test('describes feedback and retransmissions as in RFC 4585 §4 and RFC 4588 §8.6, and reads them back', () => {
  const text = writeSessionDescription({
    ...COUNTER,
    ssrc: 1,
    feedback: FEEDBACK,
    retransmission: { ssrc: 0xffff_ffff, payloadType: 97 },
    keptMs: 1_120,
  });
  expect(text.split('\r\n').slice(5)).toEqual([
    'm=video 5004 RTP/AVPF 96 97',
    'a=rtpmap:96 H264/90000',
    'a=fmtp:96 packetization-mode=1;profile-level-id=42c01e;sprop-parameter-sets=Z0LAHtkAoD2h,aMuDyyA=',
    'a=rtcp-fb:96 nack',
    'a=rtcp-fb:96 nack pli',
    'a=rtcp-fb:96 ccm fir',
    'a=rtpmap:97 rtx/90000',
    'a=fmtp:97 apt=96;rtx-time=1120',
    'a=ssrc-group:FID 1 4294967295',
    '',
  ]);
  expect(parseSessionDescription(text)).toMatchObject({
    ok: true,
    value: { payloadType: 96, feedback: FEEDBACK, retransmission: { payloadType: 97, ssrc: 0xffff_ffff } },
  });
});

/** As browsers and GStreamer write it: more payload types, wildcards, parameters in any order. */
const STRANGE = lines(
  'v=0',
  'c=IN IP4 127.0.0.1',
  'm=video 5004 RTP/AVPF 100 101 96 97',
  'a=rtcp:5007 IN IP4 127.0.0.1',
  'a=rtcp-fb:* ccm fir',
  'a=rtcp-fb:96 nack pli',
  'a=rtcp-fb:96 goog-remb',
  'a=rtcp-fb:100 nack',
  'a=rtpmap:96 H264/90000',
  'a=rtpmap:97 rtx/90000',
  'a=rtpmap:101 RTX/90000',
  'a=rtpmap:102 rtx/90000',
  'a=fmtp:101 apt=100',
  'a=fmtp:97 rtx-time=3000; apt=96',
);

test('reads the feedback of its payload type only, and the port of RTCP', () => {
  expect(parseSessionDescription(STRANGE)).toMatchObject({
    ok: true,
    value: {
      rtcpPort: 5_007,
      feedback: { nack: false, pictureLoss: true, fullIntra: true },
      retransmission: { payloadType: 97 },
    },
  });
  for (const broken of ['apt=95', 'apt=9600', 'apt=', 'apt=x']) {
    const read = parseSessionDescription(STRANGE.replace('apt=96', broken));
    expect(read.ok && read.value.retransmission).toBeUndefined();
  }
});

test('rejects an encrypted stream', () => {
  for (const profile of ['RTP/SAVP', 'RTP/SAVPF', 'UDP/TLS/RTP/SAVPF']) {
    const text = STRANGE.replace('RTP/AVPF', profile);
    expect(parseSessionDescription(text)).toEqual({ ok: false, malformed: 'sdp-encrypted' });
  }
});

test('describes several streams in one session', () => {
  const stream = { port: 5_004, payloadType: 96, clockRate: 90_000, parameterSets: [] };
  const text = writeSessionDescription({
    ...stream,
    host: '::1',
    name: 'x',
    others: [{ ...stream, port: 5_006, payloadType: 98 }],
  });
  expect(text.split('\r\n').slice(5)).toEqual([
    'm=video 5004 RTP/AVP 96',
    'a=rtpmap:96 H264/90000',
    'a=fmtp:96 packetization-mode=1',
    'm=video 5006 RTP/AVP 98',
    'a=rtpmap:98 H264/90000',
    'a=fmtp:98 packetization-mode=1',
    '',
  ]);
});

test('write and parse round-trip', () => {
  const options = fc.record({
    host: fc.oneof(fc.ipV4(), fc.ipV6()),
    port: fc.integer({ min: 1, max: 65_535 }),
    payloadType: fc.integer({ min: 96, max: 127 }),
    clockRate: fc.integer({ min: 1, max: 999_999_999 }),
    parameterSets: fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 }),
    name: fc.string({ unit: 'binary' }),
    multiplexed: fc.boolean(),
  });
  fc.assert(
    fc.property(options, (options) => {
      const { host, port, payloadType, clockRate, parameterSets, multiplexed } = options;
      const rtcpPort = multiplexed ? port : port + 1;
      expect(parseSessionDescription(writeSessionDescription(options))).toEqual({
        ok: true,
        value: { host, port, payloadType, clockRate, parameterSets, rtcpPort, feedback: NO_FEEDBACK },
      });
    }),
  );
});

test('parses the output of ffmpeg 5.1, including its own lines', () => {
  const text = [
    'SDP:',
    'v=0',
    'o=- 0 0 IN IP4 127.0.0.1',
    's=No Name',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    'a=tool:libavformat 59.27.100',
    'm=video 5998 RTP/AVP 96',
    'b=AS:2000',
    'a=rtpmap:96 H264/90000',
    'a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0LAHtkAoD2h,aMuDyyA=; profile-level-id=42C01E',
    '',
  ].join('\n');
  expect(parseSessionDescription(text)).toMatchObject({
    ok: true,
    value: { host: '127.0.0.1', port: 5_998, payloadType: 96, clockRate: 90_000, parameterSets: [SPS, PPS] },
  });
});

test('takes the first H.264 stream of several media, with its own address and quoted parameters', () => {
  const text = lines(
    'v=0',
    'o=- 1188340656180883 1 IN IP4 192.0.2.7',
    's=Session streamed by GStreamer',
    'c=IN IP4 192.0.2.7',
    't=0 0',
    'm=audio 5000 RTP/AVP 97',
    'a=rtpmap:97 OPUS/48000/2',
    'm=video 5002 RTP/AVP 98',
    'a=rtpmap:98 H265/90000',
    'm=video 5004/2 RTP/AVPF 99 100',
    'c=IN IP4 233.252.0.1/127',
    'a=rtpmap:99 VP8/90000',
    'a=rtpmap:100 h264/90000',
    'a=fmtp:100 packetization-mode=1;profile-level-id=42c01e;sprop-parameter-sets="Z0LAHtkAoD2h,aMuDyyA"',
  );
  expect(parseSessionDescription(text)).toMatchObject({
    ok: true,
    value: { host: '233.252.0.1', port: 5_004, payloadType: 100, clockRate: 90_000, parameterSets: [SPS, PPS] },
  });
});

const STREAM = lines('v=0', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', 'm=video 5004 RTP/AVP 96', 'a=rtpmap:96 H264/90000');

test.each([
  ['nothing', '', 'not-sdp'],
  ['a web page', '<!doctype html>', 'not-sdp'],
  ['a session of no media', lines('v=0', 's=-'), 'sdp-no-h264-stream'],
  ['another codec', STREAM.replace('H264', 'H265'), 'sdp-no-h264-stream'],
  ['a payload type that is not offered', STREAM.replace('AVP 96', 'AVP 97'), 'sdp-no-h264-stream'],
  ['a clock that stands still', STREAM.replace('90000', '0'), 'sdp-no-h264-stream'],
  ['no address', STREAM.replace('c=IN IP4 127.0.0.1\r\n', ''), 'sdp-no-address'],
  ['port 0, a stream refused', STREAM.replace('5004', '0'), 'sdp-port'],
  ['a port beyond UDP', STREAM.replace('5004', '70000'), 'sdp-port'],
  ['parameter sets that are not base64', `${STREAM}a=fmtp:96 sprop-parameter-sets=Z0*A`, 'sdp-parameter-sets'],
  ['65 parameter sets', `${STREAM}a=fmtp:96 sprop-parameter-sets=${'Z0LA,'.repeat(65)}`, 'sdp-parameter-sets'],
  ['64 KiB and more', STREAM + ' '.repeat(65_536), 'sdp-too-long'],
])('%s is malformed', (_, text, cause) => {
  expect(parseSessionDescription(text)).toEqual({ ok: false, malformed: cause });
});

test('never throws on arbitrary text', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(...STREAM.split('\r\n'), 'a=fmtp:96 sprop-parameter-sets', 'a=fmtp:96 =;;=', 'm=video', 'c=IN IP4'),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      expect(parseSessionDescription(['v=0', ...lines].join('\n'))).toHaveProperty('ok');
    }),
  );
});
