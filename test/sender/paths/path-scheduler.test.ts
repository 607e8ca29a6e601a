import { describe, expect, test } from 'vitest';
import { type Instant, instant, milliseconds } from '../../../protocol/base/units.ts';
import { appendPathReport } from '../../../protocol/rtcp/path-report.ts';
import { serializeRtcp } from '../../../protocol/rtcp/rtcp.ts';
import { wrapRetransmission } from '../../../protocol/rtp/retransmission.ts';
import { serializeRtpPacket } from '../../../protocol/rtp/rtp-packet.ts';
import { asSequence, wireSequence, wireTimestamp } from '../../../protocol/rtp/sequence.ts';
import { PathHealth } from '../../../sender/paths/path-health.ts';
import { type PathChoice, PathScheduler, type PathSchedulerOptions } from '../../../sender/paths/path-scheduler.ts';

const [MEDIA, RETRANSMISSION, REPAIR, REPORT] = [1, 2, 4, 3];
const at = (ms: number): Instant => instant(milliseconds(ms));

const packet = (sequence: number, ssrc = MEDIA): Uint8Array =>
  serializeRtpPacket({
    marker: false,
    payloadType: 96,
    sequenceNumber: wireSequence(sequence & 0xffff),
    timestamp: wireTimestamp(0),
    ssrc,
    csrcs: [],
    payload: new Uint8Array(20),
  });
const retransmissionOf = (sequence: number): Uint8Array =>
  wrapRetransmission(packet(sequence), {
    ssrc: RETRANSMISSION,
    payloadType: 97,
    sequenceNumber: wireSequence(0),
  });

function scheduler(options: Partial<PathSchedulerOptions> = {}): { health: PathHealth; scheduler: PathScheduler } {
  const health = new PathHealth(0);
  const stream = { ssrc: MEDIA, retransmissionSsrc: RETRANSMISSION, repairSsrc: REPAIR, initialSequence: 0 };
  const built = new PathScheduler({ ...stream, distribution: 'split', firstShare: 0.5, ...options }, health);
  return { health, scheduler: built };
}

/** Chooses the paths of these media packets. */
const choices = (of: PathScheduler, first: number, count: number): PathChoice[] =>
  Array.from({ length: count }, (_, index) => of.choose(at(0), packet(first + index)));

/** Puts path 0 down: nothing arrives by it while later packets arrive by path 1. */
function takeDown(health: PathHealth): void {
  for (let sequence = 1_000; sequence < 1_006; sequence++) {
    health.onMedia(at((sequence - 1_000) * 100), sequence < 1_003 ? 0 : 1, asSequence(sequence));
  }
  const none = { newest: wireSequence(0xffff), datagrams: 0 };
  health.onReport(at(600), { paths: [none, { newest: wireSequence(1_005), datagrams: 3 }] });
  expect(health.isUp(0)).toBe(false);
}

test('packets of another stream, which are the sound, take both paths, or the one that is up', () => {
  const { health, scheduler: built } = scheduler();
  const sound = packet(9, 7);
  expect(built.choose(at(0), sound)).toBe('both');
  takeDown(health);
  expect(built.choose(at(700), sound)).toBe(1);
});

describe('a split stream', () => {
  test('takes turns', () => {
    expect(choices(scheduler().scheduler, 0, 6)).toEqual([0, 1, 0, 1, 0, 1]);
  });

  test('gives each path its share of the packets', () => {
    const taken = choices(scheduler({ firstShare: 0.7 }).scheduler, 0, 1_000);
    expect(taken.filter((path) => path === 0)).toHaveLength(700);
  });

  test.each([0.5, 0.6, 0.8])(
    'has as many packets on each path as the frame, with as many repair packets (share %f)',
    (firstShare) => {
      const { scheduler: turns } = scheduler({ firstShare });
      for (const size of [1, 7, 14, 57]) {
        const sent = [
          ...Array.from({ length: size }, (_, index) => turns.choose(at(0), packet(index))),
          ...Array.from({ length: size }, () => turns.choose(at(0), packet(0, REPAIR))),
        ];
        for (const path of [0, 1]) {
          expect(
            sent.filter((chosen) => chosen === path),
            `${size} packets, path ${path}`,
          ).toHaveLength(size);
        }
      }
    },
  );

  test('sends a packet again by the other path, and by the first one after that', () => {
    const { scheduler: turns } = scheduler();
    expect(choices(turns, 0, 2)).toEqual([0, 1]);
    const again = () => [0, 1].map((sequence) => turns.choose(at(1), retransmissionOf(sequence)));
    expect(again()).toEqual([1, 0]);
    expect(again()).toEqual([0, 1]);
  });

  test('takes the path that is up alone, for RTCP both', () => {
    const { health, scheduler: turns } = scheduler();
    choices(turns, 0, 4);
    takeDown(health);
    expect(choices(turns, 1_006, 3)).toEqual([1, 1, 1]);
    expect(turns.choose(at(700), retransmissionOf(1))).toBe(1);
    expect(turns.choose(at(700), packet(0, REPAIR))).toBe(1);
    expect(turns.choose(at(700), serializeRtcp([{ kind: 'goodbye', ssrcs: [MEDIA], reason: '' }]))).toBe('both');
  });
});

describe('a copied stream', () => {
  test('takes both paths', () => {
    const { scheduler: copies } = scheduler({ distribution: 'copied' });
    expect(choices(copies, 0, 3)).toEqual(['both', 'both', 'both']);
    expect(copies.choose(at(0), retransmissionOf(1))).toBe('both');
    expect(copies.choose(at(0), packet(0, REPAIR))).toBe('both');
    expect(copies.choose(at(0), appendPathReport(new Uint8Array(0), REPORT, emptyReport))).toBe('both');
  });

  test('takes the path that is up when the other one is down', () => {
    const { health, scheduler: copies } = scheduler({ distribution: 'copied' });
    takeDown(health);
    expect(choices(copies, 1_006, 2)).toEqual([1, 1]);
    expect(copies.choose(at(700), retransmissionOf(1_006))).toBe(1);
  });
});

const none = { newest: wireSequence(0), datagrams: 0 };
const emptyReport = { paths: [none, none] } as const;
