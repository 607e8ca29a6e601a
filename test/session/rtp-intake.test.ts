import { expect, onTestFinished, test } from 'vitest';
import { milliseconds } from '../../protocol/base/units.ts';
import { H264 } from '../../protocol/codec/h264/h264.ts';
import { parseRtcp, serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { type RtpPacket, serializeRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { streamParameters } from '../../protocol/stream-parameters.ts';
import { receiverOptions } from '../../receiver/receiver-options.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';
import { RtpIntake } from '../../session/rtp/rtp-intake.ts';
import { RtpPath } from '../../session/rtp/rtp-path.ts';
import { parseLinkSpecification } from '../../sim/link/link-parse.ts';
import { freePortPair } from '../interop/programs.ts';
import { DatagramPeer } from './datagram-peer.ts';

const FRAME = 3_000;
/** Ten seconds, by which no clock advances from one packet to the next. */
const JUMP = 900_000;
const RETRANSMISSION_SSRC = 9;

/** A frame of one packet. */
const packet = (sequenceNumber: number, given: Partial<RtpPacket> = {}): Uint8Array =>
  serializeRtpPacket({
    ...{ marker: true, payloadType: 96, ssrc: 1, csrcs: [], payload: Uint8Array.of(0x41, 0x9a, 0) },
    sequenceNumber: wireSequence(sequenceNumber),
    timestamp: wireTimestamp(sequenceNumber * FRAME),
    ...given,
  });

/** An intake, and everything that it has told. */
function intake() {
  const [began, seen, reports]: [RtpPacket[], boolean[], number[]] = [[], [], []];
  const [sent, faults, ended]: [Uint8Array[], unknown[], ReceiverStatistics[]] = [[], [], []];
  const intake = new RtpIntake({
    ...{ codec: H264, payloadType: undefined },
    receiverOptions: ({ ssrc, payloadType, timestamp }) => {
      const timing = { timestampBase: timestamp, latency: milliseconds(60_000) };
      const parameters = streamParameters({
        ...{ codec: H264, ssrc, payloadType, recovery: 'reorder', frameMarks: false, ...timing },
      });
      return { ...receiverOptions(parameters, { reportSsrc: 5 }), retransmissionSsrc: RETRANSMISSION_SSRC };
    },
    transmit: (datagrams) => sent.push(...datagrams),
    onPacket: (_packet, { retransmission }) => seen.push(retransmission),
    onBegin: (first) => began.push(first),
    onReport: (_ntp, timestamp) => reports.push(timestamp),
    onEvent: () => {},
    onEnd: (statistics) => ended.push(statistics),
    onFault: ({ error }) => faults.push(error),
  });
  onTestFinished(() => intake.end());
  return { intake, began, seen, reports, sent, faults, ended };
}

const goodbye = (ssrc: number) => serializeRtcp([{ kind: 'goodbye', ssrcs: [ssrc], reason: '' }]);
const senderReport = (ssrc: number, rtpTimestamp: number) =>
  serializeRtcp([
    {
      ...{ kind: 'sender-report', ssrc, ntp: { seconds: 1, fraction: 0 }, packetCount: 0, octetCount: 0, reports: [] },
      rtpTimestamp: wireTimestamp(rtpTimestamp),
    },
  ]);
const firstTimestamps = (began: readonly RtpPacket[]) => began.map(({ timestamp }) => timestamp);

test('begins a session with the first packet, and ends it with its statistics and a BYE', () => {
  const { intake: receiving, began, sent, ended } = intake();
  expect(receiving.session).toBeUndefined();
  for (let n = 1; n <= 3; n++) receiving.receive(packet(n));
  expect(firstTimestamps(began)).toEqual([FRAME]);
  expect(receiving.source).toEqual({ ssrc: 1, payloadType: 96 });
  expect(receiving.session!.receiver.statistics.datagrams).toBe(3);
  receiving.end();
  receiving.end();
  expect(receiving.session).toBeUndefined();
  expect(ended).toMatchObject([{ packets: { decided: 3 } }]);
  const packets = sent.flatMap((datagram) => {
    const parsed = parseRtcp(datagram);
    return parsed.ok ? parsed.value : [];
  });
  expect(packets).toContainEqual(expect.objectContaining({ kind: 'goodbye', ssrcs: [5] }));
});

test('holds a packet after a jump of the timestamps, and begins the next session with it', () => {
  const { intake: receiving, began, ended } = intake();
  receiving.receive(packet(1));
  receiving.receive(packet(2, { timestamp: wireTimestamp(JUMP) }));
  expect(began).toHaveLength(1);
  expect(receiving.session!.receiver.statistics.datagrams).toBe(1);
  receiving.receive(packet(3, { timestamp: wireTimestamp(JUMP + FRAME) }));
  expect(firstTimestamps(began)).toEqual([FRAME, JUMP]);
  expect(ended).toMatchObject([{ datagrams: 1 }]);
  expect(receiving.session!.receiver.statistics).toMatchObject({ datagrams: 2, foreign: 0 });
});

test('passes a held packet to the present session when the stream continues as before', () => {
  const { intake: receiving, began } = intake();
  receiving.receive(packet(1));
  receiving.receive(packet(2, { timestamp: wireTimestamp(JUMP) }));
  receiving.receive(packet(3));
  expect(began).toHaveLength(1);
  expect(receiving.session!.receiver.statistics.datagrams).toBe(3);
});

test('a packet of another program leaves alone what is held', () => {
  const { intake: receiving, began } = intake();
  receiving.receive(packet(1));
  receiving.receive(packet(2, { timestamp: wireTimestamp(JUMP) }));
  receiving.receive(packet(70, { ssrc: 2 }));
  receiving.receive(packet(3, { timestamp: wireTimestamp(JUMP + FRAME) }));
  expect(firstTimestamps(began)).toEqual([FRAME, JUMP]);
});

test('the stream after a BYE begins with its own first packet, not with one that was held of the stream before', () => {
  const { intake: receiving, began, ended } = intake();
  receiving.receive(packet(1));
  receiving.receive(packet(2, { timestamp: wireTimestamp(JUMP) }));
  receiving.receive(goodbye(1));
  receiving.receive(packet(70, { ssrc: 2 }));
  expect(began.map(({ ssrc, timestamp }) => [ssrc, timestamp])).toEqual([
    [1, FRAME],
    [2, 70 * FRAME],
  ]);
  expect(ended).toMatchObject([{ datagrams: 3, foreign: 0 }]);
  expect(receiving.session!.receiver.statistics).toMatchObject({ datagrams: 1, foreign: 0 });
});

test('begins no session with a retransmission, even after a BYE', () => {
  const { intake: receiving, began, seen } = intake();
  receiving.receive(packet(1));
  receiving.receive(goodbye(1));
  receiving.receive(packet(2, { ssrc: RETRANSMISSION_SSRC, payloadType: 97 }));
  expect(began).toHaveLength(1);
  expect(seen).toEqual([false, true]);
});

test('another stream is foreign until the BYE of the first one', () => {
  const { intake: receiving, ended } = intake();
  receiving.receive(packet(1));
  receiving.receive(packet(70, { ssrc: 2 }));
  receiving.receive(goodbye(2));
  receiving.receive(packet(71, { ssrc: 2 }));
  expect(receiving.source).toMatchObject({ ssrc: 1 });
  receiving.receive(goodbye(1));
  receiving.receive(packet(72, { ssrc: 2 }));
  expect(receiving.source).toMatchObject({ ssrc: 2 });
  expect(ended).toMatchObject([{ packets: { decided: 1 } }]);
  expect(ended[0]!.foreign).toBeGreaterThanOrEqual(2);
});

test('tells the sender reports of the stream, and of no other source', () => {
  const { intake: receiving, reports } = intake();
  receiving.receive(senderReport(1, 100));
  receiving.receive(packet(1));
  receiving.receive(senderReport(1, 200));
  receiving.receive(senderReport(2, 300));
  expect(reports).toEqual([200]);
});

test('an internal error ends the session, and the next packet begins another', () => {
  const { intake: receiving, began, ended, faults } = intake();
  receiving.receive(packet(1));
  const error = new Error('an invariant was broken');
  receiving.session!.driver.attempt(() => {
    throw error;
  });
  expect(faults).toEqual([error]);
  expect(ended).toHaveLength(1);
  expect(receiving.session).toBeUndefined();
  receiving.receive(packet(2));
  expect(firstTimestamps(began)).toEqual([FRAME, 2 * FRAME]);
});

test('a path shows datagrams before its link, which decides what arrives', async () => {
  const port = await freePortPair();
  const parsed = parseLinkSpecification('loss=100%');
  if (!parsed.ok) throw new Error(parsed.malformed);
  for (const link of [undefined, parsed.value]) {
    const [noted, arrived]: [string[], Uint8Array[]] = [[], []];
    const path = new RtpPath({
      link,
      onDatagram: (direction) => noted.push(direction),
      onArrival: (datagram) => arrived.push(datagram),
    });
    onTestFinished(() => path.close());
    await path.open({ host: '127.0.0.1', port, rtcpPort: port });
    path.source = 1;
    const peer = await DatagramPeer.to(port);
    await peer.send(packet(1));
    await expect.poll(() => noted).toEqual(['in']);
    path.send([goodbye(5)]);
    expect(noted).toEqual(['in', 'out']);
    expect(arrived).toHaveLength(link ? 0 : 1);
    if (!link) await expect.poll(() => peer.received).toEqual([Buffer.from(goodbye(5))]);
    path.close();
  }
});
