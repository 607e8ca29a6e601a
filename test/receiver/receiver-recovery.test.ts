import { describe, expect, test } from 'vitest';
import { milliseconds } from '../../protocol/base/units.ts';
import { recoveryNoticePacket } from '../../protocol/rtcp/recovery-notice.ts';
import type { RtcpPacket } from '../../protocol/rtcp/rtcp.ts';
import { compactNtp } from '../../protocol/rtp/ntp.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { MEDIA_SSRC, REPORT_SSRC } from '../simulated-session.ts';
import { FRAME_MS, INITIAL_SEQUENCE, packet, packets, retransmissionOf, Stage, unitOf } from './stage.ts';

/** Answers the receiver's round-trip probes with this round trip. */
function answerProbes(stage: Stage, roundTripMs: number, untilMs: number): void {
  let answered = 0;
  for (let ms = 0; ms <= untilMs; ms++) {
    stage.until(ms);
    for (const { ms: askedAt, packet: sent } of stage.rtcpSent.slice(answered)) {
      if (askedAt + roundTripMs > ms) break;
      answered++;
      if (sent.kind !== 'extended-report') continue;
      for (const block of sent.blocks) {
        if (block.kind !== 'receiver-reference-time') continue;
        stage.rtcp(ms, {
          kind: 'extended-report',
          ssrc: MEDIA_SSRC,
          blocks: [
            {
              kind: 'delay-since-last-receiver-report',
              reports: [{ ssrc: REPORT_SSRC, lastReceiverReport: compactNtp(block.ntp), delay: 0 }],
            },
          ],
        });
      }
    }
  }
}

/** Frames of three packets, of which some are lost. */
function sendFrames(stage: Stage, from: number, to: number, lost: (frame: number, index: number) => boolean): Stage {
  for (let frame = from; frame < to; frame++) {
    stage.arrive(frame * FRAME_MS, ...packets({ frame, count: 3 }).filter((_, index) => !lost(frame, index)));
  }
  return stage;
}

describe('a missing packet', () => {
  test('within a frame is requested three milliseconds after a later packet reveals it', () => {
    const stage = sendFrames(new Stage(), 0, 1, (_, index) => index === 1).until(20);
    expect(stage.requests).toEqual([{ ms: 3, sequences: [1] }]);
  });

  test('at the end of the newest frame is requested after a silence, before the next frame arrives', () => {
    const stage = sendFrames(new Stage(), 0, 1, (_, index) => index > 0).until(39);
    expect(stage.requests).toEqual([{ ms: 28, sequences: [1, 2] }]);
  });

  test('at the end of the newest frame is requested at once when the sender says that it was sent', () => {
    const sent = (sequence: number) =>
      recoveryNoticePacket(MEDIA_SSRC, {
        kind: 'sent',
        sequence: wireSequence((INITIAL_SEQUENCE + sequence) & 0xffff),
      });
    const stage = sendFrames(new Stage(), 0, 1, (_, index) => index > 0);
    stage.rtcp(5, sent(0), sent(2)).until(20);
    expect(stage.requests).toEqual([{ ms: 8, sequences: [1, 2] }]);
  });

  test('is not requested because of a notice further ahead than a frame can end', () => {
    const stage = sendFrames(new Stage(), 0, 1, () => false);
    const sequence = wireSequence((INITIAL_SEQUENCE + 3_000) & 0xffff);
    stage.rtcp(5, recoveryNoticePacket(MEDIA_SSRC, { kind: 'sent', sequence })).until(39);
    expect(stage.requests).toEqual([]);
  });

  test('of a lost frame is requested when the next frame arrives', () => {
    const stage = sendFrames(new Stage(), 0, 3, (frame) => frame === 1).until(90);
    expect(stage.requests).toEqual([{ ms: 83, sequences: [3, 4, 5] }]);
  });

  test('is not requested without recovery', () => {
    for (const recovery of ['none', 'reorder'] as const) {
      expect(sendFrames(new Stage({ recovery }), 0, 4, (frame, index) => frame === 1 && index === 1).requests).toEqual(
        [],
      );
    }
  });

  test('is not requested when it was only late', () => {
    const stage = new Stage();
    stage
      .arrive(0, packet({ frame: 0, count: 2, index: 1 }))
      .arrive(2, packet({ frame: 0, count: 2 }))
      .until(100);
    expect(stage.requests).toEqual([]);
  });
});

describe('an answer', () => {
  test('completes its frame, and is counted by its round', () => {
    const stage = sendFrames(new Stage(), 0, 1, (_, index) => index === 1);
    stage.arrive(45, retransmissionOf(packet({ frame: 0, index: 1, count: 3 }))).until(200);
    expect(stage.eventLines).toEqual(['120 recovered 0']);
    expect(stage.units).toEqual([unitOf(0, 3)]);
    expect(stage.receiver.statistics.packets).toMatchObject({ onTime: 2, recoveredInRound: [1, 0, 0, 0, 0, 0, 0, 0] });
  });

  test('to the second request counts in the second round', () => {
    const stage = sendFrames(new Stage(), 0, 1, (_, index) => index === 1).until(59);
    expect(stage.requests).toHaveLength(1);
    stage.until(60);
    expect(stage.requests).toHaveLength(2);
    stage.arrive(100, retransmissionOf(packet({ frame: 0, index: 1, count: 3 }))).until(200);
    expect(stage.receiver.statistics.packets.recoveredInRound.slice(0, 2)).toEqual([0, 1]);
  });

  test('that crossed the packet itself is a duplicate', () => {
    const stage = sendFrames(new Stage(), 0, 1, (_, index) => index === 1);
    const late = packet({ frame: 0, index: 1, count: 3 });
    stage.arrive(30, late).arrive(45, retransmissionOf(late)).until(200);
    expect(stage.receiver.statistics).toMatchObject({ duplicates: 1, packets: { onTime: 2, reordered: 1 } });
  });

  test('after the deadline counts as late', () => {
    const stage = sendFrames(new Stage(), 0, 1, (_, index) => index === 1);
    stage.arrive(125, retransmissionOf(packet({ frame: 0, index: 1, count: 3 })));
    expect(stage.eventLines).toEqual(['120 incomplete 0']);
    expect(stage.receiver.statistics.packets).toMatchObject({ onTime: 2, late: 1, neverArrived: 0 });
  });

  test('does not move the clock, since it does not measure the path', () => {
    const stage = new Stage();
    for (let frame = 0; frame < 30; frame++) {
      if (frame % 2 === 0) stage.arrive(frame * FRAME_MS, packet({ frame }));
      else stage.arrive(frame * FRAME_MS + 60, packet({ frame: frame + 1 }), retransmissionOf(packet({ frame })));
      if (frame % 2 === 1) frame++;
    }
    stage.until(3_000);
    // The first transit is the fastest and sets the clock for all others.
    expect(stage.eventLines[0]).toBe('120 onTime 0');
    expect(stage.eventLines.filter((line) => line.includes('recovered'))[0]).toBe('160 recovered 1');
  });

  test.each([
    [
      'another payload type',
      retransmissionOf(packet({ frame: 0, index: 1, count: 3, payloadType: 96 })).map((byte, at) =>
        at === 1 ? 0x62 : byte,
      ),
      'foreign',
    ],
    [
      'no original sequence number',
      retransmissionOf(packet({ frame: 0, index: 1, count: 3, payload: new Uint8Array(0) })).subarray(0, 25),
      'malformed',
    ],
  ] as const)('with %s is none', (_, datagram, counter) => {
    const stage = sendFrames(new Stage(), 0, 1, (_, index) => index === 1).arrive(45, Uint8Array.from(datagram));
    expect(stage.receiver.statistics[counter]).toBe(1);
  });
});

describe('the round trip', () => {
  test('is measured before the first loss, and sets the interval of requests', () => {
    const stage = sendFrames(new Stage({ latency: milliseconds(400) }), 0, 1, () => false);
    answerProbes(stage, 20, 100);
    expect(stage.receiver.statistics.roundTrip).toBeGreaterThan(19_000);
    expect(stage.receiver.statistics.roundTrip).toBeLessThan(21_000);
    stage.arrive(120, ...packets({ frame: 3, count: 3 }).slice(1)).until(200);
    // Nine packets are missing: two frames and the first of this one; repeated every 22.5 ms.
    const [first, second, third] = stage.requests;
    expect(first).toEqual({ ms: 123, sequences: [3, 4, 5, 6, 7, 8, 9] });
    expect(second!.ms - first!.ms).toBeCloseTo(22.5, 0);
    expect(third!.ms - second!.ms).toBeCloseTo(22.5, 0);
  });

  test('above the latency makes every request pointless, so none is made', () => {
    const stage = sendFrames(new Stage({ latency: milliseconds(100) }), 0, 1, () => false);
    answerProbes(stage, 150, 400);
    stage.arrive(400, ...packets({ frame: 10, count: 3 })).until(1_000);
    expect(stage.requests).toEqual([]);
  });
});

describe('reports', () => {
  test('are sent with the first packet, often until the round trip is known, then every second', () => {
    const stage = sendFrames(new Stage(), 0, 1, () => false);
    answerProbes(stage, 20, 5_000);
    const times = stage.rtcpSent.filter(({ packet: sent }) => sent.kind === 'receiver-report').map(({ ms }) => ms);
    expect(times.length).toBeLessThan(9);
    expect(times[0]).toBe(0);
    // A probe of instant 0 looks like no probe (RFC 3611 §4.5), so the second one is answered.
    expect(times.slice(0, 3)).toEqual([0, 50, 100]);
    expect(times.slice(3)).toEqual([1_100, 2_100, 3_100, 4_100]);
  });

  test('are not sent without a return path', () => {
    const stage = new Stage({ reports: false, recovery: 'reorder' });
    sendFrames(stage, 0, 30, (frame) => frame === 3).until(5_000);
    expect(stage.rtcpSent).toEqual([]);
  });

  test('contain the loss and echo the last sender report', () => {
    const stage = sendFrames(new Stage({ recovery: 'reorder' }), 0, 1, (_, index) => index === 1);
    const report: RtcpPacket = {
      kind: 'sender-report',
      ssrc: MEDIA_SSRC,
      ntp: { seconds: 0x0001_0002, fraction: 0x0003_0000 },
      rtpTimestamp: wireTimestamp(0),
      packetCount: 3,
      octetCount: 12,
      reports: [],
    };
    stage.rtcp(10, report, { ...report, ssrc: 5, ntp: { seconds: 9, fraction: 9 } }).until(60);
    const sent = stage.rtcpSent.findLast(({ packet: each }) => each.kind === 'receiver-report')?.packet;
    expect(sent).toMatchObject({
      ssrc: REPORT_SSRC,
      reports: [{ ssrc: MEDIA_SSRC, cumulativeLost: 1, lastSenderReport: 0x0002_0003 }],
    });
  });
});

test('a key frame is requested at most five times a second', () => {
  const stage = new Stage();
  for (let frame = 0; frame < 100; frame++) {
    stage.arrive(frame * FRAME_MS, packet({ frame, importance: 'reference' }));
  }
  stage.until(4_200);
  const requests = stage.rtcpSent.filter(({ packet: sent }) => sent.kind === 'picture-loss-indication');
  expect(requests.length).toBeGreaterThanOrEqual(18);
  expect(requests.length).toBeLessThanOrEqual(21);
});
