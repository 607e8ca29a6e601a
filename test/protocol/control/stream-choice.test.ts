import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSenderMessage, type WelcomeMessage } from '../../../protocol/control/control-message.ts';
import { CONTROL_USER_AGENT, minorVersionOf } from '../../../protocol/control/control-version.ts';
import { choiceMessages, chooseStreams } from '../../../protocol/control/stream-choice.ts';
import { messagesIn, recording } from '../../recorded/recording.ts';

const OLD = messagesIn(recording('udp-control')[1]!.bytes)[0]!;
const STREAM = {
  id: 4,
  mediaType: 'video',
  codec: 'h264',
  decoder: 'avc1.64001f',
  clockRate: 90_000,
  ssrc: 11,
  payloadType: 101,
  retransmission: { ssrc: 12, payloadType: 102 },
  timestampBase: 13,
  parameterSets: ['Z0LA'],
};

function welcome(change: object): WelcomeMessage {
  const message = parseSenderMessage(JSON.stringify({ ...OLD, ...change }));
  if (!message.ok || message.value.kind !== 'welcome') throw new Error('no welcome');
  return message.value;
}

test('takes the only stream of a 1.0 sender unchanged', () => {
  expect(chooseStreams(welcome({}))).toEqual({ accepted: { ...OLD, codec: 'h264' }, refused: [] });
});

test('refuses the only stream of a 1.0 sender when it is not H.264', () => {
  const media = { ...(OLD.media as object), codec: 'vp09.00.10.08' };
  expect(chooseStreams(welcome({ media }))).toEqual({
    accepted: undefined,
    refused: [{ id: 0, reason: 'codec vp09.00.10.08 is not supported' }],
  });
});

test('takes the fields of the first video stream with a known codec', () => {
  const { accepted, refused } = chooseStreams(
    welcome({ minor: 1, streams: [{ id: 0, mediaType: 'video', codec: 'av2' }, STREAM, { ...STREAM, id: 9 }] }),
  );
  expect(accepted).toMatchObject({
    codec: 'h264',
    media: { codec: 'avc1.64001f', width: 160 },
    ssrc: 11,
    payloadType: 101,
    retransmissionSsrc: 12,
    retransmissionPayloadType: 102,
    timestampBase: 13,
    parameterSets: ['Z0LA'],
  });
  for (const field of ['repairSsrc', 'repairPayloadType', 'initialSequence'])
    expect(accepted).not.toHaveProperty(field);
  expect(refused).toEqual([
    { id: 0, reason: 'video codec av2 is not supported' },
    { id: 9, reason: 'only one video stream is supported' },
  ]);
});

const SOUND = { ...STREAM, id: 7, mediaType: 'audio', codec: 'opus', decoder: 'opus', clockRate: 48_000, ssrc: 21 };

test('takes the first sound stream beside the video, and reports on it with an SSRC of its own', () => {
  const choice = chooseStreams(welcome({ minor: 1, streams: [SOUND, STREAM, { ...SOUND, id: 8 }] }));
  expect(choice.accepted).toMatchObject({ codec: 'h264', ssrc: 11, sound: { id: 7, codec: 'opus', ssrc: 21 } });
  expect(choiceMessages(choice, 50)).toEqual([
    { kind: 'refuse-stream', id: 8, reason: 'only one audio stream is supported' },
    { kind: 'report-source', ssrc: 50 },
    { kind: 'report-source', ssrc: 51, id: 7 },
  ]);
});

test('refuses sound that is not wanted', () => {
  expect(chooseStreams(welcome({ streams: [SOUND, STREAM] }), { sound: false }).refused).toEqual([
    { id: 7, reason: 'sound is not wanted' },
  ]);
});

test('takes AAC on the clock of its sampling rate, and Opus on 48 kHz only', () => {
  const rated = (codec: string) =>
    chooseStreams(welcome({ streams: [STREAM, { ...SOUND, codec, clockRate: 44_100 }] }));
  expect(rated('aac').accepted?.sound?.clockRate).toBe(44_100);
  expect(rated('opus').refused).toEqual([{ id: 7, reason: 'opus requires a clock rate of 48000' }]);
});

test.each([
  ['an SSRC out of range', { ssrc: -1 }, 'the h264 description is not supported'],
  ['another medium', { mediaType: 'audio' }, 'h264 does not carry audio'],
  ['another clock', { clockRate: 48_000 }, 'h264 requires a clock rate of 90000'],
])('refuses a stream with %s, and keeps the connection', (_, change, reason) => {
  const choice = chooseStreams(welcome({ streams: [{ ...STREAM, ...change }] }));
  expect(choice).toEqual({ accepted: undefined, refused: [{ id: 4, reason }] });
});

test.each([
  [undefined, 0],
  ['', 0],
  ['dropframe/0.1.0', 0],
  [CONTROL_USER_AGENT, 3],
  ['dropframe/7.2 control/1.12 linux', 12],
  ['control/2.1', 0],
  ['mycontrol/1.3', 0],
  ['control/1.99999', 0],
])('reads the minor version in the user agent %j as %i', (userAgent, minor) => {
  expect(minorVersionOf(userAgent)).toBe(minor);
});

test('never throws on a list of streams, and accepts or refuses each', () => {
  const value = fc.oneof(fc.anything(), fc.constantFrom('h264', 'video', 90_000, 96));
  const stream = fc.record(
    { id: fc.nat({ max: 300 }), mediaType: value, codec: value, ssrc: value, clockRate: value },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(stream, fc.constant(STREAM), fc.anything()), { maxLength: 20 }), (streams) => {
      const message = parseSenderMessage(JSON.stringify({ ...OLD, streams }));
      if (!message.ok || message.value.kind !== 'welcome') return;
      const { accepted, refused } = chooseStreams(message.value);
      expect(refused.length + (accepted ? 1 : 0) + (accepted?.sound ? 1 : 0)).toBe(message.value.streams?.length);
    }),
  );
});

test('takes sound that is sent alone, at its own clock rate', () => {
  const sound = { ...STREAM, id: 0, mediaType: 'audio', codec: 'aac', decoder: 'mp4a.40.2', clockRate: 44_100 };
  const alone = welcome({ minor: 2, media: { ...(OLD.media as object), width: 0, height: 0 }, streams: [sound] });
  const { accepted, refused } = chooseStreams(alone);
  expect(refused).toEqual([]);
  expect(accepted).toMatchObject({ codec: 'aac', clockRate: 44_100, media: { codec: 'mp4a.40.2' }, ssrc: 11 });
  expect(accepted).not.toHaveProperty('sound');
  expect(chooseStreams(alone, { sound: false })).toEqual({
    accepted: undefined,
    refused: [{ id: 0, reason: 'sound is not wanted' }],
  });
  // Pictures that cannot be received are not replaced by their sound.
  const film = welcome({ minor: 2, streams: [{ id: 1, mediaType: 'video', codec: 'h269' }, sound] });
  expect(chooseStreams(film).accepted).toBeUndefined();
});
