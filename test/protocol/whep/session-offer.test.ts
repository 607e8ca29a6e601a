import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codecByName } from '../../../protocol/codec/codecs.ts';
import { wireSequence, wireTimestamp } from '../../../protocol/rtp/sequence.ts';
import { streamParameters } from '../../../protocol/stream-parameters.ts';
import { chooseFormat } from '../../../protocol/whep/format-choice.ts';
import { plainOffer, writeSessionAnswer } from '../../../protocol/whep/session-answer.ts';
import { OFFER_BYTES_MAX, parseSessionOffer, ufragInFragment } from '../../../protocol/whep/session-offer.ts';
import { BROWSER_OFFER, offerOf, TRANSPORT, VIDEO_LINES } from './offers.ts';

const [H264, OPUS, VP9] = [codecByName('h264'), codecByName('opus'), codecByName('vp9')];
/** Sequence parameter set with these profile and constraints, as far as a description reads it. */
const profile = (idc: number, constraints: number) => [Uint8Array.of(0x67, idc, constraints, 0x1f)];
const h264 = (idc: number, constraints: number) => ({
  codec: H264,
  clockRate: 90_000,
  parameterSets: profile(idc, constraints),
});

function parsedOffer(text = BROWSER_OFFER) {
  const offer = parseSessionOffer(text);
  if (!offer.ok) throw new Error(offer.malformed);
  return offer.value;
}

function refusalOf(text: string): string | undefined {
  const offer = parseSessionOffer(text);
  return offer.ok ? undefined : offer.malformed;
}

test('reads the media, the formats and the transport of an offer', () => {
  const { media, iceUfrag, setup } = parsedOffer();
  expect(media.map(({ kind, mid, receives }) => [kind, mid, receives])).toEqual([
    ['video', '0', true],
    ['audio', '1', true],
  ]);
  expect(iceUfrag).toBe('Wv1x');
  expect(setup).toBe('actpass');
  expect(media[1]!.formats[0]).toEqual({
    payloadType: 111,
    encodingName: 'opus',
    clockRate: 48_000,
    parameters: ['minptime=10', 'useinbandfec=1', 'stereo=1'],
  });
});

test('chooses the profile of the stream, never the other packetization mode', () => {
  const { media } = parsedOffer();
  const chosen = (idc: number, constraints: number) => chooseFormat(media[0]!, h264(idc, constraints))?.payloadType;
  expect(chosen(0x42, 0x00)).toBe(102);
  expect(chosen(0x42, 0xe0)).toBe(106);
  expect(chosen(0x4d, 0x00)).toBe(39);
  expect(chosen(0x64, 0x00)).toBe(108);
  const only0 = offerOf([VIDEO_LINES.filter((line) => !/packetization-mode=1/.test(line))]);
  expect(chooseFormat(parsedOffer(only0).media[0]!, h264(0x42, 0xe0))).toBeUndefined();
});

test('takes the highest profile where that of the stream was not offered', () => {
  const baselines = offerOf([VIDEO_LINES.filter((line) => !/profile-level-id=(4d|64)/.test(line))]);
  expect(chooseFormat(parsedOffer(baselines).media[0]!, h264(0x64, 0))?.payloadType).toBe(102);
});

test('agrees on the feedback and the retransmissions that were offered', () => {
  const { media } = parsedOffer();
  const chosen = chooseFormat(media[0]!, h264(0x42, 0xe0));
  expect(chosen?.retransmissionPayloadType).toBe(107);
  expect(chosen?.feedback).toEqual({ nack: true, pictureLoss: true, fullIntra: true });
  const without = offerOf([VIDEO_LINES.filter((line) => !/ nack$/.test(line))]);
  expect(chooseFormat(parsedOffer(without).media[0]!, h264(0x42, 0xe0))?.retransmissionPayloadType).toBeUndefined();
});

test('does not agree to requests for packets without a stream of retransmissions', () => {
  const without = offerOf([VIDEO_LINES.filter((line) => !/rtx|apt=/.test(line))]);
  const chosen = chooseFormat(parsedOffer(without).media[0]!, h264(0x42, 0xe0));
  expect(chosen?.feedback).toEqual({ nack: false, pictureLoss: true, fullIntra: true });
});

test('gives sound to audio and pictures to video alone', () => {
  const [video, audio] = parsedOffer().media;
  const opus = { codec: OPUS, clockRate: 48_000, parameterSets: [] };
  expect(chooseFormat(audio!, opus)?.payloadType).toBe(111);
  expect(chooseFormat(video!, opus)).toBeUndefined();
  expect(chooseFormat(video!, { codec: VP9, clockRate: 90_000, parameterSets: [] })?.payloadType).toBe(98);
});

test.each([
  ['nothing', '', 'no session description'],
  ['no media', 'v=0\r\no=- 0 0 IN IP4 0\r\n', 'no media'],
  ['another text', '<html>', 'no session description'],
  ['a line that is none', `${BROWSER_OFFER}nonsense\r\n`, 'a line'],
  ['a line without end', `${BROWSER_OFFER}a=${'x'.repeat(5_000)}\r\n`, 'a line'],
  ['no ICE', BROWSER_OFFER.replaceAll(/a=ice-pwd.*\r\n/g, ''), 'no ICE user name and password'],
  [
    'a short ICE password',
    BROWSER_OFFER.replaceAll(/a=ice-pwd:.*/g, 'a=ice-pwd:short'),
    'no ICE user name and password',
  ],
  ['a user name that breaks the line', BROWSER_OFFER.replaceAll('Wv1x', 'W v1x'), 'no ICE user name and password'],
  ['another fingerprint', BROWSER_OFFER.replaceAll('sha-256', 'sha-1'), 'no SHA-256 fingerprint'],
  ['one mid twice', BROWSER_OFFER.replaceAll('a=mid:1', 'a=mid:0'), 'a media description'],
  ['too many media', offerOf(Array.from({ length: 17 }, () => VIDEO_LINES)), 'too many media'],
  ['too much', `${BROWSER_OFFER}${'a=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n'.repeat(2_000)}`, 'too long'],
])('refuses %s', (_, text, cause) => {
  expect(refusalOf(text)).toBe(cause);
});

test('reads nothing of a thousand candidates, and repeats none to the ICE agent', () => {
  const many = `${BROWSER_OFFER}${'a=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n'.repeat(1_000)}`;
  expect(many.length).toBeLessThan(OFFER_BYTES_MAX);
  expect(plainOffer(parsedOffer(many), streamsOf(many))).not.toContain('candidate');
});

test('does not send to media that send, are closed, or have a transport of their own', () => {
  const receives = (text: string) => parsedOffer(text).media.map((media) => media.receives);
  expect(receives(BROWSER_OFFER.replaceAll('recvonly', 'sendonly'))).toEqual([false, false]);
  expect(receives(BROWSER_OFFER.replace('m=video 9', 'm=video 0'))).toEqual([false, true]);
  expect(receives(BROWSER_OFFER.replace('BUNDLE 0 1', 'BUNDLE 1'))).toEqual([false, true]);
  expect(receives(BROWSER_OFFER.replace(/a=group.*\r\n/, ''))).toEqual([true, false]);
  expect(receives(BROWSER_OFFER.replaceAll('UDP/TLS/RTP/SAVPF', 'RTP/AVP'))).toEqual([false, false]);
});

test('never throws, whatever it is given', () => {
  const line = fc.oneof(
    fc.constantFrom(...BROWSER_OFFER.split('\r\n')),
    fc.string().map((text) => `a=${text}`),
    fc.string().map((text) => `m=${text}`),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
      const offer = parseSessionOffer(['v=0', ...TRANSPORT, ...lines].join('\r\n'));
      if (offer.ok) for (const media of offer.value.media) chooseFormat(media, h264(0x42, 0));
    }),
  );
});

function streamsOf(text: string) {
  const { media } = parsedOffer(text);
  const format = chooseFormat(media[0]!, h264(0x42, 0xe0))!;
  const parameters = streamParameters({
    codec: H264,
    ssrc: 1,
    payloadType: format.payloadType,
    retransmission: { ssrc: 2, payloadType: format.retransmissionPayloadType! },
    initialSequence: wireSequence(0),
    timestampBase: wireTimestamp(0),
  });
  return [{ media: 0, format, parameters }];
}

test('answers in the order of the offer, and rejects what it does not send', () => {
  const offer = parsedOffer();
  const transport = {
    iceUfrag: 'abcd',
    icePwd: 'p'.repeat(22),
    fingerprint: 'AA',
    setup: 'active',
    candidates: [{ address: '127.0.0.1', port: 8_889 }],
  } as const;
  const answer = writeSessionAnswer(offer, streamsOf(BROWSER_OFFER), { transport, cname: 'c', version: 7 });
  const lines = answer.split('\r\n');
  expect(lines.filter((line) => line.startsWith('m='))).toEqual([
    'm=video 9 UDP/TLS/RTP/SAVPF 106 107',
    'm=audio 0 UDP/TLS/RTP/SAVPF 111 63 0',
  ]);
  expect(lines).toContain('a=group:BUNDLE 0');
  expect(lines).toContain('a=ssrc-group:FID 1 2');
  expect(lines).toContain('a=rtcp-fb:106 nack pli');
  expect(lines).toContain('a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f');
  expect(lines).toContain('a=candidate:1 1 udp 2130706431 127.0.0.1 8889 typ host');
  expect(lines).toContain('a=sendonly');
});

test('finds the user name in a fragment of candidates', () => {
  expect(ufragInFragment('a=ice-ufrag:Wv1x\r\na=ice-pwd:x\r\nm=video 9 RTP/AVP 0\r\n')).toBe('Wv1x');
  expect(ufragInFragment('m=video 9 RTP/AVP 0\r\n')).toBeUndefined();
});
