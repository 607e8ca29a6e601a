import { expect, test } from 'vitest';
import { type Instant, instant, milliseconds } from '../../protocol/base/units.ts';
import type { Endpoint } from '../../protocol/endpoint.ts';
import { pathProbe, splitPathReport } from '../../protocol/rtcp/path-report.ts';
import { serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { serializeRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { MultipathReceiver } from '../../receiver/paths/multipath-receiver.ts';

const [MEDIA, REPORT] = [1, 3];
const at = (ms: number): Instant => instant(milliseconds(ms));

/** Records what arrives, and sends what it is given. */
class RecordingReceiver implements Endpoint<string> {
  readonly received: Uint8Array[] = [];
  readonly toSend: Uint8Array[] = [];

  handleDatagram(_now: Instant, datagram: Uint8Array): void {
    this.received.push(datagram);
  }
  handleTimeout(): void {}
  pollTransmit(): Uint8Array | undefined {
    return this.toSend.shift();
  }
  pollEvent(): string | undefined {
    return undefined;
  }
  pollTimeout(): undefined {}
}

const packet = (sequence: number): Uint8Array =>
  serializeRtpPacket({
    marker: false,
    payloadType: 96,
    sequenceNumber: wireSequence(sequence),
    timestamp: wireTimestamp(0),
    ssrc: MEDIA,
    csrcs: [],
    payload: new Uint8Array(20),
  });
const goodbye = serializeRtcp([{ kind: 'goodbye', ssrcs: [MEDIA], reason: '' }]);

function newReceiver(): { inner: RecordingReceiver; receiver: MultipathReceiver<string> } {
  const inner = new RecordingReceiver();
  const stream = { ssrc: MEDIA, reportSsrc: REPORT, initialSequence: 65_534 };
  return { inner, receiver: new MultipathReceiver(inner, stream) };
}

/** Takes all output, with the path of each datagram. */
function drain(receiver: MultipathReceiver<string>, ms: number): { path: number; datagram: Uint8Array }[] {
  const drained: { path: number; datagram: Uint8Array }[] = [];
  for (let datagram = receiver.pollTransmit(at(ms)); datagram; datagram = receiver.pollTransmit(at(ms))) {
    drained.push({ path: receiver.transmitPath, datagram });
  }
  return drained;
}

test('reports the newest packet and the datagrams of each path, by both paths', () => {
  const { inner, receiver } = newReceiver();
  for (const [sequence, path] of [
    [65_534, 0],
    [1, 1],
    [0, 0],
    [65_535, 1],
  ] as const)
    receiver.handleDatagram(at(0), packet(sequence), undefined, path);
  expect(inner.received).toHaveLength(4);
  const sent = drain(receiver, 0);
  expect(sent.map(({ path }) => path)).toEqual([0, 1]);
  const report = {
    paths: [
      { newest: 0, datagrams: 2 },
      { newest: 1, datagrams: 2 },
    ],
  };
  for (const { datagram } of sent) expect(splitPathReport(datagram)).toMatchObject({ rest: new Uint8Array(0), report });
});

test('reports at most every 50 ms, and only after an arrival', () => {
  const { receiver } = newReceiver();
  receiver.handleDatagram(at(0), packet(65_534));
  expect(drain(receiver, 0)).toHaveLength(2);
  expect(receiver.pollTimeout()).toBeUndefined();
  receiver.handleDatagram(at(10), packet(65_535));
  expect(receiver.pollTimeout()).toBe(at(50));
  expect(drain(receiver, 49)).toEqual([]);
  expect(drain(receiver, 50)).toHaveLength(2);
});

test('appends the report to feedback, which leaves by both paths', () => {
  const { inner, receiver } = newReceiver();
  inner.toSend.push(goodbye);
  const sent = drain(receiver, 0);
  expect(sent.map(({ path }) => path)).toEqual([0, 1]);
  for (const { datagram } of sent) expect(splitPathReport(datagram)?.rest).toEqual(goodbye);
});

test('passes RTCP on once, and a probe not at all', () => {
  const { inner, receiver } = newReceiver();
  receiver.handleDatagram(at(0), goodbye, undefined, 0);
  receiver.handleDatagram(at(5), goodbye, undefined, 1);
  receiver.handleDatagram(at(6), pathProbe(MEDIA), undefined, 1);
  expect(inner.received).toEqual([goodbye]);
  const [first] = drain(receiver, 50);
  expect(splitPathReport(first!.datagram)?.report.paths.map(({ datagrams }) => datagrams)).toEqual([1, 2]);
});
