import { describe, expect, test } from 'vitest';
import { microseconds, milliseconds, seconds } from '../../../protocol/base/units.ts';
import { RepairEncoder } from '../../../protocol/repair/repair-encoder.ts';
import { parseRecoveryNotice, type RecoveryNotice } from '../../../protocol/rtcp/recovery-notice.ts';
import { compactNtp } from '../../../protocol/rtp/ntp.ts';
import { serializeRtpPacket } from '../../../protocol/rtp/rtp-packet.ts';
import { asSequence, wireSequence, wireTimestamp } from '../../../protocol/rtp/sequence.ts';
import type { ReceiverOptions } from '../../../receiver/receiver-options.ts';
import { MEDIA_SSRC, REPAIR_SSRC, REPORT_SSRC, SENDER_OPTIONS } from '../../simulated-session.ts';
import { FRAME_MS, INITIAL_SEQUENCE, packet, packets, retransmissionOf, Stage } from '../stage.ts';

interface TimedRequest {
  readonly ms: number;
  readonly sequences: readonly number[];
  readonly number: number;
  readonly last: boolean;
  readonly usefulForMs: number;
}

/** A receiver with deadline recovery, and a log of its requests. No reordering so far. */
class HybridStage extends Stage {
  constructor(options: Partial<ReceiverOptions> = {}) {
    super({ recovery: 'hybrid', reorderWait: microseconds(0), ...options });
  }

  get notices(): { readonly ms: number; readonly notice: RecoveryNotice }[] {
    return this.rtcpSent.flatMap(({ ms, packet }) => {
      const notice = packet.kind === 'application' ? parseRecoveryNotice(packet) : undefined;
      return notice?.ok && notice.value ? [{ ms, notice: notice.value }] : [];
    });
  }

  override get requests(): TimedRequest[] {
    const requests: TimedRequest[] = [];
    for (const [index, { ms, packet }] of this.rtcpSent.entries()) {
      if (packet.kind !== 'nack') continue;
      const before = this.rtcpSent[index - 1]!.packet;
      const notice = before.kind === 'application' ? parseRecoveryNotice(before) : undefined;
      if (!notice?.ok || notice.value?.kind !== 'request') throw new Error('a NACK without its notice');
      const { number, last, usefulFor } = notice.value;
      const sequences = packet.sequenceNumbers.map((wire) => (wire - INITIAL_SEQUENCE) & 0xffff);
      requests.push({ ms, sequences, number, last, usefulForMs: usefulFor / 1_000 });
    }
    return requests;
  }

  /** For streams that end after it: frames that never arrive are requested as well, since the end is unknown. */
  requestsFor(sequence: number): TimedRequest[] {
    return this.requests.filter(({ sequences }) => sequences.includes(sequence));
  }

  /** First copy of each request. */
  get firsts(): TimedRequest[] {
    return this.requests.filter(({ number }, index, all) => all.findIndex((one) => one.number === number) === index);
  }

  /** Sends frames of three packets without the lost ones, and measures the round trip. */
  stream(from: number, to: number, lost: (frame: number, index: number) => boolean = () => false): this {
    for (let frame = from; frame < to; frame++) {
      this.arrive(frame * FRAME_MS, ...packets({ frame, count: 3 }).filter((_, index) => !lost(frame, index)));
    }
    return this;
  }

  /** Answers the probes of the first `frames` frames with this round trip. */
  measured(roundTripMs: number, frames: number): this {
    let answered = 0;
    for (let ms = 0; ms < frames * FRAME_MS; ms++) {
      if (ms % FRAME_MS === 0) this.stream(ms / FRAME_MS, ms / FRAME_MS + 1);
      this.until(ms);
      for (const { ms: askedAt, packet: sent } of this.rtcpSent.slice(answered)) {
        if (askedAt + roundTripMs > ms) break;
        answered++;
        if (sent.kind !== 'extended-report') continue;
        for (const block of sent.blocks) {
          if (block.kind !== 'receiver-reference-time') continue;
          const lastReceiverReport = compactNtp(block.ntp);
          this.rtcp(ms, {
            kind: 'extended-report',
            ssrc: MEDIA_SSRC,
            blocks: [
              {
                kind: 'delay-since-last-receiver-report',
                reports: [{ ssrc: REPORT_SSRC, lastReceiverReport, delay: 0 }],
              },
            ],
          });
        }
      }
    }
    return this;
  }
}

/** Ten frames have arrived and the round trip is known; frame 10 arrives at 400 ms. */
const START = 10;
const T0 = START * FRAME_MS;
const stage = (roundTripMs: number, options: Partial<ReceiverOptions> = {}) =>
  new HybridStage(options).measured(roundTripMs, START);

describe('a loss', () => {
  test('within a frame is requested at once when there has been no reordering', () => {
    const { firsts } = stage(20)
      .stream(START, START + 1, (_, index) => index === 1)
      .until(T0 + 1);
    expect(firsts).toMatchObject([{ ms: T0, sequences: [31], last: false }]);
  });

  test('at the end of a frame is requested after two milliseconds of silence', () => {
    const { firsts } = stage(20)
      .stream(START, START + 1, (_, index) => index === 2)
      .until(T0 + 5);
    expect(firsts).toMatchObject([{ ms: T0 + 2, sequences: [32] }]);
  });

  test('at the end of a frame is requested once a repair packet shows that it was sent', () => {
    const frames = packets({ frame: START, count: 3 });
    const encoder = new RepairEncoder({ windowPackets: 8, packetBytesMax: 1_100 });
    for (const [index, datagram] of frames.entries()) encoder.add(asSequence(INITIAL_SEQUENCE + 30 + index), datagram);
    const window = {
      firstSequence: asSequence(INITIAL_SEQUENCE + 30),
      lastSequence: asSequence(INITIAL_SEQUENCE + 32),
    };
    const repair = serializeRtpPacket({
      marker: false,
      payloadType: SENDER_OPTIONS.repairPayloadType!,
      sequenceNumber: wireSequence(0),
      timestamp: wireTimestamp(0),
      ssrc: REPAIR_SSRC,
      csrcs: [],
      payload: encoder.repair({ ...window, repairKey: 0 }),
    });
    const one = stage(20)
      .arrive(T0, frames[0]!, repair)
      .until(T0 + 1);
    expect(one.firsts).toMatchObject([{ ms: T0, sequences: [31, 32] }]);
  });

  test('is not assumed when a frame larger than any before arrives in groups', () => {
    const one = stage(20);
    for (let frame = START; frame < START + 5; frame++) {
      one.arrive(
        frame * FRAME_MS,
        ...packets({ frame, count: 20, sequence: 0 }).map((_, index) =>
          packet({ frame, index, count: 20, sequence: 30 + (frame - START) * 20 + index }),
        ),
      );
    }
    const from = START + 5;
    const large = Array.from({ length: 27 }, (_, index) =>
      packet({ frame: from, index, count: 27, sequence: 130 + index }),
    );
    const before = one.firsts.length;
    one.arrive(from * FRAME_MS, ...large.slice(0, 16)).arrive(from * FRAME_MS + 13, ...large.slice(16));
    one.until(from * FRAME_MS + 30);
    expect(one.firsts.slice(before)).toEqual([]);
  });

  test('of a whole frame is requested when it is overdue, before the next one arrives', () => {
    const one = stage(20).until(T0 + FRAME_MS - 1);
    expect(one.firsts[0]).toMatchObject({ ms: T0 + 2, sequences: [30, 31, 32] });
  });

  test('of a frame that is merely late is forgotten when it arrives', () => {
    const one = stage(20)
      .arrive(T0 + 10, ...packets({ frame: START, count: 3 }))
      .until(T0 + 39);
    expect(one.firsts).toHaveLength(1);
    expect(one.receiver.statistics.packets.neverArrived).toBe(0);
  });
});

describe('a request', () => {
  test('is repeated after a round trip and its variation, and the last possible one is marked', () => {
    // With a round trip of 40 ms and a latency of 120 ms, answers are in time to requests up to 79 ms.
    const one = stage(40)
      .stream(START, START + 1, (_, index) => index === 1)
      .until(T0 + 120);
    const firsts = one.firsts.filter(({ sequences }) => sequences.includes(31));
    expect(firsts.map(({ last }) => last)).toEqual([false, true]);
    expect(firsts[1]!.ms - firsts[0]!.ms).toBeGreaterThan(41);
    expect(firsts[1]!.ms - firsts[0]!.ms).toBeLessThan(48);
  });

  test('has three copies with one number, four for the last attempt, each with the time for which an answer is useful', () => {
    const requests = stage(40)
      .stream(START, START + 1, (_, index) => index === 1)
      .until(T0 + 119)
      .requestsFor(31);
    const [first, last] = [requests.filter(({ last }) => !last), requests.filter(({ last }) => last)];
    expect(first.map(({ ms }) => ms - T0)).toEqual([0, 2, 4]);
    expect(last).toHaveLength(4);
    for (const copies of [first, last]) expect(new Set(copies.map(({ number }) => number)).size).toBe(1);
    for (const { ms, usefulForMs } of requests) expect(ms + usefulForMs).toBeCloseTo(T0 + 120, 0);
  });

  test('is not made when no answer can be in time', () => {
    const one = stage(122, { latency: milliseconds(120) })
      .stream(START, START + 1, (_, index) => index === 2)
      .until(T0 + 200);
    expect(one.requests).toEqual([]);
  });

  test('ends with its answer, copies included', () => {
    const one = stage(20).stream(START, START + 1, (_, index) => index === 1);
    one.arrive(T0 + 1, retransmissionOf(packet({ frame: START, index: 1, count: 3 }))).until(T0 + 39);
    expect(one.requests).toHaveLength(1);
  });

  test('lists all missing packets of its frame', () => {
    const one = stage(20, { latency: milliseconds(200) });
    one.arrive(T0, packet({ frame: START, index: 3, count: 6, sequence: 33 })).until(T0 + 1);
    expect(one.firsts).toMatchObject([{ sequences: [30, 31, 32] }]);
  });
});

describe('reordering', () => {
  /** Frame by frame, the middle packet arrives last and `lateMs` late. */
  const overtaken = (one: HybridStage, from: number, to: number, lateMs: number) => {
    for (let frame = from; frame < to; frame++) {
      const [first, second, third] = packets({ frame, count: 3 });
      one.arrive(frame * FRAME_MS, first!, third!).arrive(frame * FRAME_MS + lateMs, second!);
    }
    return one;
  };

  test('is waited for as long as it has been observed to take', () => {
    const one = overtaken(stage(20), START, START + 1, 4).until(T0 + FRAME_MS - 1);
    const before = one.firsts.length;
    // The first time it counts as a loss; after that it is known.
    expect(before).toBe(1);
    overtaken(one, START + 1, START + 20, 4);
    expect(one.firsts).toHaveLength(before);
    const lost = START + 20;
    one.stream(lost, lost + 1, (_, index) => index === 1).until(lost * FRAME_MS + 10);
    expect(one.firsts.at(-1)).toMatchObject({ ms: lost * FRAME_MS + 4.5, sequences: [lost * 3 + 1] });
  });

  test('is measured from the packet that overtook, not from a detection by the clock', () => {
    // Three packets of frame 10 are expected, but it has one; those of the next frame are missed long before they
    // arrive.
    const one = stage(20).arrive(T0 + 10, packet({ frame: START, count: 1, sequence: 30 }));
    const [first, second, third] = [0, 1, 2].map((index) =>
      packet({ frame: START + 1, index, count: 3, sequence: 31 + index }),
    );
    one
      .arrive(T0 + FRAME_MS, second!)
      .arrive(T0 + FRAME_MS + 1, first!, third!)
      .until(T0 + FRAME_MS + 1);
    expect(one.requestsFor(31).some(({ ms }) => ms < T0 + FRAME_MS)).toBe(true);
    const next = (START + 2) * FRAME_MS;
    const [ahead, , behind] = [0, 1, 2].map((index) =>
      packet({ frame: START + 2, index, count: 3, sequence: 34 + index }),
    );
    one.arrive(next, ahead!, behind!).until(next + 5);
    expect(one.firsts.at(-1)!.sequences).toEqual([35]);
    expect(one.firsts.at(-1)!.ms - next).toBeLessThan(2);
  });

  test('not seen for a while is not waited for', () => {
    const one = overtaken(stage(20), START, START + 5, 4);
    const lost = START + 5 + seconds(17) / 1_000 / FRAME_MS;
    one
      .stream(START + 5, lost)
      .stream(lost, lost + 1, (_, index) => index === 1)
      .until(lost * FRAME_MS + 3);
    expect(one.firsts.at(-1)).toMatchObject({ ms: lost * FRAME_MS, sequences: [lost * 3 + 1] });
  });

  test('is not waited for when that would cost the only attempt', () => {
    const one = overtaken(stage(90, { latency: milliseconds(120) }), START, START + 5, 20);
    const lost = START + 5;
    one.stream(lost, lost + 1, (_, index) => index === 1).until(lost * FRAME_MS + 30);
    const { ms, last } = one.firsts.at(-1)!;
    expect(last).toBe(true);
    expect(ms - lost * FRAME_MS).toBeLessThan(22);
    expect(ms + 90).toBeLessThan(lost * FRAME_MS + 120);
  });
});

test('path notices with each request and periodically contain loss, latency and answer time', () => {
  const one = stage(40).stream(START, START + 60, (frame, index) => frame % 4 === 0 && index === 1);
  one.until((START + 60) * FRAME_MS);
  const { notice } = one.notices.findLast(({ notice: { kind } }) => kind === 'path')!;
  if (notice.kind !== 'path') throw new Error('not a path');
  expect(notice.latency).toBe(120_000);
  expect(notice.answerTime).toBeGreaterThan(40_000);
  expect(notice.answerTime).toBeLessThan(43_000);
  expect(notice.loss).toBeGreaterThan(0);
  expect(notice.burst).toBeCloseTo(1, 1);
});

test('path notices contain the spacing of packets sent at once', () => {
  const one = stage(40);
  for (let frame = START; frame < START + 60; frame++) {
    for (let index = 0; index < 6; index++) {
      const sequence = START * 3 + (frame - START) * 6 + index;
      one.arrive(frame * FRAME_MS + index * 1.5, packet({ frame, index, count: 6, sequence }));
    }
  }
  one.until((START + 60) * FRAME_MS);
  const { notice } = one.notices.findLast(({ notice: { kind } }) => kind === 'path')!;
  expect(notice).toMatchObject({ spacing: 1_500 });
});
