import { createSocket } from 'node:dgram';
import { expect, onTestFinished, test } from 'vitest';
import type { MediaSource } from '../../../io/sources/media-source.ts';
import { parseRtcp, type RtcpPacket } from '../../../protocol/rtcp/rtcp.ts';
import { serializeRtpPacket } from '../../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../../protocol/rtp/sequence.ts';
import { RistFeed, type RistFeedOptions } from '../../../session/rist/rist-feed.ts';
import { TransportStreamSender } from '../../../session/rtp/transport-stream-sender.ts';
import { freePortPair } from '../../interop/programs.ts';
import { PATIENCE } from '../../patience.ts';
import { sampleUnits } from '../../sample-units.ts';
import { lossyRelay } from './lossy-relay.ts';

const HOST = '127.0.0.1';
/** Long enough for the stalls of a busy machine. */
const LATENCY_MS = 4_000;
const FRAMES = 60;
const UNITS = sampleUnits().slice(0, FRAMES);

const source: MediaSource = {
  description: {
    ...{ name: 'counter.h264', codecName: 'h264', codec: 'avc1.64001e', width: 640, height: 360, mode: 'copy' },
    ...{ framesPerSecond: 30, durationSeconds: undefined, parameterSets: [] },
  },
  async *units() {
    yield* UNITS;
  },
  close: async () => {},
};

async function feed(options: Partial<RistFeedOptions> = {}) {
  const port = await freePortPair();
  const opened = await RistFeed.open({
    ...{ host: HOST, port, latencyMs: LATENCY_MS, requests: true, goneMs: 60_000 },
    ...options,
  });
  onTestFinished(opened.stop);
  const chunks: Buffer[] = [];
  opened.source.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<Buffer>((resolve) => opened.source.once('end', () => resolve(Buffer.concat(chunks))));
  return { port, reception: opened.reception, ended };
}

/** Counters of the packets of one PID, which go up by one modulo 16 (ISO/IEC 13818-1 §2.4.3.3), or do not. */
function gapsOf(stream: Buffer): number {
  const last = new Map<number, number>();
  let gaps = 0;
  for (let at = 0; at < stream.length; at += 188) {
    expect(stream[at]).toBe(0x47);
    const pid = stream.readUInt16BE(at + 1) & 0x1fff;
    const hasPayload = (stream[at + 3]! & 0x10) !== 0;
    const counter = stream[at + 3]! & 0x0f;
    const before = last.get(pid);
    if (hasPayload && before !== undefined && counter !== ((before + 1) & 0x0f)) gaps++;
    if (hasPayload) last.set(pid, counter);
  }
  return gaps;
}

test('receives every byte through losses, by retransmission, until the sender says goodbye', async () => {
  const { port, reception, ended } = await feed();
  const relay = await lossyRelay({ to: port, lostEvery: 9 });
  const sending = new TransportStreamSender({
    ...{ source, host: HOST, port: relay.port, form: 'rist', loop: false },
    onStall: () => {},
    onUnanswered: () => expect.unreachable('the receiver answers the first report'),
  });
  onTestFinished(() => sending.stop());
  await sending.open();
  await sending.run();
  const stream = await ended;
  const { packets, retransmissions } = sending.statistics;
  expect(relay.counts.dropped).toBeGreaterThan(0);
  expect(retransmissions).toBeGreaterThanOrEqual(relay.counts.dropped);
  expect(gapsOf(stream)).toBe(0);
  const [session] = reception.sessions;
  // And the null packet in front of them.
  expect(session!.packets.decided).toBe(packets + 1);
  expect(session!.packets.neverArrived).toBe(0);
  expect(session!.packets.recoveredInRound.reduce((sum, count) => sum + count)).toBe(relay.counts.dropped);
});

test('answers a sender that waits before it sends media, at the port from which its report comes', async () => {
  const { port } = await feed();
  const answers: RtcpPacket[] = [];
  const sender = createSocket('udp4');
  onTestFinished(() => void sender.close());
  sender.on('message', (datagram) => {
    const packets = parseRtcp(datagram);
    if (packets.ok) answers.push(...packets.value);
  });
  await new Promise<void>((resolve) => sender.bind(0, HOST, resolve));
  // A sender report of 28 bytes without media, and nothing else.
  const report = Buffer.alloc(28);
  report.set([0x80, 200, 0, 6, 0, 0, 0, 8]);
  sender.send(report, port + 1, HOST);
  await expect.poll(() => answers.map(({ kind }) => kind), PATIENCE).toEqual(['receiver-report', 'source-description']);
});

test('names a payload type that is not MPEG-TS, and passes nothing on', async () => {
  const { port, reception, ended } = await feed({ goneMs: 500, beginsWithinMs: 1_000 });
  const sender = createSocket('udp4');
  onTestFinished(() => void sender.close());
  const packet = serializeRtpPacket({
    ...{ marker: false, payloadType: 96, sequenceNumber: wireSequence(1), timestamp: wireTimestamp(1), ssrc: 8 },
    ...{ csrcs: [], payload: new Uint8Array(188) },
  });
  const sends = setInterval(() => sender.send(packet, port, HOST), 20);
  onTestFinished(() => clearInterval(sends));
  await expect.poll(() => reception.otherPayloadType, PATIENCE).toBe(96);
  expect(await ended).toHaveLength(0);
});
