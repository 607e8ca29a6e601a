import { describe, expect, test } from 'vitest';
import { instant, microseconds } from '../../protocol/base/units.ts';
import { type PathNotice, recoveryNoticePacket } from '../../protocol/rtcp/recovery-notice.ts';
import { type RtcpPacket, serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { wireSequence } from '../../protocol/rtp/sequence.ts';
import { Sender } from '../../sender/sender.ts';
import { SyntheticStream } from '../../sim/synthetic-stream.ts';
import { MEDIA_SSRC, REPORT_SSRC, SENDER_OPTIONS } from '../simulated-session.ts';

const STRANGER = 0x5ca1ab1e;
/** A path on which no answer can be in time, so that a sender that believes it sends repair packets. */
const PATH: PathNotice = {
  kind: 'path',
  latency: microseconds(120_000),
  answerTime: microseconds(200_000),
  loss: 0.1,
  burst: 1,
  recentLoss: 0.1,
  queueing: microseconds(0),
  showsDamaged: false,
  spacing: microseconds(0),
};
const notice = (ssrc: number) => recoveryNoticePacket(ssrc, PATH);
const report = (ssrc: number, media = MEDIA_SSRC): RtcpPacket => ({
  kind: 'receiver-report',
  ssrc,
  reports: [
    {
      ssrc: media,
      fractionLost: 128,
      cumulativeLost: 1,
      highestSequence: 100,
      jitter: 0,
      lastSenderReport: 0,
      delaySinceLastSenderReport: 0,
    },
  ],
});

/** Repair packets of a second of video, after a second in which these packets arrived. */
function repairsAfter(packets: readonly RtcpPacket[], reportSsrc?: number): Sender['statistics'] {
  const sender = new Sender(SENDER_OPTIONS);
  if (reportSsrc !== undefined) sender.expectReportsFrom(reportSsrc);
  const source = new SyntheticStream({
    framesPerSecond: 30,
    frameBytes: 6_000,
    keyFrameBytes: 9_000,
    keyInterval: 30,
    frames: 60,
    seed: 1,
  });
  let before = 0;
  for (let frame = 0; frame < 60; frame++) {
    const now = instant(Math.round((frame * 1e6) / 30));
    sender.send(now, source.next()!);
    // A loss is assumed in the first second.
    if (frame === 30) before = sender.statistics.repairs;
    if (frame === 30) for (const packet of packets) sender.handleDatagram(now, serializeRtcp([packet]));
    while (sender.pollTransmit(instant(now + 30_000))) {
      // drained, as a driver does
    }
  }
  return { ...sender.statistics, repairs: sender.statistics.repairs - before };
}

describe('a sender that knows its receiver’s SSRC', () => {
  test('accepts notices from it', () => {
    expect(repairsAfter([notice(REPORT_SSRC)], REPORT_SSRC).repairs).toBeGreaterThan(0);
  });

  test('accepts no notice, report or request from another', () => {
    const nack: RtcpPacket = {
      kind: 'nack',
      senderSsrc: STRANGER,
      mediaSsrc: MEDIA_SSRC,
      sequenceNumbers: [wireSequence(101), wireSequence(102)],
    };
    const pli: RtcpPacket = { kind: 'picture-loss-indication', senderSsrc: STRANGER, mediaSsrc: MEDIA_SSRC };
    const statistics = repairsAfter([report(STRANGER), notice(STRANGER), nack, pli], REPORT_SSRC);
    expect(statistics).toMatchObject({ repairs: 0, retransmissions: 0, keyFrameRequests: 0, foreign: 4 });
    expect(statistics.reportedLoss).toBeUndefined();
  });
});

describe('a sender that does not know its receiver’s SSRC', () => {
  test('accepts notices only from the SSRC whose report named the media', () => {
    expect(repairsAfter([report(REPORT_SSRC), notice(STRANGER)])).toMatchObject({ repairs: 0, foreign: 1 });
    expect(repairsAfter([report(STRANGER, 1), report(REPORT_SSRC), notice(REPORT_SSRC)]).repairs).toBeGreaterThan(0);
  });
});

test('counts only reports and requests that name the media as heard', () => {
  const sender = new Sender(SENDER_OPTIONS);
  sender.expectReportsFrom(REPORT_SSRC);
  const hear = (now: number, packet: RtcpPacket) => sender.handleDatagram(instant(now), serializeRtcp([packet]));
  hear(1, report(STRANGER));
  hear(2, report(REPORT_SSRC, 7));
  hear(3, notice(REPORT_SSRC));
  expect(sender.heardAt).toBeUndefined();
  hear(4, report(REPORT_SSRC));
  expect(sender.heardAt).toBe(4);
});
