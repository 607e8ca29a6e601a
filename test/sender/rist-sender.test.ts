import { expect, test } from 'vitest';
import { type Instant, instant, milliseconds } from '../../protocol/base/units.ts';
import { parseRtcp, type RtcpPacket, serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';
import { parseRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { RistSender } from '../../sender/rist-sender.ts';

const SSRC = 0x1234_5678;
const at = (ms: number): Instant => instant(1_000_000 + milliseconds(ms));

const create = (initialSequence = 65_530) =>
  new RistSender({
    ssrc: SSRC + 1,
    initialSequence: wireSequence(initialSequence),
    timestampBase: wireTimestamp(1_000),
    cname: 'test',
    payloadType: 33,
  });

function datagrams(sender: RistSender): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let next = sender.pollTransmit(); next; next = sender.pollTransmit()) all.push(next);
  return all;
}

function media(sender: RistSender) {
  return datagrams(sender)
    .filter((datagram) => classifyDatagram(datagram) === 'rtp')
    .map((datagram) => {
      const packet = parseRtpPacket(datagram);
      if (!packet.ok) throw new Error(packet.malformed);
      const { ssrc, sequenceNumber, timestamp, payload } = packet.value;
      return { ssrc, sequenceNumber, timestamp, filling: payload[0] };
    });
}

function control(sender: RistSender): RtcpPacket[] {
  return datagrams(sender)
    .filter((datagram) => classifyDatagram(datagram) === 'rtcp')
    .flatMap((datagram) => {
      const packets = parseRtcp(datagram);
      if (!packets.ok) throw new Error(packets.malformed);
      return packets.value;
    });
}

const payload = (filling: number): Uint8Array => new Uint8Array(1_316).fill(filling);

/** A range-based request, as bytes of an application-defined packet. */
const rangeRequest = (ssrc: number, ...ranges: readonly (readonly [number, number])[]): Uint8Array =>
  serializeRtcp([
    {
      kind: 'application',
      ...{ ssrc, subtype: 0, name: 'RIST' },
      data: Uint8Array.from(ranges.flatMap(([first, extra]) => [first >> 8, first & 0xff, extra >> 8, extra & 0xff])),
    },
  ]);

const bitmaskRequest = (mediaSsrc: number, ...wires: readonly number[]): Uint8Array =>
  serializeRtcp([{ kind: 'nack', senderSsrc: 7, mediaSsrc, sequenceNumbers: wires.map(wireSequence) }]);

/** Sends ten packets, 65,530 to 3, and discards them. */
function started(): RistSender {
  const sender = create();
  for (let index = 0; index < 10; index++) sender.send(at(index), [payload(index)]);
  media(sender);
  return sender;
}

test('reports every 100 ms from the start, before the first packet', () => {
  const sender = create();
  sender.start(at(0));
  sender.handleTimeout(at(0));
  expect(control(sender).map(({ kind }) => kind)).toEqual(['sender-report', 'source-description']);
  expect(sender.pollTimeout()).toBe(at(100));
  sender.handleTimeout(at(100));
  const [report] = control(sender);
  expect(report).toMatchObject({ ssrc: SSRC, rtpTimestamp: 1_000 + 9_000, packetCount: 0 });
});

test('numbers packets across the wrap, with an even SSRC and the time of departure', () => {
  const sender = create();
  sender.send(at(0), [payload(1)]);
  sender.send(
    at(10),
    Array.from({ length: 7 }, () => payload(2)),
  );
  const sent = media(sender);
  expect(sent.map(({ sequenceNumber }) => sequenceNumber)).toEqual([
    65_530, 65_531, 65_532, 65_533, 65_534, 65_535, 0, 1,
  ]);
  expect(new Set(sent.map(({ ssrc }) => ssrc))).toEqual(new Set([SSRC]));
  expect(sent.map(({ timestamp }) => timestamp)).toEqual([1_000, ...Array.from({ length: 7 }, () => 1_900)]);
});

test('answers a range across the wrap with copies whose SSRC is odd', () => {
  const sender = started();
  sender.handleDatagram(at(20), rangeRequest(SSRC, [65_535, 1], [2, 0]));
  const again = media(sender);
  expect(again.map(({ ssrc, sequenceNumber, filling }) => ({ ssrc, sequenceNumber, filling }))).toEqual([
    { ssrc: SSRC + 1, sequenceNumber: 65_535, filling: 5 },
    { ssrc: SSRC + 1, sequenceNumber: 0, filling: 6 },
    { ssrc: SSRC + 1, sequenceNumber: 2, filling: 8 },
  ]);
  expect(sender.statistics).toMatchObject({ packets: 10, retransmissions: 3, requestsRefused: 0 });
});

test('answers a request by bit mask, under either SSRC of the stream', () => {
  const sender = started();
  sender.handleDatagram(at(20), bitmaskRequest(SSRC, 65_530, 65_532));
  sender.handleDatagram(at(20), bitmaskRequest(SSRC + 1, 3));
  expect(media(sender).map(({ sequenceNumber }) => sequenceNumber)).toEqual([65_530, 65_532, 3]);
});

test('does not answer requests for another stream, or for what it has not sent', () => {
  const sender = started();
  sender.handleDatagram(at(20), rangeRequest(SSRC + 2, [0, 0]));
  sender.handleDatagram(at(20), bitmaskRequest(SSRC + 2, 0));
  expect(media(sender)).toEqual([]);
  sender.handleDatagram(at(20), rangeRequest(SSRC, [4, 9]));
  expect(media(sender)).toEqual([]);
  expect(sender.statistics).toMatchObject({ retransmissions: 0, requestsRefused: 10 });
});

test('answers a packet once per round trip', () => {
  const sender = started();
  sender.handleDatagram(at(20), rangeRequest(SSRC, [0, 0]));
  sender.handleDatagram(at(22), rangeRequest(SSRC, [0, 0]));
  expect(media(sender)).toHaveLength(1);
  sender.handleDatagram(at(31), rangeRequest(SSRC, [0, 0]));
  expect(media(sender)).toHaveLength(1);
});

test('answers requests without end with half of the bytes of the media, beside what was saved', () => {
  const sender = create(0);
  let retransmitted = 0;
  for (let index = 0; index < 4_000; index++) {
    sender.send(at(index), [payload(1)]);
    sender.handleDatagram(at(index), rangeRequest(SSRC, [Math.max(0, index - 16), 15]));
    for (const { ssrc } of media(sender)) if (ssrc === SSRC + 1) retransmitted++;
  }
  expect(retransmitted).toBeGreaterThan(1_900);
  expect(retransmitted).toBeLessThan(2_000 + 800);
});

test('bounds the work for ranges of the whole sequence space', () => {
  const sender = started();
  const everything = rangeRequest(SSRC, ...Array.from({ length: 300 }, () => [0, 65_535] as const));
  for (let count = 0; count < 100; count++) sender.handleDatagram(at(20), everything);
  // One burst of look-ups, and one refusal for each request after it.
  expect(sender.statistics.requestsRefused).toBeLessThan(66_000);
});

test('answers an echo request at once, at most every 20 ms', () => {
  const sender = started();
  const request = serializeRtcp([
    {
      kind: 'application',
      ssrc: SSRC,
      subtype: 2,
      name: 'RIST',
      data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0),
    },
  ]);
  sender.handleDatagram(at(50), request);
  sender.handleDatagram(at(60), request);
  const answers = control(sender).filter(({ kind }) => kind === 'application');
  expect(answers).toEqual([
    {
      kind: 'application',
      ssrc: SSRC,
      subtype: 3,
      name: 'RIST',
      data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0),
    },
  ]);
});

test('counts what is not RTCP, and hears of no receiver by it', () => {
  const sender = started();
  sender.handleDatagram(at(20), Uint8Array.of(1, 2, 3));
  expect(sender.statistics.malformed).toBe(1);
  expect(sender.heardAt).toBeUndefined();
  sender.handleDatagram(at(21), serializeRtcp([{ kind: 'receiver-report', ssrc: 7, reports: [] }]));
  expect(sender.heardAt).toBe(at(21));
});

test('ends with BYE', () => {
  const sender = started();
  sender.finish(at(100));
  expect(control(sender).map(({ kind }) => kind)).toEqual(['sender-report', 'source-description', 'goodbye']);
  expect(sender.pollTimeout()).toBeUndefined();
});
