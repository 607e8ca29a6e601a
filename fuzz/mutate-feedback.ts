import { FEEDBACK_CONGESTION_CONTROL } from '../protocol/rtcp/congestion-control-feedback.ts';
import { parseRtcp, serializeRtcp } from '../protocol/rtcp/rtcp.ts';
import { type WireSequence, wireSequence } from '../protocol/rtp/sequence.ts';
import type { Chance } from './chance.ts';
import { mutateDatagram } from './mutate-datagram.ts';

const FEEDBACK_TYPE = 205;
/** Packet metric blocks: lost, received now, received eight seconds ago, marked, of an unknown time. */
const BLOCKS = [0, 0x8000, 0x9ffd, 0xe000, 0xe100, 0x9ffe, 0x9fff] as const;
/** 1/65536 s: a millisecond, a second and an hour, both ways, and half of the range. */
const CLOCK_STEPS = [65, -65, 65_536, -65_536, 3_600 * 65_536, -3_600 * 65_536, 0x8000_0000] as const;
const REPORTS_MAX = 600;

/** Changes a report on single packets (RFC 8888) into one that a receiver could have written, and any other datagram. */
export function mutateFeedback(datagram: Uint8Array, chance: Chance): Uint8Array {
  const isFeedback = datagram[1] === FEEDBACK_TYPE && (datagram[0]! & 31) === FEEDBACK_CONGESTION_CONTROL;
  const read = isFeedback && !chance.oneIn(3) ? parseRtcp(datagram) : undefined;
  const [packet] = read?.ok ? read.value : [];
  if (packet?.kind !== 'congestion-control-feedback') return mutateDatagram(datagram, chance);
  const { reportTimestamp } = packet;
  const streams = packet.streams.map((stream) => ({ ...stream, reports: stream.reports.slice() }));
  const stream = streams.length > 0 ? chance.of(streams) : undefined;
  switch (chance.below(5)) {
    case 0:
      return serializeRtcp([{ ...packet, reportTimestamp: (reportTimestamp + chance.of(CLOCK_STEPS)) >>> 0 }]);
    case 1:
      stream?.reports.fill(chance.of(BLOCKS));
      return serializeRtcp([{ ...packet, streams }]);
    case 2:
      if (stream && stream.reports.length > 0) stream.reports[chance.below(stream.reports.length)] = chance.of(BLOCKS);
      return serializeRtcp([{ ...packet, streams }]);
    case 3: {
      const step = chance.of([1, -1, 16, -16, 0x8000]);
      const moved = (sequence: WireSequence): WireSequence => wireSequence((sequence + step) & 0xffff);
      const elsewhere = streams.map((each) => ({ ...each, beginSequence: moved(each.beginSequence) }));
      return serializeRtcp([{ ...packet, streams: elsewhere }]);
    }
    default: {
      const reports = new Uint16Array(chance.below(REPORTS_MAX)).fill(chance.of(BLOCKS));
      return serializeRtcp([{ ...packet, streams: streams.map((each) => ({ ...each, reports })) }]);
    }
  }
}
