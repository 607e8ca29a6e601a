import { describe, expect, test } from 'vitest';
import { type Instant, instant, later, microseconds, milliseconds, seconds } from '../../protocol/base/units.ts';
import type { RtcpPacket } from '../../protocol/rtcp/rtcp.ts';
import { ntpFromInstant } from '../../protocol/rtp/ntp.ts';
import { wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { MEDIA_SSRC, REPORT_SSRC } from '../simulated-session.ts';
import { at, deliverRtcp, drain, events, frame, nack, newSender, sentFrames } from './desk.ts';

describe('reports', () => {
  test('the first report is sent with the first frame, further ones every second', () => {
    const sender = newSender();
    sender.send(at(0), frame(0));
    drain(sender, at(0));
    const times: Instant[] = [];
    for (let now = at(0); now <= seconds(3.5); now = instant(microseconds(now + at(10)))) {
      if (sender.pollTimeout()! <= now) sender.handleTimeout(now);
      if (drain(sender, now).rtcp.length > 0) times.push(now);
    }
    expect(times).toEqual([0, 1, 2, 3].map(seconds));
  });

  test('a report has the time, the corresponding media time, and packet and octet counts', () => {
    const sender = newSender({ timestampBase: wireTimestamp(0xffff_fff0) });
    sender.send(at(0), frame(0, 50));
    sender.send(at(40), frame(1, 70));
    drain(sender, at(40));
    sender.handleTimeout(at(140));
    expect(drain(sender, at(140)).rtcp).toEqual([
      {
        kind: 'sender-report',
        ssrc: MEDIA_SSRC,
        ntp: ntpFromInstant(at(140)),
        // Frame 1 has 3,000 and was handed over 100 ms ago, which are 9,000 ticks; its timestamp is 16 below the wrap.
        rtpTimestamp: 12_000 - 16,
        packetCount: 2,
        octetCount: 120,
        reports: [],
      },
      { kind: 'source-description', chunks: [{ ssrc: MEDIA_SSRC, cname: 'dropframe' }] },
    ]);
  });

  test('a report counts from the instant at which a frame was due, which may have been handed over later', () => {
    const sender = newSender({ timestampBase: wireTimestamp(0) });
    sender.send(at(300), frame(0), at(100));
    drain(sender, at(300));
    sender.handleTimeout(at(1_300));
    expect(drain(sender, at(1_300)).rtcp[0]).toMatchObject({ ntp: ntpFromInstant(at(1_300)), rtpTimestamp: 108_000 });
  });

  test('the octet count covers the payload only', () => {
    const sender = newSender();
    sender.send(at(0), frame(0, 10_000));
    const { rtp } = drain(sender, at(0));
    const octets = rtp.reduce((sum, packet) => sum + packet.payload.length, 0);
    sender.handleTimeout(at(0));
    expect(drain(sender, at(0)).rtcp[0]).toMatchObject({ octetCount: octets });
  });

  test('sends no reports and has no timeout before the first frame', () => {
    const sender = newSender();
    expect(sender.pollTimeout()).toBeUndefined();
    sender.handleTimeout(instant(seconds(5)));
    expect(drain(sender, instant(seconds(5))).rtcp).toEqual([]);
  });

  test('loss and round trip are taken from a receiver report', () => {
    const sender = sentFrames(1);
    const report = {
      ssrc: MEDIA_SSRC,
      fractionLost: 64,
      cumulativeLost: 3,
      highestSequence: 100,
      jitter: 0,
      // A report of 0.5 s, held for 0.25 s, returns at 1 s: the round trip is a quarter of a second.
      lastSenderReport: 0x8000,
      delaySinceLastSenderReport: 0x4000,
    };
    deliverRtcp(sender, instant(seconds(1)), { kind: 'receiver-report', ssrc: REPORT_SSRC, reports: [report] });
    expect(sender.statistics).toMatchObject({ reportedLoss: 0.25, roundTrip: 250_000 });
    deliverRtcp(sender, instant(seconds(1)), {
      kind: 'receiver-report',
      ssrc: 1,
      reports: [{ ...report, ssrc: 5, fractionLost: 255 }],
    });
    expect(sender.statistics.reportedLoss).toBe(0.25);
  });

  test('a round-trip probe is answered at once, at most fifty times a second', () => {
    const sender = sentFrames(1);
    const probe = (now: Instant) =>
      deliverRtcp(sender, now, {
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
    for (let now = at(6); now < at(1_006); now = later(now, milliseconds(1))) probe(now);
    expect(drain(sender, at(1_006)).rtcp.filter(({ kind }) => kind === 'extended-report')).toHaveLength(50);
  });
});

describe('the end', () => {
  test('sends the queue first, then a report and BYE, once', () => {
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
    expect(drain(sender, instant(seconds(9)))).toEqual({ rtp: [], rtcp: [], bytes: 0 });
    expect(sender.pollTimeout()).toBeUndefined();
  });

  test('is reached by an empty stream as well', () => {
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

  test('does not stop answers to requests', () => {
    const sender = sentFrames(2);
    sender.finish();
    drain(sender, at(0));
    deliverRtcp(sender, at(30), nack(101));
    expect(drain(sender, at(30)).rtp).toHaveLength(1);
    expect(sender.lastSequence).toBe(101);
  });
});

test('a frame that does not fit into the queue is refused as a whole, and the next one gets its number', () => {
  const sender = newSender({ queueBytesMax: 50_000 });
  expect(sender.send(at(0), frame(0, 60_000))).toBe('queued');
  expect(sender.send(at(1), frame(1, 60_000))).toBe('refused');
  expect(sender.statistics).toMatchObject({ frames: 1, framesRefused: 1 });
  const sequenceNumbers: number[] = [];
  for (let ms = 1; ms < 100; ms++) {
    sequenceNumbers.push(...drain(sender, at(ms)).rtp.map(({ sequenceNumber }) => sequenceNumber));
  }
  expect(sender.send(at(200), frame(2))).toBe('queued');
  expect(drain(sender, at(200)).rtp[0]?.sequenceNumber).toBe(sequenceNumbers.at(-1)! + 1);
});

test('datagrams that are not RTCP are counted, reported and otherwise ignored', () => {
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

test('the number of unpolled events is bounded', () => {
  const sender = sentFrames(1);
  for (let count = 0; count < 5_000; count++) sender.handleDatagram(at(1), Uint8Array.of(1, 2, 3));
  expect(events(sender).length).toBeLessThanOrEqual(1_024);
});
