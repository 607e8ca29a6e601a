import { expect, test } from 'vitest';
import { parseRtcp, serializeRtcp } from '../../../protocol/rtcp/rtcp.ts';
import { hex } from '../bytes.ts';

test('writes and reads full intra requests as in RFC 5104 §4.3.1', () => {
  const packet = {
    kind: 'full-intra-request',
    senderSsrc: 0x01020304,
    commands: [
      { ssrc: 0xdeadbeef, number: 255 },
      { ssrc: 5, number: 0 },
    ],
  } as const;
  // Version 2, type 4; PSFB; 6 words. Its sender; 0 for the media. Then SSRC, number, reserved.
  const datagram = hex('84ce0006 01020304 00000000 deadbeef ff000000 00000005 00000000');
  expect(serializeRtcp([packet])).toEqual(datagram);
  expect(parseRtcp(datagram)).toEqual({ ok: true, value: [packet] });
});

test.each(['84ce0002 01020304 00000000', '84ce0003 01020304 00000000 deadbeef'])('rejects %s', (bytes) => {
  expect(parseRtcp(hex(bytes))).toEqual({ ok: false, malformed: 'full-intra-request-length' });
});
