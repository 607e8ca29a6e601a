import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ControlMessage,
  parseControlMessage,
  parseReceiverMessage,
  parseSenderMessage,
  presentable,
  presentableParameterSets,
  serializeControlMessage,
} from '../../../protocol/control/control-message.ts';
import type { MediaStream } from '../../../protocol/control/media-stream.ts';

const WELCOME: ControlMessage = {
  kind: 'welcome',
  version: 1,
  session: '0011223344556677',
  key: '00112233445566778899aabbccddeeff',
  media: {
    name: 'counter.mp4',
    codec: 'avc1.42C01F',
    width: 640,
    height: 360,
    framesPerSecond: 29.97,
    durationMs: null,
    mode: 'copy',
  },
  ssrc: 0xffff_ffff,
  retransmissionSsrc: 0,
  payloadType: 96,
  retransmissionPayloadType: 97,
  timestampBase: 0xffff_ffff,
  datagramBytesMax: 1_200,
  parameterSets: ['Z0LAHtkAoD2h', 'aMuDyyA='],
  latencyMs: 120,
  position: 'start',
};
const VIDEO: MediaStream = {
  id: 0,
  mediaType: 'video',
  codec: 'h264',
  decoder: 'avc1.42C01F',
  clockRate: 90_000,
  ssrc: 0xffff_ffff,
  payloadType: 96,
  retransmission: { ssrc: 0, payloadType: 97 },
  repair: { ssrc: 1, payloadType: 98 },
  initialSequence: 0,
  timestampBase: 0,
  parameterSets: ['Z0LAHtkAoD2h', 'aMuDyyA='],
};
const HELLO: ControlMessage = {
  kind: 'hello',
  version: 1,
  transport: 'udp',
  latencyMs: 120,
  recovery: 'nack',
  playing: true,
};
const STATISTICS: ControlMessage = {
  kind: 'statistics',
  frames: 300,
  framesLost: 1,
  framesLate: 2,
  packets: 4_000,
  packetsLost: 30,
  packetsRecovered: 29,
  delayMsP50: 120.5,
  delayMsP95: null,
  roundTripMs: 0.4,
};

const FROM_RECEIVER: readonly ControlMessage[] = [
  HELLO,
  { ...HELLO, transport: 'tcp', recovery: 'none', playing: false, userAgent: 'dropframe/0.1.0' },
  { kind: 'attach', session: WELCOME.session, key: WELCOME.key },
  { kind: 'play' },
  { kind: 'pause' },
  { kind: 'request-keyframe' },
  STATISTICS,
  { kind: 'refuse-stream', id: 255, reason: 'audio codec opus is not supported' },
];
const FROM_SENDER: readonly ControlMessage[] = [
  WELCOME,
  { ...WELCOME, initialSequence: 65_535, position: 'live' },
  { ...WELCOME, minor: 1, parameterSets: [], streams: [VIDEO, { id: 1, mediaType: 'audio', codec: 'opus' }] },
  { kind: 'attached' },
  { kind: 'keyframe', inMs: 333.4 },
  { kind: 'keyframe', inMs: null },
  { kind: 'sent', frames: 300, packets: 4_000, refused: 0 },
  { kind: 'end-of-stream', frames: 300, packets: 4_000, lastSequence: 17 },
  { kind: 'end-of-stream', frames: 0, packets: 0, lastSequence: null },
  { kind: 'refused', reason: 'no room for another receiver' },
];
const FROM_BOTH: readonly ControlMessage[] = [{ kind: 'goodbye', reason: '' }, { kind: 'keep-alive' }];

describe.each([...FROM_RECEIVER, ...FROM_SENDER, ...FROM_BOTH])('$kind', (message) => {
  const text = serializeControlMessage(message);

  test('round-trips', () => {
    expect(parseControlMessage(text)).toEqual({ ok: true, value: message });
  });

  test('is accepted from its own side and refused from the other', () => {
    const both = FROM_BOTH.includes(message);
    expect(parseReceiverMessage(text).ok).toBe(both || FROM_RECEIVER.includes(message));
    expect(parseSenderMessage(text).ok).toBe(both || FROM_SENDER.includes(message));
  });

  test('parses without the fields that a newer peer adds', () => {
    expect(parseControlMessage(JSON.stringify({ ...message, more: { and: [1] } }))).toEqual({
      ok: true,
      value: message,
    });
  });

  test('is refused without a required field', () => {
    const optional = ['userAgent', 'initialSequence', 'minor', 'streams'];
    for (const field of Object.keys(message).filter((field) => !optional.includes(field))) {
      expect(parseControlMessage(JSON.stringify({ ...message, [field]: undefined })).ok).toBe(false);
    }
  });
});

test.each<[string, ControlMessage, object, string]>([
  ['a newer major version', HELLO, { version: 2 }, 'control protocol version 2 is unsupported (expected 1)'],
  ['no version', HELLO, { version: 'new' }, 'message: version invalid_value'],
  ['a latency below zero', HELLO, { latencyMs: -1 }, 'message: latencyMs too_small'],
  ['a latency of a day', HELLO, { latencyMs: 86_400_000 }, 'message: latencyMs too_big'],
  ['half a millisecond of latency', HELLO, { latencyMs: 0.5 }, 'message: latencyMs invalid_type'],
  ['a user agent that steers a terminal', HELLO, { userAgent: '\u001b[2J' }, 'message: userAgent custom'],
  ['a user agent of 101 characters', HELLO, { userAgent: 'x'.repeat(101) }, 'message: userAgent too_big'],
  ['frames below zero', STATISTICS, { frames: -1 }, 'message: frames too_small'],
  ['a count beyond exact numbers', STATISTICS, { packets: 2 ** 53 }, 'message: packets too_big'],
  ['a session in capitals', WELCOME, { session: 'AABBCCDDEEFF0011' }, 'message: session invalid_format'],
  ['a short key', WELCOME, { key: '00' }, 'message: key invalid_format'],
  ['a payload type of RTCP', WELCOME, { payloadType: 72 }, 'message: payloadType too_small'],
  ['an SSRC of 33 bits', WELCOME, { ssrc: 2 ** 32 }, 'message: ssrc too_big'],
  ['a datagram beyond UDP', WELCOME, { datagramBytesMax: 65_508 }, 'message: datagramBytesMax too_big'],
  [
    'parameter sets that are not base64',
    WELCOME,
    { parameterSets: ['Z0LA*'] },
    'message: parameterSets.0 invalid_format',
  ],
  ['no streams', WELCOME, { streams: [] }, 'message: streams too_small'],
  [
    '17 streams',
    WELCOME,
    { streams: Array.from({ length: 17 }, (_, id) => ({ ...VIDEO, id })) },
    'message: streams too_big',
  ],
  ['two streams of one name', WELCOME, { streams: [VIDEO, VIDEO] }, 'message: streams custom'],
  ['a stream without a name', WELCOME, { streams: [{ codec: 'speex' }] }, 'message: streams.0 invalid_union'],
  ['65 parameter sets', WELCOME, { parameterSets: new Array(65).fill('Z0LA') }, 'message: parameterSets too_big'],
])('%s is refused, and the cause names the field', (_, message, change, cause) => {
  expect(parseControlMessage(JSON.stringify({ ...message, ...change }))).toEqual({ ok: false, malformed: cause });
});

test.each([
  ['nothing', '', 'not-json'],
  ['half a message', '{"kind":"play"', 'not-json'],
  ['a number', '7', 'message:  invalid_type'],
  ['a list', '[]', 'message:  invalid_type'],
  ['null', 'null', 'message:  invalid_type'],
  ['no kind', '{}', 'message: kind invalid_type'],
  ['an empty kind', '{"kind":""}', 'message: kind too_small'],
  ['a kind of 65 characters', `{"kind":"${'x'.repeat(65)}"}`, 'message: kind too_big'],
  ['too much', `{"kind":"play"}${' '.repeat(65_536)}`, 'too-long'],
  ['deep nesting', '['.repeat(60_000), 'not-json'],
])('%s is no message', (_, text, cause) => {
  expect(parseControlMessage(text)).toEqual({ ok: false, malformed: cause });
});

test.each(['reboot', 'constructor', '__proto__', 'unrecognized', 'Play'])(
  'the unknown kind %s parses, and is ignored',
  (kind) => {
    for (const parse of [parseControlMessage, parseReceiverMessage, parseSenderMessage]) {
      expect(parse(JSON.stringify({ kind, list: [1] }))).toEqual({ ok: true, value: { kind: 'unrecognized' } });
    }
  },
);

test('a `__proto__` key in a message is ignored like any unknown field', () => {
  const result = parseControlMessage('{"kind":"play","__proto__":{"version":1}}');
  expect(result).toEqual({ ok: true, value: { kind: 'play' } });
  expect(result.ok && 'version' in result.value).toBe(false);
});

test('the cause of an error repeats no text of the peer', () => {
  const text = JSON.stringify({ kind: 'goodbye', reason: 'evil\u001b[2J' });
  const result = parseControlMessage(text);
  expect(result.ok ? '' : result.malformed).not.toContain('evil');
});

test('never throws on arbitrary text', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.anything().map((value) => `${JSON.stringify(value)}`),
      ),
      (text) => {
        expect(parseControlMessage(text)).toMatchObject({ ok: false });
      },
    ),
  );
});

test('asserts on a message of ours that the peer would refuse', () => {
  expect(() => serializeControlMessage({ ...WELCOME, latencyMs: -1 })).toThrow('latencyMs too_small');
  expect(() => serializeControlMessage({ kind: 'refused', reason: 'a\nb' })).toThrow('reason custom');
});

test('replaces control characters in any text, and limits its length', () => {
  expect(presentable('a\u001b[2Jb\nc', 100)).toBe('a\ufffd[2Jb\ufffdc');
  expect(presentable('ab🎞️', 3)).toBe('ab');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat({ max: 30 }), (text, charactersMax) => {
      const reason = presentable(text, charactersMax);
      expect(reason.length).toBeLessThanOrEqual(charactersMax);
      expect(parseControlMessage(serializeControlMessage({ kind: 'goodbye', reason }))).toMatchObject({ ok: true });
    }),
  );
});

test('parameter sets that exceed the limits of a welcome are left out', () => {
  const set = (bytes: number) => new Uint8Array(bytes).fill(0x67);
  const welcome = (sets: readonly Uint8Array[]) =>
    parseControlMessage(serializeControlMessage({ ...WELCOME, parameterSets: presentableParameterSets(sets) }));
  expect(presentableParameterSets([Uint8Array.of(0x67, 0x42), Uint8Array.of()])).toEqual(['Z0I=']);
  expect(presentableParameterSets([set(24_576)])).toHaveLength(1);
  expect(presentableParameterSets([set(24_577)])).toEqual([]);
  expect(presentableParameterSets(new Array(65).fill(set(5)))).toEqual([]);
  expect([welcome([set(24_576)]), welcome(new Array(64).fill(set(384)))]).toMatchObject([{ ok: true }, { ok: true }]);
});
