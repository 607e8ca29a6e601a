import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  headerOf,
  interleaved,
  type RtspHeader,
  type RtspRequest,
  rtspAnswer,
  serializeRtsp,
} from '../../../protocol/rtsp/rtsp-message.ts';
import { type RtspItem, RtspReader } from '../../../protocol/rtsp/rtsp-reader.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (text: string) => {
  const reader = new RtspReader();
  return { items: reader.push(bytesOf(text)), reader };
};
const EMPTY = new Uint8Array(0);

test('reads the request of RFC 2326 §10.2, and writes it again', () => {
  const text = 'DESCRIBE rtsp://server.example.com/fizzle/foo RTSP/1.0\r\nCSeq: 312\r\nAccept: application/sdp\r\n\r\n';
  const { items, reader } = read(text);
  const request: RtspRequest = {
    kind: 'request',
    method: 'DESCRIBE',
    uri: 'rtsp://server.example.com/fizzle/foo',
    headers: [
      ['CSeq', '312'],
      ['Accept', 'application/sdp'],
    ],
    body: EMPTY,
  };
  expect(items).toEqual([request]);
  expect(reader.pendingBytes).toBe(0);
  expect(Buffer.from(serializeRtsp(request)).toString()).toBe(text);
});

test('reads messages and packets that follow each other without a gap', () => {
  const packet = Uint8Array.of(0x80, 0x60, 0, 1);
  const body = 'packets_received\r\n';
  const parts = [
    bytesOf('\r\nOPTIONS * RTSP/1.0\nCSeq: 1\n\n'),
    interleaved(1, packet),
    bytesOf(`GET_PARAMETER rtsp://h/f RTSP/1.0\r\nCSeq:2\r\ncontent-length: ${body.length}\r\n\r\n${body}`),
    bytesOf('RTSP/1.0 200 OK\r\nCSeq: 3\r\n\r\n'),
  ];
  const { items } = { items: new RtspReader().push(Buffer.concat(parts)) };
  expect(items).toMatchObject([
    { kind: 'request', method: 'OPTIONS', uri: '*' },
    { kind: 'interleaved', channel: 1, payload: packet },
    { kind: 'request', method: 'GET_PARAMETER', body: bytesOf(body) },
    { kind: 'response', status: 200, reason: 'OK' },
  ]);
});

test('an interleaved packet begins with a dollar sign, its channel and its length', () => {
  expect([...interleaved(2, Uint8Array.of(7, 8, 9))]).toEqual([0x24, 2, 0, 3, 7, 8, 9]);
});

describe('refuses', () => {
  test.each([
    ['a line that is no request', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['another version', 'OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n', 505],
    ['a field without a colon', 'OPTIONS * RTSP/1.0\r\nCSeq 1\r\n\r\n', 400],
    ['a carriage return in a field', 'OPTIONS * RTSP/1.0\r\nRequire: a\rb\r\n\r\n', 400],
    ['a length that is no number', 'OPTIONS * RTSP/1.0\r\nContent-Length: -1\r\n\r\n', 400],
    ['two different lengths', 'OPTIONS * RTSP/1.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    ['a body over the limit', 'OPTIONS * RTSP/1.0\r\nContent-Length: 999999999\r\n\r\n', 413],
    ['a long first line, complete', `OPTIONS rtsp://h/${'a'.repeat(3_000)} RTSP/1.0\r\nCSeq: 1\r\n\r\n`, 414],
    ['an endless first line', 'A'.repeat(5_000), 414],
    ['an endless head', `OPTIONS * RTSP/1.0\r\n${'A: b\r\n'.repeat(5_000)}`, 413],
    ['too many fields', `OPTIONS * RTSP/1.0\r\n${'A: b\r\n'.repeat(100)}\r\n`, 413],
    ['bytes that are no text', String.fromCharCode(0, 1, 2, 0x0d, 0x0a, 0x0d, 0x0a), 400],
  ])('%s', (_, text, status) => {
    const { items, reader } = read(text);
    expect(items).toEqual([]);
    expect(reader.refusal?.status).toBe(status);
    expect(reader.push(bytesOf('OPTIONS * RTSP/1.0\r\n\r\n'))).toEqual([]);
  });
});

test('what came before the refused bytes is returned', () => {
  const { items, reader } = read('OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\nnonsense\r\n\r\n');
  expect(items).toHaveLength(1);
  expect(reader.refusal?.status).toBe(400);
});

test('an answer carries the number of its request', () => {
  const answer = rtspAnswer(454, '12', [['Server', 'x']]);
  expect(headerOf(answer, 'CSEQ')).toBe('12');
  expect(Buffer.from(serializeRtsp(answer)).toString()).toBe(
    'RTSP/1.0 454 Session Not Found\r\nCSeq: 12\r\nServer: x\r\n\r\n',
  );
});

const token = fc.stringMatching(/^[A-Za-z-]{1,12}$/);
const headers = fc.array(
  fc.tuple(
    token.filter((name) => name.toLowerCase() !== 'content-length'),
    fc.stringMatching(/^[!-~]{1,20}$/),
  ),
  { maxLength: 6 },
) as fc.Arbitrary<readonly RtspHeader[]>;
const body = fc.uint8Array({ maxLength: 50 });
const item: fc.Arbitrary<RtspItem> = fc.oneof(
  fc.record({
    kind: fc.constant('request' as const),
    method: fc.constantFrom('OPTIONS', 'SETUP', 'X-Y'),
    uri: fc.constantFrom('*', 'rtsp://h:1/a?b=c'),
    headers,
    body,
  }),
  fc.record({
    kind: fc.constant('response' as const),
    status: fc.integer({ min: 100, max: 599 }),
    reason: fc.constantFrom('OK', 'Not Found', ''),
    headers,
    body,
  }),
  fc.record({
    kind: fc.constant('interleaved' as const),
    channel: fc.nat(255),
    payload: fc.uint8Array({ maxLength: 80 }),
  }),
);

const written = (each: RtspItem): Uint8Array =>
  each.kind === 'interleaved' ? interleaved(each.channel, each.payload) : serializeRtsp(each);

const withoutLength = (each: RtspItem): RtspItem =>
  each.kind === 'interleaved'
    ? each
    : {
        ...each,
        ...(each.kind === 'request' && { method: each.method.toUpperCase() }),
        headers: each.headers.filter(([name]) => name !== 'Content-Length'),
      };

test('reads what was written, wherever it is cut', () => {
  fc.assert(
    fc.property(
      fc.array(item, { maxLength: 5 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
      (items, sizes) => {
        const reader = new RtspReader();
        const bytes = Buffer.concat(items.map(written));
        const found: RtspItem[] = [];
        for (let at = 0; at < bytes.length; ) {
          const size = sizes.next().value!;
          found.push(...reader.push(Uint8Array.from(bytes.subarray(at, at + size))));
          at += size;
        }
        expect(found.map((each) => JSON.stringify(withoutLength(each)))).toEqual(
          items.map((each) => JSON.stringify(withoutLength(each))),
        );
        expect(reader.pendingBytes).toBe(0);
      },
    ),
    { numRuns: 100 },
  );
});

test('no bytes make it throw, or keep more than a packet', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 }), (chunks) => {
      const reader = new RtspReader();
      for (const chunk of chunks) reader.push(chunk);
      expect(reader.pendingBytes).toBeLessThan(70_000);
    }),
    { numRuns: 200 },
  );
});
