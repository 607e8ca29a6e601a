import { describe, expect, test } from 'vitest';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Instant, milliseconds, seconds } from '../../protocol/instant.ts';
import { classifyDatagram } from '../../protocol/multiplex.ts';
import { ntpFromInstant } from '../../protocol/ntp.ts';
import { unwrapRetransmission } from '../../protocol/retransmission.ts';
import { parseRtcp, type RtcpPacket, serializeRtcp } from '../../protocol/rtcp.ts';
import { parseRtpPacket, type RtpPacket } from '../../protocol/rtp-packet.ts';
import { Sender, type SenderEvent } from '../../sender/sender.ts';
import { MEDIA_SSRC, REPORT_SSRC, RETRANSMISSION_SSRC, SENDER_OPTIONS } from '../simulated-session.ts';

const at = milliseconds;

const frame = (number: number, bytes = 800): AccessUnit => ({
  nalUnits: [new Uint8Array(bytes).fill(0x41)],
  timestamp: number * 3_000,
  decodeTimestamp: number * 3_000,
  importance: number === 0 ? 'key' : 'reference',
});

const newSender = (options: Partial<typeof SENDER_OPTIONS> = {}): Sender =>
  new Sender({ ...SENDER_OPTIONS, ...options });

function drain(sender: Sender, now: Instant): { rtp: RtpPacket[]; rtcp: RtcpPacket[]; bytes: number } {
  const drained = { rtp: [] as RtpPacket[], rtcp: [] as RtcpPacket[], bytes: 0 };
  for (let datagram = sender.pollTransmit(now); datagram; datagram = sender.pollTransmit(now)) {
    drained.bytes += datagram.length;
    if (classifyDatagram(datagram) === 'rtp') {
      const packet = parseRtpPacket(datagram);
      if (packet.ok) drained.rtp.push(packet.value);
    } else {
      const packets = parseRtcp(datagram);
      if (packets.ok) drained.rtcp.push(...packets.value);
    }
  }
  return drained;
}

function events(sender: Sender): SenderEvent[] {
  const list: SenderEvent[] = [];
  for (let event = sender.pollEvent(); event; event = sender.pollEvent()) list.push(event);
  return list;
}

const tell = (sender: Sender, now: Instant, ...packets: RtcpPacket[]) =>
  sender.handleDatagram(now, serializeRtcp(packets));
const nack = (...sequenceNumbers: number[]): RtcpPacket => ({
  kind: 'nack',
  senderSsrc: REPORT_SSRC,
  mediaSsrc: MEDIA_SSRC,
  sequenceNumbers,
});

/** A sender that has sent so many single-packet frames, all of them at 0. */
function sentFrames(count: number, options: Partial<typeof SENDER_OPTIONS> = {}): Sender {
  const sender = newSender(options);
  for (let number = 0; number < count; number++) {
    sender.send(at(0), frame(number));
    drain(sender, at(0));
  }
  return sender;
}

describe('reports', () => {
  test('a report goes out with the first frame, then each second', () => {
    const sender = newSender();
    sender.send(at(0), frame(0));
    drain(sender, at(0));
    const times: Instant[] = [];
    for (let now = at(0); now <= seconds(3.5); now += at(10)) {
      if (sender.pollTimeout()! <= now) sender.handleTimeout(now);
      if (drain(sender, now).rtcp.length > 0) times.push(now);
    }
    expect(times).toEqual([0, 1, 2, 3].map(seconds));
  });

  test('it tells the time, the media time that goes with it, and what was sent', () => {
    const sender = newSender({ timestampBase: 0xffff_fff0 });
    sender.send(at(0), frame(0, 50));
    sender.send(at(40), frame(1, 70));
    drain(sender, at(40));
    sender.handleTimeout(at(140));
    expect(drain(sender, at(140)).rtcp).toEqual([
      {
        kind: 'sender-report',
        ssrc: MEDIA_SSRC,
        ntp: ntpFromInstant(at(140)),
        // Frame 1 has 3,000 and was handed over 100 ms ago, which are 9,000 ticks; 16 lead up to the roll-over.
        rtpTimestamp: 12_000 - 16,
        packetCount: 2,
        octetCount: 120,
        reports: [],
      },
      { kind: 'source-description', chunks: [{ ssrc: MEDIA_SSRC, cname: 'dropframe' }] },
    ]);
  });

  test('padding is not counted as payload', () => {
    const sender = newSender();
    sender.send(at(0), frame(0, 10_000));
    const { rtp } = drain(sender, at(0));
    const octets = rtp.reduce((sum, packet) => sum + packet.payload.length, 0);
    sender.handleTimeout(at(0));
    expect(drain(sender, at(0)).rtcp[0]).toMatchObject({ octetCount: octets });
  });

  test('nothing is reported before anything is sent, and nothing waits for time', () => {
    const sender = newSender();
    expect(sender.pollTimeout()).toBeUndefined();
    sender.handleTimeout(seconds(5));
    expect(drain(sender, seconds(5)).rtcp).toEqual([]);
  });

  test('a receiver report tells the loss and the round trip', () => {
    const sender = sentFrames(1);
    const report = {
      ssrc: MEDIA_SSRC,
      fractionLost: 64,
      cumulativeLost: 3,
      highestSequence: 100,
      jitter: 0,
      // A report of 0.5 s, held for 0.25 s, comes back at 1 s: a quarter of a second was spent on the way.
      lastSenderReport: 0x8000,
      delaySinceLastSenderReport: 0x4000,
    };
    tell(sender, seconds(1), { kind: 'receiver-report', ssrc: REPORT_SSRC, reports: [report] });
    expect(sender.statistics).toMatchObject({ reportedLoss: 0.25, roundTrip: 250_000 });
    tell(sender, seconds(1), {
      kind: 'receiver-report',
      ssrc: 1,
      reports: [{ ...report, ssrc: 5, fractionLost: 255 }],
    });
    expect(sender.statistics.reportedLoss).toBe(0.25);
  });

  test('a round-trip probe is answered at once, and not more often than fifty times a second', () => {
    const sender = sentFrames(1);
    const probe = (now: Instant) =>
      tell(sender, now, {
        kind: 'extended-report',
        ssrc: REPORT_SSRC,
        blocks: [{ kind: 'receiver-reference-time', ntp: { seconds: 0x1234, fraction: 0x5678_0000 } }],
      });
    probe(at(5));
    expect(drain(sender, at(5)).rtcp.at(-1)).toEqual({
      kind: 'extended-report',
      ssrc: MEDIA_SSRC,
      blocks: [
        {
          kind: 'delay-since-last-receiver-report',
          reports: [{ ssrc: REPORT_SSRC, lastReceiverReport: 0x1234_5678, delay: 0 }],
        },
      ],
    });
    for (let now = at(6); now < at(1_006); now += at(1)) probe(now);
    expect(drain(sender, at(1_006)).rtcp.filter(({ kind }) => kind === 'extended-report')).toHaveLength(50);
  });
});

describe('requests', () => {
  test('what is asked for comes again, in the retransmission stream', () => {
    const sender = newSender();
    sender.send(at(0), frame(0));
    sender.send(at(0), frame(1));
    const { rtp: originals } = drain(sender, at(0));
    tell(sender, at(20), nack(101));
    const { rtp } = drain(sender, at(20));
    expect(rtp).toHaveLength(1);
    expect(rtp[0]).toMatchObject({ ssrc: RETRANSMISSION_SSRC, payloadType: 97 });
    expect(unwrapRetransmission(rtp[0]!, SENDER_OPTIONS)).toEqual({ ok: true, value: originals[1] });
  });

  test('numbers of the retransmission stream count on', () => {
    const sender = sentFrames(3);
    tell(sender, at(20), nack(100, 101, 102));
    const numbers = drain(sender, at(20)).rtp.map(({ sequenceNumber }) => sequenceNumber);
    expect(numbers.map((number) => number - numbers[0]!)).toEqual([0, 1, 2]);
  });

  test('a request is answered once a round trip: the second crossed the first answer', () => {
    const sender = sentFrames(1);
    // Before a round trip is known it is taken for 10 ms.
    const answered = [0, 5, 8, 10, 12, 18].filter((ms) => {
      tell(sender, at(ms), nack(100));
      return drain(sender, at(ms)).rtp.length > 0;
    });
    expect(answered).toEqual([0, 10]);
    expect(sender.statistics).toMatchObject({ retransmissions: 2, requestsRefused: 4 });
  });

  test('what was never sent, what is too old and what another stream is asked for is refused', () => {
    const sender = sentFrames(20, { historyPackets: 16 });
    tell(sender, at(1), nack(99, 100, 103, 120, 40_000));
    tell(sender, at(1), { ...nack(119), mediaSsrc: 7 } as RtcpPacket);
    expect(drain(sender, at(1)).rtp).toEqual([]);
    expect(sender.statistics.requestsRefused).toBe(5);
    tell(sender, at(1), nack(104));
    expect(drain(sender, at(1)).rtp).toHaveLength(1);
  });

  test('a request across the roll-over of sequence numbers finds its packets', () => {
    const sender = sentFrames(4, { initialSequence: 65_534 });
    tell(sender, at(1), nack(65_534, 65_535, 0, 1));
    const found = drain(sender, at(1)).rtp.map((packet) => unwrapRetransmission(packet, SENDER_OPTIONS));
    expect(found.map((original) => original.ok && original.value.sequenceNumber)).toEqual([65_534, 65_535, 0, 1]);
  });

  test('a whole roll-over later the old packet is not mistaken for the new one', () => {
    const sender = sentFrames(1, { historyPackets: 32_768 });
    for (let number = 1; number <= 65_536; number++) {
      sender.send(at(0), frame(number, 2));
      drain(sender, at(0));
    }
    tell(sender, at(50), nack(100));
    const [packet] = drain(sender, at(50)).rtp;
    const original = unwrapRetransmission(packet!, SENDER_OPTIONS);
    expect(original.ok && original.value.payload.length).toBe(2);
  });

  test('a forger who asks for everything, for ever, gets no more than the share of the media', () => {
    const sender = sentFrames(1_000, { redundancy: 0.25 });
    const { bytes: mediaBytes } = sender.statistics;
    let bytes = 0;
    for (let ms = 1; ms < 2_000; ms += 11) {
      tell(sender, at(ms), nack(...Array.from({ length: 1_000 }, (_, index) => 100 + index)));
      bytes += drain(sender, at(ms)).bytes;
    }
    // A quarter of the media at most is saved up, and the bucket holds 256 kB.
    expect(bytes).toBeLessThanOrEqual(256_000 + mediaBytes / 4);
    expect(sender.statistics.requestsRefused).toBeGreaterThan(150_000);
  });

  test('without redundancy nothing is sent again', () => {
    const sender = sentFrames(3, { redundancy: 0 });
    tell(sender, at(5), nack(100, 101));
    expect(drain(sender, at(5)).rtp).toEqual([]);
  });

  test('a key frame that is asked for is an event', () => {
    const sender = sentFrames(1);
    const request = { kind: 'picture-loss-indication', senderSsrc: REPORT_SSRC, mediaSsrc: MEDIA_SSRC } as const;
    tell(sender, at(1), request);
    tell(sender, at(1), { ...request, mediaSsrc: 5 });
    expect(events(sender)).toEqual([{ kind: 'keyframe-requested' }]);
    expect(sender.statistics.keyframeRequests).toBe(1);
  });
});

describe('the end', () => {
  test('what is queued goes out first, then a report and BYE, once', () => {
    const sender = newSender();
    sender.send(at(0), frame(0, 60_000));
    drain(sender, at(0));
    sender.finish();
    expect(drain(sender, at(1)).rtcp).toEqual([]);
    expect(sender.finished).toBe(false);
    const rtcp: RtcpPacket[] = [];
    for (let ms = 2; ms <= 50; ms++) rtcp.push(...drain(sender, at(ms)).rtcp);
    expect(sender.finished).toBe(true);
    expect(rtcp.map(({ kind }) => kind)).toEqual(['sender-report', 'source-description', 'goodbye']);
    expect(rtcp.at(-1)).toEqual({ kind: 'goodbye', ssrcs: [MEDIA_SSRC], reason: '' });
    expect(drain(sender, seconds(9))).toEqual({ rtp: [], rtcp: [], bytes: 0 });
    expect(sender.pollTimeout()).toBeUndefined();
  });

  test('a stream of nothing ends as well', () => {
    const sender = newSender();
    sender.finish();
    expect(drain(sender, at(0)).rtcp.map(({ kind }) => kind)).toEqual([
      'receiver-report',
      'source-description',
      'goodbye',
    ]);
    expect(sender.finished).toBe(true);
    expect(sender.lastSequence).toBeUndefined();
  });

  test('requests are answered after the end as well', () => {
    const sender = sentFrames(2);
    sender.finish();
    drain(sender, at(0));
    tell(sender, at(30), nack(101));
    expect(drain(sender, at(30)).rtp).toHaveLength(1);
    expect(sender.lastSequence).toBe(101);
  });
});

test('a frame that does not fit into the queue is refused whole, and its number goes to the next', () => {
  const sender = newSender({ queueBytesMax: 50_000 });
  expect(sender.send(at(0), frame(0, 60_000))).toBe(true);
  expect(sender.send(at(1), frame(1, 60_000))).toBe(false);
  expect(sender.statistics).toMatchObject({ frames: 1, framesRefused: 1 });
  const sequenceNumbers: number[] = [];
  for (let ms = 1; ms < 100; ms++) {
    sequenceNumbers.push(...drain(sender, at(ms)).rtp.map(({ sequenceNumber }) => sequenceNumber));
  }
  expect(sender.send(at(200), frame(2))).toBe(true);
  expect(drain(sender, at(200)).rtp[0]?.sequenceNumber).toBe(sequenceNumbers.at(-1)! + 1);
});

test('what is no RTCP is counted, told and otherwise ignored', () => {
  const sender = sentFrames(1);
  for (const datagram of [
    new Uint8Array(0),
    Uint8Array.of(0x80),
    new Uint8Array(40).fill(0x80),
    Uint8Array.of(0x80, 201, 0, 9),
  ]) {
    sender.handleDatagram(at(1), datagram);
  }
  expect(sender.statistics.malformed).toBe(4);
  expect(events(sender).every(({ kind }) => kind === 'malformed')).toBe(true);
});

test('events that nobody polls are bounded', () => {
  const sender = sentFrames(1);
  for (let count = 0; count < 5_000; count++) sender.handleDatagram(at(1), Uint8Array.of(1, 2, 3));
  expect(events(sender).length).toBeLessThanOrEqual(1_024);
});
