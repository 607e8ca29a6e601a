import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { DatagramCapture } from '../../io/capture/packet-capture.ts';
import { writeUint16 } from '../../protocol/base/big-endian.ts';
import { concatenated } from '../../protocol/base/concatenated.ts';
import { utf8Bytes } from '../../protocol/base/text-codec.ts';
import { microseconds, ticks } from '../../protocol/base/units.ts';
import { pcapHeader, pcapRecord } from '../../protocol/capture/pcap.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { serializeAddressProof } from '../../protocol/control/address-proof.ts';
import { serializeControlFrame } from '../../protocol/control/control-framing.ts';
import { answerToProbe, serializeProbe } from '../../protocol/control/path-probe.ts';
import { type RecoveryNotice, recoveryNoticePacket } from '../../protocol/rtcp/recovery-notice.ts';
import { serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { type FrameMark, frameMarkBytes, type MarkedPackets, writeFrameMark } from '../../protocol/rtp/frame-mark.ts';
import { wrapRetransmission } from '../../protocol/rtp/retransmission.ts';
import { serializeRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { temporaryFolder } from '../io/sources/media.ts';
import { ipv4 } from '../protocol/ip-packets.ts';
import { dissect, withTshark } from './tshark-fields.ts';

const SCRIPT = ['-X', `lua_script:${join(import.meta.dirname, '../../docs/wireshark/dropframe.lua')}`];
const NONCE = Uint8Array.from({ length: 8 }, (_, index) => index);
const SESSION = '0123456789abcdef';

const MARKS: readonly FrameMark[] = [
  { frameNumber: 65_535, packetIndex: 0, packetCount: 2, importance: 'key', decodeLead: ticks(3_600) },
  { frameNumber: 65_535, packetIndex: 1, packetCount: 2, importance: 'reference', decodeLead: ticks(0) },
  { frameNumber: 0, packetIndex: 0, packetCount: 1, importance: 'discardable', decodeOnly: true, decodeLead: ticks(0) },
];

function media(mark: FrameMark, sequence: number, marked: MarkedPackets = 'every'): Uint8Array {
  const extension = new Uint8Array(frameMarkBytes(mark, marked));
  writeFrameMark(extension, 0, mark, marked);
  return serializeRtpPacket({
    ...{ marker: true, payloadType: 96, sequenceNumber: wireSequence(sequence), timestamp: wireTimestamp(1), ssrc: 7 },
    ...{ csrcs: [], extension: { profile: 0xbede, data: extension.subarray(4) }, payload: Uint8Array.of(0x61, 1, 2) },
  });
}

const notices: readonly RecoveryNotice[] = [
  {
    ...{ kind: 'path', latency: microseconds(120_000), answerTime: microseconds(41_000), loss: 0.25, burst: 1.5 },
    ...{ recentLoss: 0.125, queueing: microseconds(2_500), showsDamaged: true, spacing: microseconds(480) },
  },
  { kind: 'request', number: 513, last: true, late: false, usefulFor: microseconds(99_000) },
  { kind: 'withheld', frames: 77 },
  { kind: 'reports-wanted', interval: microseconds(30_000) },
  {
    ...{ kind: 'queue', sequence: wireSequence(60_000), queueing: microseconds(31_400), records: true },
    latency: microseconds(200_000),
  },
];

async function captured(datagrams: readonly Uint8Array[], encrypted = false): Promise<string> {
  const path = join(temporaryFolder(), 'session.pcap');
  const capture = await DatagramCapture.open(path, (error) => {
    throw error;
  });
  const codec = codecByName('h264');
  const stream = { codec, payloadType: 96, clockRate: 90_000, parameterSets: [] };
  const companions = { retransmission: { payloadType: 97 }, repair: { payloadType: 98 } };
  const feedback = { nack: true, pictureLoss: false, fullIntra: false };
  // The description comes after the first datagram, as it does in plain RTP.
  for (const [index, datagram] of datagrams.entries()) {
    capture.write('in', datagram);
    if (index === 0) capture.announce({ name: 'film', streams: [{ ...stream, ...companions, feedback }], encrypted });
  }
  await capture.close();
  return path;
}

withTshark('a capture opens as RTP with its formats, without any option of tshark', async () => {
  const path = await captured(MARKS.map((mark, index) => media(mark, index)));
  expect(dissect(path, 'udp', ['_ws.col.Protocol'])).toEqual([['SAP/SDP'], ['H.264'], ['H.264'], ['H.264']]);
});

withTshark('an encrypted capture opens as SRTP, and nobody takes its bytes for video', async () => {
  const path = await captured([media(MARKS[0]!, 1)], true);
  expect(dissect(path, 'udp', ['_ws.col.Protocol'])).toEqual([['SAP/SDP'], ['SRTP']]);
  expect(dissect(path, 'h264', ['frame.number'])).toEqual([]);
});

withTshark('the dissector reads the short form of frame marks', async () => {
  const path = await captured(MARKS.map((mark, index) => media(mark, index, 'edges')));
  const names = ['frame_low', 'edge_packets', 'edge_importance', 'edge_decode_only', 'decode_lead'];
  const fields = names.map((field) => `dropframe.${field}`);
  expect(dissect(path, 'rtp.p_type == 96', fields, ...SCRIPT)).toEqual([
    ['8191', '2', '0', '0', '3600'],
    ['8191', '2', '1', '0', ''],
    ['0', '1', '2', '1', ''],
  ]);
});

withTshark('the dissector reads frame marks, retransmissions and repair packets', async () => {
  const again = wrapRetransmission(media(MARKS[1]!, 4_711), {
    ...{ ssrc: 8, payloadType: 97, sequenceNumber: wireSequence(3) },
  });
  const repair = new Uint8Array(20);
  for (const [offset, word] of [0xbeef, 0xf00c, 4_700].entries()) writeUint16(repair, offset * 2, word);
  const repairPacket = serializeRtpPacket({
    ...{ marker: false, payloadType: 98, sequenceNumber: wireSequence(0), timestamp: wireTimestamp(1), ssrc: 9 },
    ...{ csrcs: [], payload: repair },
  });
  const path = await captured([...MARKS.map((mark, index) => media(mark, index)), again, repairPacket]);
  const fields = ['frame', 'index', 'count', 'importance', 'decode_only', 'decode_lead'];
  const names = fields.map((field) => `dropframe.${field}`);
  expect(dissect(path, 'rtp.p_type == 96', names, ...SCRIPT)).toEqual([
    ['65535', '0', '2', '4', '0', '3600'],
    ['65535', '1', '2', '2', '0', ''],
    ['0', '0', '1', '1', '1', ''],
  ]);
  expect(dissect(path, 'dropframe.original', ['dropframe.original', 'dropframe.frame'], ...SCRIPT)).toEqual([
    ['4711', '65535'],
  ]);
  const window = ['repair_key', 'density', 'window', 'first'].map((field) => `dropframe.${field}`);
  expect(dissect(path, 'dropframe.window', window, ...SCRIPT)).toEqual([['48879', '15', '12', '4700']]);
  expect(
    dissect(path, '_ws.lua.error || _ws.expert.group == "Undecoded" && !h264', ['frame.number'], ...SCRIPT),
  ).toEqual([]);
});

withTshark('the dissector reads every notice, the address proof and the probes of the path', async () => {
  const proofs = [
    serializeAddressProof({ kind: 'hello', session: SESSION, nonce: NONCE }),
    serializeAddressProof({
      kind: 'challenge',
      session: SESSION,
      nonce: NONCE,
      challenge: new Uint8Array(16).fill(0xcc),
    }),
    serializeAddressProof({ kind: 'proof', session: SESSION, nonce: NONCE, proof: new Uint8Array(32).fill(0xdd) }),
    serializeAddressProof({ kind: 'confirmed', session: SESSION, nonce: NONCE }),
  ];
  const probe = serializeProbe({ number: 5, bytes: 1_200 });
  const compound = serializeRtcp(notices.map((notice) => recoveryNoticePacket(7, notice)));
  const path = await captured([...proofs, probe, answerToProbe(probe, () => 9)!, compound]);
  const kindsAndSession = dissect(path, 'rtcp', ['dropframe.notice', 'dropframe.session'], ...SCRIPT);
  expect(kindsAndSession).toEqual([
    ...['0', '1', '2', '3'].map((kind) => [kind, SESSION]),
    ['4', ''],
    ['5', ''],
    ['8,9,10,11,12', ''],
  ]);
  expect(dissect(path, 'dropframe.challenge', ['dropframe.challenge'], ...SCRIPT)).toEqual([['cc'.repeat(16)]]);
  expect(dissect(path, 'dropframe.proof', ['dropframe.proof'], ...SCRIPT)).toEqual([['dd'.repeat(32)]]);
  const answer = ['probe', 'probe_bytes', 'host_drops'].map((field) => `dropframe.${field}`);
  expect(dissect(path, 'dropframe.probe_bytes', answer, ...SCRIPT)).toEqual([['5', '1200', '9']]);
  const values = {
    ...{ latency: '120000,200000', answer_time: '41000', loss: '0.25', burst: '1.5', recent_loss: '0.125' },
    ...{ queueing: '2.5,31.4', shows_damaged: '1', spacing: '480', request: '513', last: '1', late: '0' },
    ...{ useful: '99000', withheld: '77', interval: '30000', sequence: '60000', records: '1' },
  };
  const names = Object.keys(values).map((field) => `dropframe.${field}`);
  expect(dissect(path, 'dropframe.withheld', names, ...SCRIPT)).toEqual([Object.values(values)]);
});

/** TCP header without options, and its payload. */
function segment(sequence: number, payload: Uint8Array, port: number): Uint8Array {
  const header = new Uint8Array(20);
  writeUint16(header, 0, 50_000);
  writeUint16(header, 2, port);
  new DataView(header.buffer).setUint32(4, sequence);
  header.set([0x50, 0x18, 0xff, 0xff], 12);
  return concatenated([header, payload]);
}

for (const [port, ...options] of [[7_000], [50_001, '-d', 'tcp.port==50001,dropframe']] as const) {
  withTshark(
    `the dissector reads the control channel at port ${port}, split and joined, and the stream after it`,
    () => {
      const bodies = [
        '{"kind":"hello","version":1}',
        '{"kind":"play"}',
        `{"kind":"stats","name":"${'x'.repeat(3_000)}"}`,
      ];
      const bytes = concatenated(bodies.map((body) => serializeControlFrame(utf8Bytes(body))));
      const packet = media(MARKS[0]!, 1);
      const framed = concatenated([Uint8Array.of(0, packet.length), packet]);
      const cuts = [0, 30, 90, 1_400, bytes.length];
      const segments = cuts
        .slice(1)
        .map((end, index) => segment(1 + cuts[index]!, bytes.subarray(cuts[index], end), port));
      segments.push(segment(1 + bytes.length, framed, port));
      const file = [
        pcapHeader(),
        ...segments.map((one, index) => pcapRecord(1_000 + index, ipv4({ protocol: 6, payload: one }))),
      ];
      const path = join(temporaryFolder(), 'control.pcap');
      writeFileSync(path, concatenated(file));
      const kinds = dissect(path, 'dropframe', ['dropframe.kind'], ...SCRIPT, ...options).flatMap(([all]) =>
        all!.split(',').filter(Boolean),
      );
      expect(kinds).toEqual(['hello', 'play', 'stats']);
      expect(dissect(path, 'dropframe.kind == "stats" && json', ['dropframe.length'], ...SCRIPT, ...options)).toEqual([
        [String(bodies[2]!.length)],
      ]);
      expect(dissect(path, 'rtp', ['dropframe.frame'], ...SCRIPT, ...options)).toEqual([['65535']]);
    },
  );
}
