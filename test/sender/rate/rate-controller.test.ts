import { describe, expect, test } from 'vitest';
import { type Instant, type Microseconds, milliseconds } from '../../../protocol/base/units.ts';
import type { PathNotice } from '../../../protocol/rtcp/recovery-notice.ts';
import { classifyDatagram } from '../../../protocol/rtp/multiplex.ts';
import type { CongestionFeedback, RateController, SentPacket } from '../../../sender/rate/rate-controller.ts';
import { runSession } from '../../simulated-session.ts';

/** A controller with a constant target that logs its calls. */
class FixedRate implements RateController {
  readonly target: number | undefined;
  readonly pacingRate: number | undefined;
  readonly standingQueue = undefined;
  readonly feedbackInterval: Microseconds | undefined;
  readonly feedback: CongestionFeedback[] = [];
  readonly notices: PathNotice[] = [];
  readonly packets: SentPacket[] = [];
  readonly instants: Instant[] = [];
  offered = 0;
  paced = 0;
  sent = 0;
  sentBytes = 0;

  constructor(target: number | undefined, feedbackInterval?: Microseconds) {
    this.target = target;
    this.feedbackInterval = feedbackInterval;
    this.pacingRate = target && target * 1.25;
  }

  onOffered(now: Instant): void {
    this.instants.push(now);
    this.offered++;
  }

  onPaced(now: Instant): void {
    this.instants.push(now);
    this.paced++;
  }

  onSent(now: Instant, packet: SentPacket): void {
    this.instants.push(now);
    this.sent++;
    this.sentBytes += packet.bytes;
    this.packets.push(packet);
  }

  onPath(now: Instant, path: PathNotice): void {
    this.instants.push(now);
    this.notices.push(path);
  }

  onFeedback(now: Instant, feedback: CongestionFeedback): void {
    this.instants.push(now);
    this.feedback.push(feedback);
  }

  pollTimeout(): undefined {
    return undefined;
  }

  onTimeout(): void {}
}

const FRAMES = 300;
const SECONDS = 10;

/**
 * 30 frames per second of 4 kB, with one of 12 kB every second: 128 kB per second over a lossy path of unlimited rate.
 */
function run(controller: FixedRate, parameters: { redundancy?: number } = {}) {
  let rtpBytes = 0;
  const { sender, receiver } = runSession({
    forward: 'loss=10% delay=20ms seed=5',
    back: 'delay=20ms',
    latencyMs: 120,
    stream: { frames: FRAMES, frameBytes: 4_000, keyFrameBytes: 12_000 },
    parameters: { recovery: 'hybrid', ...parameters },
    sender: { rate: () => controller },
    receiver: { onLoss: 'smear' },
    onDatagram: (_now, direction, datagram) => {
      if (direction === 'forward' && classifyDatagram(datagram) === 'rtp') rtpBytes += datagram.length;
    },
  });
  return { sender: sender.statistics, receiver: receiver.statistics, rtpBytes };
}

describe('a rate controller in place of the default one', () => {
  test('receives every frame offered, every datagram sent and every path notice, in order', () => {
    const controller = new FixedRate(undefined);
    const { sender, rtpBytes } = run(controller);
    expect(controller.offered).toBe(FRAMES);
    expect(controller.paced).toBe(sender.packets);
    expect(controller.sentBytes).toBe(rtpBytes);
    expect(controller.sent).toBe(sender.packets + sender.retransmissions + sender.repairs);
    expect(controller.packets.map(({ number }) => number)).toEqual(controller.packets.map((_, index) => index));
    const ofKind = (kind: SentPacket['kind']) => controller.packets.filter((packet) => packet.kind === kind).length;
    expect([ofKind('media'), ofKind('retransmission'), ofKind('repair')]).toEqual([
      sender.packets,
      sender.retransmissions,
      sender.repairs,
    ]);
    expect(controller.notices.length).toBeGreaterThan(SECONDS);
    expect(controller.notices.at(-1)!.loss).toBeCloseTo(0.1, 1);
    expect(controller.instants).toEqual([...controller.instants].sort((one, other) => one - other));
  });

  test('receives a report on every datagram when it asks for reports, and none otherwise', () => {
    const silent = new FixedRate(undefined);
    run(silent);
    expect(silent.feedback).toEqual([]);
    const controller = new FixedRate(undefined, milliseconds(20));
    const { sender, receiver } = run(controller);
    const reports = controller.feedback.flatMap(({ packets }) => packets);
    const received = reports.filter(({ arrivedAt }) => arrivedAt !== undefined);
    const sentBytes = sender.bytes + sender.retransmissionBytes + sender.repairBytes;
    // All but those of the first tenth of a second, and RTCP.
    expect(received.length).toBeGreaterThan(receiver.datagrams * 0.9);
    expect(new Set(received.map(({ number }) => number)).size).toBe(received.length);
    const lost = reports.filter(({ arrivedAt }) => arrivedAt === undefined);
    expect(lost.length / (lost.length + received.length)).toBeCloseTo(0.1, 1);
    const transits = received.map(({ sentAt, arrivedAt }) => arrivedAt! - sentAt);
    expect(Math.max(...transits) - Math.min(...transits)).toBeLessThanOrEqual(milliseconds(1));
    for (const { roundTrip } of controller.feedback) expect(Math.abs(roundTrip - milliseconds(40))).toBeLessThan(1_500);
    expect(controller.feedback.at(-1)!.bytesInFlight).toBeLessThan(sentBytes / 50);
  });

  test('without a target limits nothing, even at 10 % loss', () => {
    expect(run(new FixedRate(undefined)).sender.framesWithheld).toBe(0);
  });

  test.each([0, 0.25, 0.5])('has one target for everything sent, at a redundancy of %d', (redundancy) => {
    const target = 80_000;
    const controller = new FixedRate(target);
    const { sender } = run(controller, { redundancy });
    expect(sender.retransmissions > 0 && sender.repairs > 0).toBe(redundancy > 0);
    expect(sender.framesWithheld).toBeGreaterThan(FRAMES / 4);
    // The first path notice, before which nothing is withheld, arrives within two seconds.
    const before = 2;
    expect(controller.sentBytes).toBeLessThan(target * (SECONDS - before) * 1.05 + 160_000 * before);
    expect(controller.sentBytes).toBeGreaterThan(target * SECONDS * 0.6);
  });
});
