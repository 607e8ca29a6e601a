import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codecByName } from '../../../protocol/codec/codecs.ts';
import { describePresentation } from '../../../protocol/rtsp/presentation-description.ts';
import { parseRtspUri, presentationPath, trackUri } from '../../../protocol/rtsp/rtsp-uri.ts';
import { formatTransport, parseTransportOffers } from '../../../protocol/rtsp/transport-header.ts';
import { parseSessionDescription } from '../../../protocol/sdp.ts';

test('reads the offers of a player in its order, and leaves out what it does not know', () => {
  const value =
    'RAW/RAW/UDP;unicast, RTP/AVP;unicast;client_port=4588-4589, RTP/AVP/TCP;unicast;interleaved=2-3;mode="PLAY"';
  expect(parseTransportOffers(value)).toEqual([
    {
      lower: 'udp',
      isMulticast: false,
      clientPorts: [4588, 4589],
      channels: undefined,
      destination: undefined,
      mode: 'PLAY',
    },
    {
      lower: 'tcp',
      isMulticast: false,
      clientPorts: undefined,
      channels: [2, 3],
      destination: undefined,
      mode: 'PLAY',
    },
  ]);
});

test.each([
  ['RTP/AVP/UDP;unicast;client_port=5000', [5000, 5001]],
  ['RTP/AVPF;unicast;client_port=5000-5002', [5000, 5002]],
  ['RTP/AVP;unicast', undefined],
])('reads the ports of %s', (value, ports) => {
  expect(parseTransportOffers(value)[0]?.clientPorts).toEqual(ports);
});

test.each([
  'RTP/AVP;unicast;client_port=0-1',
  'RTP/AVP;unicast;client_port=65535',
  'RTP/AVP;unicast;client_port=x',
  'RTP/AVP/TCP;interleaved=255',
  'RTP/SAVP;unicast;client_port=5000-5001',
  '',
])('accepts nothing of "%s"', (value) => {
  expect(parseTransportOffers(value)).toEqual([]);
});

test('a destination and multicast are told, so that they can be refused', () => {
  const [offer] = parseTransportOffers('RTP/AVP;multicast;destination=192.0.2.9;client_port=1-2;mode=record');
  expect(offer).toMatchObject({ isMulticast: true, destination: '192.0.2.9', mode: 'RECORD' });
});

test('writes the transport that was chosen', () => {
  const ssrc = 0x1234ab;
  expect(formatTransport({ lower: 'tcp', channels: [0, 1], ssrc })).toBe(
    'RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=001234AB',
  );
  expect(formatTransport({ lower: 'udp', clientPorts: [4588, 4589], serverPorts: [6256, 6257], ssrc })).toBe(
    'RTP/AVP;unicast;client_port=4588-4589;server_port=6256-6257;ssrc=001234AB',
  );
});

test.each([
  ['rtsp://127.0.0.1:8554/film', 'rtsp://127.0.0.1:8554/film', 'film', undefined],
  ['rtsp://127.0.0.1:8554/film/', 'rtsp://127.0.0.1:8554/film', 'film', undefined],
  ['RTSPS://user:secret@h/a%20b/trackID=1', 'rtsps://h/a%20b', 'a b', 1],
  ['rtsp://[::1]:8554/film/trackID=0/', 'rtsp://[::1]:8554/film', 'film', 0],
  ['rtsp://h/film?latency=200/trackID=1', 'rtsp://h/film', 'film', 1],
  ['rtsp://h', 'rtsp://h', '', undefined],
])('reads the presentation and the track of %s', (text, presentation, path, track) => {
  expect(parseRtspUri(text)).toMatchObject({ presentation, path, track });
});

test('reads the query', () => {
  expect([...parseRtspUri('rtsp://h/film?latency=200&x=%20y')!.query]).toEqual([
    ['latency', '200'],
    ['x', ' y'],
  ]);
});

test.each(['*', 'http://h/film', 'rtsp://', 'rtsp://h/%zz', 'film', 'rtsp://h/a b'])('%s is no URI of RTSP', (text) => {
  expect(parseRtspUri(text)).toBeUndefined();
});

test.each([
  ['film.mp4', 'film'],
  ['my film (1).mkv', 'my-film-1'],
  ['testsrc=640x360@30:5', 'testsrc-640x360-30-5'],
  ['../..', 'live'],
  ['…', 'live'],
])('%s is served as %s', (name, path) => {
  expect(presentationPath(name)).toBe(path);
  expect(parseRtspUri(`rtsp://h/${path}`)?.path).toBe(path);
});

test('any name becomes a path that the URI has too', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      expect(parseRtspUri(trackUri(`rtsp://h/${presentationPath(name)}`, 1))?.track).toBe(1);
    }),
  );
});

test('no text makes a parser throw', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseRtspUri(`rtsp://${text}`);
      parseTransportOffers(text);
    }),
  );
});

test('describes pictures and sound, each with the URI of its track', () => {
  const h264 = codecByName('h264');
  const opus = codecByName('opus');
  const text = describePresentation({
    uri: 'rtsp://127.0.0.1:8554/film',
    host: '127.0.0.1',
    name: 'film.mp4',
    version: 1,
    tracks: [
      { codec: h264, payloadType: 96, clockRate: 90_000, parameterSets: [] },
      { codec: opus, payloadType: 97, clockRate: 48_000, parameterSets: [] },
    ],
  });
  const lines = text.split('\r\n');
  expect(lines.filter((line) => /^(m=|a=control|a=rtpmap|a=range)/.test(line))).toEqual([
    'a=control:*',
    'a=range:npt=now-',
    'm=video 0 RTP/AVP 96',
    'a=rtpmap:96 H264/90000',
    'a=control:rtsp://127.0.0.1:8554/film/trackID=0',
    'm=audio 0 RTP/AVP 97',
    'a=rtpmap:97 opus/48000/2',
    'a=control:rtsp://127.0.0.1:8554/film/trackID=1',
  ]);
  // Port 0 says that SETUP names it.
  expect(parseSessionDescription(text, h264)).toEqual({ ok: false, malformed: 'sdp-port' });
});
