import { describe, expect, test } from 'vitest';
import { parseRtcp, type RtcpPacket, serializeRtcp } from '../../../protocol/rtcp/rtcp.ts';
import { wireSequence, wireTimestamp } from '../../../protocol/rtp/sequence.ts';
import { hex } from '../bytes.ts';
import { sharedFile, sharedFolder, udpPayloads, withSharedMedia } from '../shared-media.ts';

interface Golden {
  readonly name: string;
  readonly bytes: readonly string[];
  readonly packet: RtcpPacket;
}

/** Concatenates fields. Each string is a field: its bytes, then a description. */
const bytesOf = (fields: readonly string[]): Uint8Array => hex(fields.map((field) => field.split(' ')[0]).join(''));

const GOLDEN: readonly Golden[] = [
  {
    name: 'sender report with a report block (RFC 3550 §6.4.1)',
    bytes: [
      '81 V=2, one report',
      'c8 SR',
      '000c 13 words, less one',
      '5d931534 SSRC of the sender',
      'dd3ac174 NTP seconds',
      '52808c82 NTP fraction',
      '0000faa0 RTP timestamp',
      '00000191 packets',
      '0000faa0 octets',
      '01932db4 SSRC of the source',
      '40 a quarter lost',
      'fffffe cumulative: -2, duplicates came',
      '00010003 highest sequence: one roll-over, 3',
      '000000be jitter',
      'c1704d61 last SR',
      '0004051c delay since last SR',
    ],
    packet: {
      kind: 'sender-report',
      ssrc: 0x5d93_1534,
      ntp: { seconds: 0xdd3a_c174, fraction: 0x5280_8c82 },
      rtpTimestamp: wireTimestamp(0xfaa0),
      packetCount: 0x191,
      octetCount: 0xfaa0,
      reports: [
        {
          ssrc: 0x0193_2db4,
          fractionLost: 64,
          cumulativeLost: -2,
          highestSequence: 0x1_0003,
          jitter: 0xbe,
          lastSenderReport: 0xc170_4d61,
          delaySinceLastSenderReport: 0x4_051c,
        },
      ],
    },
  },
  {
    name: 'empty receiver report (RFC 3550 §6.4.2)',
    bytes: ['80 V=2, no reports', 'c9 RR', '0001 2 words, less one', 'deadbeef SSRC'],
    packet: { kind: 'receiver-report', ssrc: 0xdead_beef, reports: [] },
  },
  {
    name: 'source description (RFC 3550 §6.5)',
    bytes: [
      '81 one chunk',
      'ca SDES',
      '0003 4 words, less one',
      '00000007 SSRC',
      '01 CNAME',
      '04 length',
      '61c3a940 aé@',
      '0000 end, padding',
    ],
    packet: { kind: 'source-description', chunks: [{ ssrc: 7, cname: 'aé@' }] },
  },
  {
    name: 'goodbye with a reason (RFC 3550 §6.6)',
    bytes: [
      '82 two sources',
      'cb BYE',
      '0004 5 words, less one',
      '00000001 SSRC',
      '00000002 SSRC',
      '04 length',
      '646f6e65 done',
      '000000 padding',
    ],
    packet: { kind: 'goodbye', ssrcs: [1, 2], reason: 'done' },
  },
  {
    name: 'goodbye without a reason',
    bytes: ['81 one source', 'cb BYE', '0001 2 words, less one', '00000001 SSRC'],
    packet: { kind: 'goodbye', ssrcs: [1], reason: '' },
  },
  {
    name: 'application packet (RFC 3550 §6.7)',
    bytes: ['83 subtype 3', 'cc APP', '0003 4 words, less one', '00000009 SSRC', '4446524d DFRM', '01020304 data'],
    packet: { kind: 'application', ssrc: 9, subtype: 3, name: 'DFRM', data: hex('01020304') },
  },
  {
    name: 'generic NACK across the roll-over (RFC 4585 §6.2.1)',
    bytes: [
      '81 generic NACK',
      'cd RTPFB',
      '0004 5 words, less one',
      '00000001 SSRC of the packet sender',
      '00000002 SSRC of the media source',
      'fffe PID 65534',
      '8005 BLP: 65535, 1 and 14',
      '000f PID 15: seventeen after the first PID',
      '0000 BLP: nothing more',
    ],
    packet: {
      kind: 'nack',
      senderSsrc: 1,
      mediaSsrc: 2,
      sequenceNumbers: [
        wireSequence(65_534),
        wireSequence(65_535),
        wireSequence(1),
        wireSequence(14),
        wireSequence(15),
      ],
    },
  },
  {
    name: 'picture loss indication (RFC 4585 §6.3.1)',
    bytes: [
      '81 PLI',
      'ce PSFB',
      '0002 3 words, less one',
      '00000001 SSRC of the packet sender',
      '00000002 SSRC of the media source',
    ],
    packet: { kind: 'picture-loss-indication', senderSsrc: 1, mediaSsrc: 2 },
  },
  {
    name: 'extended report (RFC 3611 §4.4, §4.5)',
    bytes: [
      '80 reserved',
      'cf XR',
      '0008 9 words, less one',
      '00000001 SSRC',
      '04 receiver reference time',
      '00 reserved',
      '0002 two words',
      '01020304 NTP seconds',
      '05060708 NTP fraction',
      '05 delay since last receiver report',
      '00 reserved',
      '0003 three words',
      '00000002 SSRC of the receiver',
      '03040506 last RR',
      '00008000 delay: half a second',
    ],
    packet: {
      kind: 'extended-report',
      ssrc: 1,
      blocks: [
        { kind: 'receiver-reference-time', ntp: { seconds: 0x0102_0304, fraction: 0x0506_0708 } },
        {
          kind: 'delay-since-last-receiver-report',
          reports: [{ ssrc: 2, lastReceiverReport: 0x0304_0506, delay: 0x8000 }],
        },
      ],
    },
  },
];

describe.each(GOLDEN)('$name', ({ bytes, packet }) => {
  test('serializes to these bytes', () => {
    expect(serializeRtcp([packet])).toEqual(bytesOf(bytes));
  });

  test('parses from these bytes', () => {
    expect(parseRtcp(bytesOf(bytes))).toEqual({ ok: true, value: [packet] });
  });

  test('is malformed when cut at any byte', () => {
    const whole = bytesOf(bytes);
    for (let length = 0; length < whole.length; length++) {
      expect(parseRtcp(whole.subarray(0, length)).ok).toBe(false);
    }
  });

  test('is malformed when its body is one word too short', () => {
    const short = bytesOf(bytes).slice(0, -4);
    short[3]!--;
    // A reason, a chunk or application data may be one word shorter; the rest must then still be valid.
    const result = parseRtcp(short);
    if (result.ok) expect(result.value).not.toEqual([packet]);
  });
});

test('a compound of all of them keeps their order', () => {
  const packets = GOLDEN.map(({ packet }) => packet);
  const datagram = serializeRtcp(packets);
  expect(datagram).toEqual(bytesOf(GOLDEN.flatMap(({ bytes }) => bytes)));
  expect(parseRtcp(datagram)).toEqual({ ok: true, value: packets });
});

test('reports packets and feedback of other types as unknown', () => {
  // Application layer feedback: PSFB with feedback message type 15. Transport-wide feedback: RTPFB with 15. Type 192.
  const datagram = hex('8fce0002 00000001 00000002  8fcd0002 00000001 00000002  80c00000');
  expect(parseRtcp(datagram)).toEqual({
    ok: true,
    value: [
      { kind: 'unknown', packetType: 206 },
      { kind: 'unknown', packetType: 205 },
      { kind: 'unknown', packetType: 192 },
    ],
  });
});

test('skips other SDES items and profile-specific extensions of a report', () => {
  const description = hex('81ca0005 00000007 0203616263 0102 7879 000000000000 00');
  expect(parseRtcp(description)).toEqual({
    ok: true,
    value: [{ kind: 'source-description', chunks: [{ ssrc: 7, cname: 'xy' }] }],
  });
  expect(parseRtcp(hex('80c90002 deadbeef 01020304'))).toEqual({
    ok: true,
    value: [{ kind: 'receiver-report', ssrc: 0xdead_beef, reports: [] }],
  });
});

test('skips unknown blocks of an extended report', () => {
  expect(parseRtcp(hex('80cf0005 00000001  01000000  04000002 00000001 00000002'))).toEqual({
    ok: true,
    value: [
      {
        kind: 'extended-report',
        ssrc: 1,
        blocks: [{ kind: 'receiver-reference-time', ntp: { seconds: 1, fraction: 2 } }],
      },
    ],
  });
});

test('only the last packet of a compound may be padded', () => {
  const goodbye = '81cb0001 00000001';
  const padded = 'a1cb0002 00000001 00000004';
  const value = [
    { kind: 'goodbye', ssrcs: [1], reason: '' },
    { kind: 'goodbye', ssrcs: [1], reason: '' },
  ];
  expect(parseRtcp(hex(goodbye + padded))).toEqual({ ok: true, value });
  expect(parseRtcp(hex(padded + goodbye))).toEqual({ ok: false, malformed: 'padding-before-last' });
});

test.each([
  ['nothing', '', 'empty'],
  ['another version', '40cb0000', 'version'],
  ['a length beyond the datagram', '80cb0001', 'length-beyond-datagram'],
  ['bytes after the last packet', '80cb0000 0000', 'too-short'],
  ['a padding of no bytes', 'a1cb0002 00000001 00000000', 'padding-count'],
  ['a padding of no whole words', 'a1cb0002 00000001 00000003', 'padding-count'],
  ['a padding beyond the body', 'a1cb0002 00000001 0000000c', 'padding-beyond-body'],
  ['more reports than there are bytes', '82c90001 deadbeef', 'receiver-report-truncated'],
  ['more sources than there are bytes', '82cb0001 00000001', 'goodbye-truncated'],
  ['a reason beyond the packet', '80cb0001 04616263', 'goodbye-truncated'],
  ['an item beyond its packet', '81ca0002 00000007 01ff6161', 'source-description-truncated'],
  ['a chunk without an end', '81ca0002 00000007 01026161', 'source-description-truncated'],
  ['a NACK of nothing', '81cd0002 00000001 00000002', 'nack-truncated'],
  [
    'a picture loss indication with an appendix',
    '81ce0003 00000001 00000002 00000003',
    'picture-loss-indication-length',
  ],
  ['a reference time of one word', '80cf0003 00000001 04000001 00000001', 'receiver-reference-time-length'],
  ['a delay report of one word', '80cf0003 00000001 05000001 00000001', 'delay-since-last-receiver-report-length'],
  ['an extended block beyond the packet', '80cf0002 00000001 04000002', 'extended-report-truncated'],
  ['65 headers', '80cb0000'.repeat(65), 'too-many-packets'],
])('%s is malformed', (_, bytes, cause) => {
  expect(parseRtcp(hex(bytes))).toEqual({ ok: false, malformed: cause });
});

test('clamps the cumulative loss to 24 bits', () => {
  for (const [cumulativeLost, sent] of [
    [0x80_0000, 0x7f_ffff],
    [-0x80_0001, -0x80_0000],
  ] as const) {
    const report = { ...reportOf(1), cumulativeLost };
    const result = parseRtcp(serializeRtcp([{ kind: 'receiver-report', ssrc: 1, reports: [report] }]));
    expect(result).toMatchObject({ ok: true, value: [{ reports: [{ cumulativeLost: sent }] }] });
  }
});

const reportOf = (ssrc: number) => ({
  ssrc,
  fractionLost: 0,
  cumulativeLost: 0,
  highestSequence: 0,
  jitter: 0,
  lastSenderReport: 0,
  delaySinceLastSenderReport: 0,
});

withSharedMedia('a captured exchange of reports reads as tshark reads it', () => {
  const compounds = udpPayloads(sharedFile('pcap/rtcp_compound_sr-rr.pcap')).map((datagram) => parseRtcp(datagram));
  expect(compounds.map((compound) => compound.ok && compound.value.map(({ kind }) => kind))).toEqual([
    ['sender-report', 'source-description'],
    ['receiver-report', 'source-description'],
    ['sender-report', 'source-description'],
    ['receiver-report', 'source-description'],
    ['sender-report', 'source-description'],
  ]);
  expect(compounds[3]).toMatchObject({
    value: [
      {
        ssrc: 0x0193_2db4,
        reports: [
          {
            ssrc: 0x5d93_1534,
            fractionLost: 0,
            cumulativeLost: 1,
            highestSequence: 49_035,
            jitter: 6,
            lastSenderReport: 0xc170_4d61,
            delaySinceLastSenderReport: 263_452,
          },
        ],
      },
      { chunks: [{ ssrc: 0x0193_2db4, cname: '1932db4' }] },
    ],
  });
});

withSharedMedia('fuzzing corpora parse or are malformed', () => {
  for (const folder of ['broken/fuzz_rtp', 'broken/fuzz_rtph264']) {
    for (const bytes of sharedFolder(folder)) expect(parseRtcp(bytes)).toHaveProperty('ok');
  }
});
