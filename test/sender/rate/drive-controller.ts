import { readUint32, writeUint32 } from '../../../protocol/base/big-endian.ts';
import { malformed, parsed } from '../../../protocol/base/parsed.ts';
import {
  amountIn,
  elapsed,
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
} from '../../../protocol/base/units.ts';
import type { EcnMark, PacketReport, RateController, SentPacket } from '../../../sender/rate/rate-controller.ts';
import { Link } from '../../../sim/link/link.ts';
import { parseLinkSpecification } from '../../../sim/link/link-parse.ts';

export interface DriveOptions {
  /** Links, as on the command line. */
  readonly forward: string;
  readonly back?: string;
  /** Content of the recording that the forward link names. */
  readonly trace?: string;
  readonly seconds: number;
  /** Bounds of the source, bits per second. */
  readonly bitrateMin?: number;
  readonly bitrateMax?: number;
  /** ECN mark of a packet that waited this long. */
  readonly mark?: (waited: Microseconds) => EcnMark;
  /** Feedback packets lost on the way back. */
  readonly losesFeedback?: (now: Instant) => boolean;
  /** Source without frames in these spans, seconds. */
  readonly pauses?: readonly (readonly [from: number, until: number])[];
}

/** State at an instant, each 100 ms. */
export interface DriveSample {
  readonly at: number;
  /** Bits per second. */
  readonly target: number;
  readonly sent: number;
  readonly delivered: number;
  /** Longest one-way delay in the interval, milliseconds; 0 when nothing arrived. */
  readonly delayMs: number;
  /** Bytes in the sender's queue. */
  readonly queued: number;
}

export interface DriveResult {
  readonly samples: readonly DriveSample[];
  readonly sentPackets: number;
  readonly lostPackets: number;
}

const TICK = milliseconds(1);
const FRAME = microseconds(33_333);
const SAMPLE = milliseconds(100);
const PACKET_BYTES = 1_200;
const PACKET_BYTES_MIN = 60;

/**
 * Drives a controller with a source that follows it, over simulated links, with a report at its interval: sender, path
 * and receiver in ticks of a millisecond, without recovery or play-out.
 */
export function driveController(controller: RateController, options: DriveOptions): DriveResult {
  const forward = linkOf(options.forward, 'forward', options.trace);
  const back = linkOf(options.back ?? 'delay=20ms', 'back');
  const sent: (SentPacket & { readonly sentAt: Instant })[] = [];
  const arrivedAt = new Map<number, Instant>();
  const reports: (readonly PacketReport[])[] = [];
  const queue: number[] = [];
  let queued = 0;
  let frameAt = instant(0);
  let credit = 0;
  let reportedTo = 0;
  let highest = -1;
  let reportAt: Instant | undefined;
  let roundTrip: number | undefined;
  let inFlight = 0;
  let lostPackets = 0;
  const samples: DriveSample[] = [];
  let window = { sent: 0, delivered: 0, delay: 0 };
  const isPaused = (now: Instant) =>
    (options.pauses ?? []).some(([from, until]) => now >= from * 1e6 && now < until * 1e6);

  for (let now = instant(0); now < options.seconds * 1e6; now = later(now, TICK)) {
    const timeout = controller.pollTimeout();
    if (timeout !== undefined && now >= timeout) controller.onTimeout(now);
    if (now >= frameAt) {
      const bitrate = Math.min(
        options.bitrateMax ?? 1e9,
        Math.max(options.bitrateMin ?? 20_000, (controller.target ?? 1e9) * 8),
      );
      if (!isPaused(now)) {
        let bytes = Math.max(PACKET_BYTES_MIN, Math.round(amountIn(FRAME, bitrate / 8)));
        controller.onOffered(now, bytes, queued);
        for (; bytes > 0; bytes -= PACKET_BYTES) {
          const size = Math.max(PACKET_BYTES_MIN, Math.min(PACKET_BYTES, bytes));
          queue.push(size);
          queued += size;
        }
      }
      frameAt = later(frameAt, FRAME);
    }
    credit = Math.min(PACKET_BYTES, credit + amountIn(TICK, controller.pacingRate ?? 1e9));
    while (queue.length > 0 && credit > 0 && (controller.windowBytes ?? 1) > 0) {
      const bytes = queue.shift()!;
      queued -= bytes;
      credit -= bytes;
      const packet: SentPacket = { number: sent.length, bytes, kind: 'media' };
      sent.push({ ...packet, sentAt: now });
      const datagram = new Uint8Array(bytes);
      writeUint32(datagram, 0, packet.number);
      controller.onPaced(now, microseconds(0));
      controller.onSent(now, packet);
      inFlight += bytes;
      window.sent += bytes;
      forward.send(now, datagram);
    }
    for (let datagram = forward.pollDelivery(now); datagram; datagram = forward.pollDelivery(now)) {
      const number = readUint32(datagram, 0);
      if (arrivedAt.has(number)) continue;
      arrivedAt.set(number, now);
      highest = Math.max(highest, number);
      reportAt ??= later(now, controller.feedbackInterval ?? milliseconds(1e9));
      window.delivered += datagram.length;
      window.delay = Math.max(window.delay, elapsed(sent[number]!.sentAt, now));
    }
    if (reportAt !== undefined && now >= reportAt && highest >= reportedTo) {
      reportAt = undefined;
      const packets: PacketReport[] = [];
      for (; reportedTo <= highest; reportedTo++) {
        const { sentAt, ...packet } = sent[reportedTo]!;
        const arrived = arrivedAt.get(reportedTo);
        const mark = arrived === undefined ? 'not-ect' : (options.mark?.(elapsed(sentAt, arrived)) ?? 'not-ect');
        packets.push({
          ...packet,
          sentAt,
          mark,
          arrivedAt: arrived === undefined ? undefined : microseconds(arrived + 5e6),
        });
        if (arrived === undefined) lostPackets++;
      }
      const datagram = new Uint8Array(60);
      writeUint32(datagram, 0, reports.length);
      reports.push(packets);
      if (!options.losesFeedback?.(now)) back.send(now, datagram);
    }
    for (let datagram = back.pollDelivery(now); datagram; datagram = back.pollDelivery(now)) {
      const packets = reports[readUint32(datagram, 0)]!;
      const newest = packets.findLast((packet) => packet.arrivedAt !== undefined);
      if (!newest) continue;
      const latest = elapsed(newest.sentAt, now);
      roundTrip = roundTrip === undefined ? latest : roundTrip + (latest - roundTrip) / 8;
      for (const { bytes } of packets) inFlight -= bytes;
      controller.onFeedback(now, {
        packets,
        bytesInFlight: inFlight,
        roundTrip: microseconds(roundTrip),
        roundTripLatest: latest,
      });
    }
    if ((now + TICK) % SAMPLE !== 0) continue;
    samples.push({
      at: (now + TICK) / 1e6,
      target: (controller.target ?? Number.POSITIVE_INFINITY) * 8,
      sent: (window.sent * 8e6) / SAMPLE,
      delivered: (window.delivered * 8e6) / SAMPLE,
      delayMs: window.delay / 1_000,
      queued,
    });
    window = { sent: 0, delivered: 0, delay: 0 };
  }
  return { samples, sentPackets: sent.length, lostPackets };
}

/** Mean of a figure over some of the samples. */
export function meanOf(
  { samples }: DriveResult,
  figure: Exclude<keyof DriveSample, 'at'>,
  from: number,
  until: number,
): number {
  const chosen = samples.filter(({ at }) => at > from && at <= until);
  return chosen.reduce((sum, sample) => sum + sample[figure], 0) / chosen.length;
}

function linkOf(text: string, direction: string, trace?: string): Link {
  const link = parseLinkSpecification(text, () => (trace === undefined ? malformed('no trace') : parsed(trace)));
  if (!link.ok) throw new Error(link.malformed);
  return new Link(link.value, direction);
}
