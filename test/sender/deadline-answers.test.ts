import { describe, expect, test } from 'vitest';
import type { Importance } from '../../protocol/access-unit.ts';
import { type Instant, instant, microseconds, milliseconds, seconds, ticks } from '../../protocol/base/units.ts';
import { parseRepairPayload } from '../../protocol/repair/repair-payload.ts';
import {
  type PathNotice,
  parseRecoveryNotice,
  type RequestNotice,
  recoveryNoticePacket,
} from '../../protocol/rtcp/recovery-notice.ts';
import { parseRtcp, type RtcpPacket, serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';
import { parseRtpPacket, type RtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence } from '../../protocol/rtp/sequence.ts';
import { Sender } from '../../sender/sender.ts';
import type { SenderOptions } from '../../sender/sender-options.ts';
import { MEDIA_SSRC, REPAIR_SSRC, REPORT_SSRC, RETRANSMISSION_SSRC, SENDER_OPTIONS } from '../simulated-session.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const FIRST = SENDER_OPTIONS.initialSequence;

/** A sender with frames of a given number of packets, each about a kilobyte. */
class Desk {
  readonly sender: Sender;
  readonly sent: { readonly kind: 'media' | 'again' | 'repair'; readonly packet: RtpPacket; readonly bytes: number }[] =
    [];
  /** Packets up to which notices say that they were sent, by their index in the stream. */
  readonly announced: number[] = [];
  #frames = 0;
  #requests = 0;

  constructor(options: Partial<SenderOptions> = {}) {
    const initialSequence = wireSequence((FIRST - 1) & 0xffff);
    this.sender = new Sender({ ...SENDER_OPTIONS, recovery: 'hybrid', initialSequence, ...options });
    // The first second, in which a loss is assumed, is over.
    this.sender.send(at(-2_000), {
      parts: [new Uint8Array(20).fill(0x41)],
      timestamp: ticks(0),
      decodeTimestamp: ticks(0),
      importance: 'key',
    });
    this.drain(at(-2_000)).sent.length = 0;
  }

  frame(ms: number, packets: number, importance: Importance = 'reference'): this {
    const timestamp = ++this.#frames * 3_000;
    const parts = [new Uint8Array(packets * 1_100).fill(0x41)];
    this.sender.send(at(ms), {
      parts,
      timestamp: ticks(timestamp),
      decodeTimestamp: ticks(timestamp),
      importance,
    });
    return this.drain(at(ms));
  }

  /** Sends this many frames of ten packets, 33 ms apart, which fill the budget; then clears the log. */
  earned(frames: number): this {
    for (let index = 0; index < frames; index++) this.frame(index * 33, 10);
    this.sent.length = 0;
    return this;
  }

  path(ms: number, path: Partial<PathNotice>): this {
    const notice: PathNotice = {
      kind: 'path',
      latency: milliseconds(120),
      answerTime: milliseconds(41),
      loss: 0.1,
      burst: 1,
      recentLoss: 0,
      queueing: microseconds(0),
      showsDamaged: false,
      spacing: microseconds(0),
      ...path,
    };
    return this.hear(ms, recoveryNoticePacket(REPORT_SSRC, notice));
  }

  /** Requests packets by their index in the stream, all lists in one datagram, each with its own notice. */
  ask(ms: number, ...requests: readonly (Partial<RequestNotice> & { readonly packets: readonly number[] })[]): this {
    const packets = requests.flatMap(({ packets: places, ...notice }): RtcpPacket[] => [
      recoveryNoticePacket(REPORT_SSRC, {
        kind: 'request',
        number: this.#requests++ & 0xffff,
        last: false,
        late: false,
        usefulFor: milliseconds(100),
        ...notice,
      }),
      {
        kind: 'nack',
        senderSsrc: REPORT_SSRC,
        mediaSsrc: MEDIA_SSRC,
        sequenceNumbers: places.map((place) => wireSequence((FIRST + place) & 0xffff)),
      },
    ]);
    return this.hear(ms, ...packets);
  }

  hear(ms: number, ...packets: readonly RtcpPacket[]): this {
    this.sender.handleDatagram(at(ms), serializeRtcp(packets));
    return this.drain(at(ms));
  }

  /** Sends a report whose echo gives a round trip of this many milliseconds. */
  drain(now: Instant): this {
    for (let datagram = this.sender.pollTransmit(now); datagram; datagram = this.sender.pollTransmit(now)) {
      if (classifyDatagram(datagram) !== 'rtp') {
        this.#hearNotices(datagram);
        continue;
      }
      expect(datagram.length).toBeLessThanOrEqual(SENDER_OPTIONS.datagramBytesMax);
      const packet = parseRtpPacket(datagram);
      if (!packet.ok) throw new Error(packet.malformed);
      const { ssrc } = packet.value;
      const kind = ssrc === RETRANSMISSION_SSRC ? 'again' : ssrc === REPAIR_SSRC ? 'repair' : 'media';
      this.sent.push({ kind, packet: packet.value, bytes: datagram.length });
    }
    return this;
  }

  #hearNotices(datagram: Uint8Array): void {
    const packets = parseRtcp(datagram);
    if (!packets.ok) throw new Error(packets.malformed);
    for (const packet of packets.value) {
      const notice = packet.kind === 'application' ? parseRecoveryNotice(packet) : undefined;
      if (notice?.ok && notice.value?.kind === 'sent') this.announced.push((notice.value.sequence - FIRST) & 0xffff);
    }
  }

  /** Datagrams other than media, in order: indices in the stream, or the window of a repair packet. */
  get beside(): string[] {
    return this.sent.flatMap(({ kind, packet }) => {
      if (kind === 'media') return [];
      if (kind === 'again') return [`${(packet.payload[0]! << 8) + packet.payload[1]! - FIRST}`];
      const repair = parseRepairPayload(packet.payload);
      if (!repair.ok) throw new Error(repair.malformed);
      const first = repair.value.firstSequence - FIRST;
      return [`${first}–${first + repair.value.windowPackets - 1}`];
    });
  }
}

describe('a request', () => {
  test('is answered once, however many copies of it arrive', () => {
    const desk = new Desk().earned(10);
    for (let copy = 0; copy < 4; copy++) desk.ask(400 + copy * 2, { packets: [5, 7], number: 9 });
    expect(desk.beside).toEqual(['5', '7']);
  });

  test('is not answered again within a round trip, unless it is the last one', () => {
    const desk = new Desk()
      .earned(10)
      .ask(400, { packets: [5] })
      .ask(405, { packets: [5] });
    expect(desk.beside).toEqual(['5']);
    desk.ask(407, { packets: [5], last: true });
    expect(desk.beside).toEqual(['5', '5']);
  });

  test('is not answered when the answer would arrive late', () => {
    const desk = new Desk().earned(10);
    const [report] = [{ ssrc: MEDIA_SSRC, fractionLost: 0, cumulativeLost: 0, highestSequence: 0, jitter: 0 }];
    // The echo of a report from 1,000 ms at 1,040 ms: a round trip of 40 ms.
    const lastSenderReport = 1 * 65_536;
    desk.hear(1_040, {
      kind: 'receiver-report',
      ssrc: REPORT_SSRC,
      reports: [{ ...report!, lastSenderReport, delaySinceLastSenderReport: 0 }],
    });
    expect(desk.sender.statistics.roundTrip).toBeGreaterThan(39_000);
    desk.ask(1_041, { packets: [5], usefulFor: milliseconds(30) });
    expect(desk.beside).toEqual([]);
    desk.ask(1_041, { packets: [5], usefulFor: milliseconds(42) });
    expect(desk.beside).toEqual(['5']);
  });

  test('that is the last is answered with repair packets, more of them for a key frame', () => {
    const desk = new Desk().frame(0, 10, 'key').frame(33, 10).earned(40).path(400, { loss: 0.05 });
    desk.ask(400, { packets: [12, 15], last: true });
    expect(desk.beside).toEqual(['12', '15', '12–15', '12–15']);
    desk.sent.length = 0;
    desk.ask(401, { packets: [3], last: true });
    expect(desk.beside).toEqual(['3', '3–3', '3–3']);
    desk.sent.length = 0;
    desk.ask(402, { packets: [14], last: false });
    expect(desk.beside).toEqual(['14']);
  });

  test('is answered for key frames first, then references, then discardable frames', () => {
    const desk = new Desk().frame(0, 2, 'discardable').frame(33, 2).frame(66, 2, 'key').earned(100);
    desk.ask(4_000, { packets: [1] }, { packets: [2] }, { packets: [5] });
    expect(desk.beside).toEqual(['5', '2', '1']);
  });
});

describe('the budget', () => {
  test('for discardable frames is used up before that for others', () => {
    // The advance is 8 kB, as much as is reserved for other frames; half of what 33 kB of media earn repays it.
    const desk = new Desk().frame(0, 10, 'discardable').frame(33, 10).frame(67, 10);
    desk.sent.length = 0;
    desk.ask(100, { packets: [11, 12, 13, 14] }, { packets: [1] });
    expect(desk.beside).toEqual(['11', '12', '13', '14']);
  });

  test('limits answers to any request, except for an advance that is repaid from half of the earnings', () => {
    const desk = new Desk({ redundancy: 0.25 });
    let number = 0;
    for (let frame = 0; frame < 60; frame++) {
      desk.frame(frame * 33, 10).path(frame * 33, { loss: 0.5, burst: 4, answerTime: milliseconds(200) });
      const packets = Array.from({ length: 10 }, (_, index) => frame * 10 + index);
      for (let round = 0; round < 5; round++) desk.ask(frame * 33 + round, { packets, last: true, number: number++ });
      const bytes = (kind: string) =>
        desk.sent.filter((one) => one.kind === kind).reduce((sum, one) => sum + one.bytes, 0);
      // The frame before the log has earned a few bytes, too.
      const advance = 20 + Math.max(0, 8_000 - (frame * 0.25 * 11_000) / 2);
      expect(bytes('again') + bytes('repair')).toBeLessThanOrEqual(0.25 * bytes('media') + advance);
      expect(bytes('again') + bytes('repair')).toBeGreaterThan(0.25 * bytes('media') - 15_000);
    }
  });
});

describe('forward repair', () => {
  const run = (path: Partial<PathNotice>, options: Partial<SenderOptions> = {}) => {
    const desk = new Desk(options).path(0, path);
    for (let frame = 0; frame < 60; frame++) desk.frame((frame * 100) / 3, 12);
    return desk;
  };

  test('covers frames before their deadline when no round trip fits, with about one packet per frame at 1 % loss', () => {
    const desk = run({ loss: 0.01, latency: milliseconds(100), answerTime: milliseconds(101) });
    const windows = desk.beside.slice(-20);
    // Three frames of twelve packets are in flight at a time, and the newest is always covered.
    for (const window of windows) {
      const [first, last] = window.split('–').map(Number);
      expect(last! - first! + 1).toBe(36);
      expect((last! + 1) % 12).toBe(0);
    }
    expect(desk.beside.length).toBeGreaterThan(50);
    expect(desk.beside.length).toBeLessThan(80);
  });

  test.each([
    ['there is time to ask', { loss: 0.01, latency: milliseconds(100), answerTime: milliseconds(60) }],
    ['nothing is lost', { loss: 0, latency: milliseconds(100), answerTime: milliseconds(101) }],
    ['the round trip is not known', { loss: 0.01, latency: milliseconds(100), answerTime: microseconds(0) }],
  ])('sends nothing where %s', (_, path) => {
    expect(run(path).beside).toEqual([]);
  });

  describe('behind a key frame of two groups, the second ten milliseconds after the first', () => {
    /** The rest of the frame can be requested; 28 packets leave in groups of sixteen and twelve. */
    const behind = (path: Partial<PathNotice>, importance: Importance = 'key') => {
      const desk = new Desk({ spreadMax: milliseconds(25) }).earned(40);
      desk
        .path(1_400, { loss: 0.02, answerTime: milliseconds(41), ...path })
        .frame(1_400, 28, importance)
        .drain(at(1_410));
      return { beside: desk.beside, announced: desk.announced, first: 400 };
    };

    test('covers it when its second group cannot be requested in time, in proportion to loss and worth', () => {
      const { beside, first } = behind({ latency: milliseconds(50) });
      const packets = Number(beside[0]!.split('–')[1]) - first + 1;
      expect(packets).toBeGreaterThan(24);
      expect(new Set(beside)).toEqual(new Set([`${first}–${first + packets - 1}`]));
      // One of thirteen is lost more than a fifth of the time, four of them once in a few thousand.
      expect(beside.length).toBeGreaterThanOrEqual(2);
      expect(beside.length).toBeLessThanOrEqual(4);
      expect(behind({ latency: milliseconds(50), loss: 0.1 }).beside.length).toBeGreaterThan(beside.length);
    });

    test('covers it when a bottleneck delays its last packets too long', () => {
      // At two milliseconds each, the last one passes 52 ms after the first left.
      expect(behind({ latency: milliseconds(85), spacing: milliseconds(2) }).beside.length).toBeGreaterThan(1);
      expect(behind({ latency: milliseconds(130), spacing: milliseconds(2) }).beside).toEqual([]);
    });

    test('is replaced by a notice of its end when detection would otherwise be too late', () => {
      const { beside, announced, first } = behind({ latency: milliseconds(60) });
      expect(beside).toEqual([]);
      expect(new Set(announced)).toEqual(new Set([first + 26]));
    });

    test('leaves it to a repair packet where there is one', () => {
      expect(behind({ latency: milliseconds(50) }).announced).toEqual([]);
    });

    test('is not sent when the loss of its end can be detected and requested, or nothing is lost', () => {
      expect(behind({ latency: milliseconds(85) })).toMatchObject({ beside: [], announced: [] });
      expect(behind({ latency: milliseconds(50), loss: 0 })).toMatchObject({ beside: [], announced: [] });
      expect(behind({ latency: milliseconds(50), answerTime: microseconds(0) }).beside).toEqual([]);
    });
  });

  test('of a fixed ratio covers each frame separately, whatever the path', () => {
    const desk = new Desk({ recovery: 'fec', redundancy: 0.25 }).frame(0, 12);
    for (let frame = 1; frame < 20; frame++) desk.frame(frame * 33, 12);
    expect(desk.beside.slice(0, 4)).toEqual(['0–11', '0–11', '0–11', '12–23']);
    expect(desk.beside).toHaveLength(60);
  });

  test('is not sent to a receiver without repair support', () => {
    const { repairSsrc: _, ...without } = SENDER_OPTIONS;
    const sender = new Sender({ ...without, recovery: 'hybrid' });
    sender.send(at(0), {
      parts: [new Uint8Array(9_000).fill(0x41)],
      timestamp: ticks(0),
      decodeTimestamp: ticks(0),
      importance: 'key',
    });
    let datagrams = 0;
    while (sender.pollTransmit(instant(seconds(1)))) datagrams++;
    expect(datagrams).toBe(sender.statistics.packets);
  });
});

describe('a request for packets too late to be shown', () => {
  test('is answered after those in time, whatever their importance', () => {
    const desk = new Desk().earned(10).frame(330, 2, 'key');
    const key = 100;
    desk.ask(400, { packets: [key], late: true }, { packets: [5] });
    expect(desk.beside).toEqual(['5', `${key}`]);
  });

  test('is answered at the start of a stream when answers in time have used up the budget', () => {
    const desk = new Desk().frame(0, 40, 'key');
    desk.sent.length = 0;
    desk.ask(50, { packets: Array.from({ length: 12 }, (_, index) => index) });
    const inTime = desk.beside.length;
    desk.ask(60, { packets: Array.from({ length: 12 }, (_, index) => index + 20), late: true });
    expect(inTime).toBeLessThan(12);
    expect(desk.beside.length - inTime).toBe(12);
  });

  test('for a frame other than a key frame overdraws the budget by a few packets only', () => {
    const desk = new Desk().frame(0, 40);
    desk.sent.length = 0;
    desk.ask(50, { packets: Array.from({ length: 12 }, (_, index) => index) });
    const inTime = desk.beside.length;
    desk.ask(60, { packets: Array.from({ length: 20 }, (_, index) => index + 12), late: true });
    expect(desk.beside.length - inTime).toBeGreaterThan(4);
    expect(desk.beside.length - inTime).toBeLessThan(12);
  });

  test('stays within the budget, however often it is repeated, and leaves a dozen packets for answers in time', () => {
    const desk = new Desk();
    for (let index = 0; index < 600; index++) {
      desk.frame(index * 33, 10);
      const places = Array.from({ length: 64 }, (_, place) => Math.max(0, index * 10 - 80 + place));
      desk.ask(index * 33 + 20, { packets: places, late: true });
    }
    const { bytes, lateBytes, retransmissionBytes, repairBytes } = desk.sender.statistics;
    expect(lateBytes).toBeGreaterThan(0.1 * bytes);
    expect(lateBytes).toBeLessThan(0.25 * bytes + 40_000);
    expect(retransmissionBytes + repairBytes).toBeLessThan(0.25 * bytes + 40_000);
  });

  test('is answered with a repair packet when the answer may be lost as well', () => {
    const desk = new Desk()
      .earned(20)
      .path(660, { loss: 0.1, answerTime: milliseconds(100) })
      .ask(700, { packets: [190], late: true });
    expect(desk.beside).toEqual(['190', '190–190', '190–190']);
  });
});
