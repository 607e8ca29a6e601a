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
];
const FROM_SENDER: readonly ControlMessage[] = [
  WELCOME,
  { ...WELCOME, initialSequence: 65_535, position: 'live' },
  { kind: 'attached' },
  { kind: 'keyframe', inMs: 333.4 },
  { kind: 'keyframe', inMs: null },
  { kind: 'end-of-stream', frames: 300, packets: 4_000, lastSequence: 17 },
  { kind: 'end-of-stream', frames: 0, packets: 0, lastSequence: null },
  { kind: 'refused', reason: 'no room for another receiver' },
];
const FROM_BOTH: readonly ControlMessage[] = [{ kind: 'goodbye', reason: '' }, { kind: 'keep-alive' }];

describe.each([...FROM_RECEIVER, ...FROM_SENDER, ...FROM_BOTH])('$kind', (message) => {
  const text = serializeControlMessage(message);

  test('is read as it was written', () => {
    expect(parseControlMessage(text)).toEqual({ ok: true, value: message });
  });

  test('is taken from the side that says it, and refused from the other', () => {
    const both = FROM_BOTH.includes(message);
    expect(parseReceiverMessage(text).ok).toBe(both || FROM_RECEIVER.includes(message));
    expect(parseSenderMessage(text).ok).toBe(both || FROM_SENDER.includes(message));
  });

  test('with a field too many, or without one it needs, is refused', () => {
    const optional = ['userAgent', 'initialSequence'];
    expect(parseControlMessage(JSON.stringify({ ...message, more: 1 }))).toMatchObject({ ok: false });
    for (const field of Object.keys(message).filter((field) => !optional.includes(field))) {
      expect(parseControlMessage(JSON.stringify({ ...message, [field]: undefined })).ok).toBe(false);
    }
  });
});

test.each([
  ['a newer version', HELLO, { version: 2 }, 'message: version invalid_value'],
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
  ['an unknown kind', '{"kind":"reboot"}', 'message: kind invalid_union'],
  ['a kind that objects inherit', '{"kind":"constructor"}', 'message: kind invalid_union'],
  ['a prototype', '{"kind":"play","__proto__":{"a":1}}', 'message:  unrecognized_keys'],
  ['too much', `{"kind":"play"}${' '.repeat(65_536)}`, 'too-long'],
  ['deep nesting', '['.repeat(60_000), 'not-json'],
])('%s is no message', (_, text, cause) => {
  expect(parseControlMessage(text)).toEqual({ ok: false, malformed: cause });
});

test('the cause repeats nothing that the peer wrote', () => {
  const text = JSON.stringify({ kind: 'play', 'evil\u001b[2J': 1 });
  const result = parseControlMessage(text);
  expect(result.ok ? '' : result.malformed).not.toContain('evil');
});

test('no text makes the parser throw', () => {
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

test('a message of ours that the other side would refuse is our own mistake', () => {
  expect(() => serializeControlMessage({ ...WELCOME, latencyMs: -1 })).toThrow('latencyMs too_small');
  expect(() => serializeControlMessage({ kind: 'refused', reason: 'a\nb' })).toThrow('reason custom');
});

test('any text is presentable after it was made so', () => {
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

test('parameter sets fit a welcome, or are left out', () => {
  const set = (bytes: number) => new Uint8Array(bytes).fill(0x67);
  const welcome = (sets: readonly Uint8Array[]) =>
    parseControlMessage(serializeControlMessage({ ...WELCOME, parameterSets: presentableParameterSets(sets) }));
  expect(presentableParameterSets([Uint8Array.of(0x67, 0x42), Uint8Array.of()])).toEqual(['Z0I=']);
  expect(presentableParameterSets([set(24_576)])).toHaveLength(1);
  expect(presentableParameterSets([set(24_577)])).toEqual([]);
  expect(presentableParameterSets(new Array(65).fill(set(5)))).toEqual([]);
  expect([welcome([set(24_576)]), welcome(new Array(64).fill(set(384)))]).toMatchObject([{ ok: true }, { ok: true }]);
});
