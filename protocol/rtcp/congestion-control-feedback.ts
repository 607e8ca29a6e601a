import { assert } from '../base/assert.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { type Microseconds, microseconds, SECOND } from '../base/units.ts';
import { type WireSequence, wireSequence } from '../rtp/sequence.ts';
import { RTCP_HEADER_BYTES, RTCP_TYPE, type RtcpBlock, wholeWords, writeRtcpHeader } from './rtcp-block.ts';

/**
 * Congestion control feedback (RFC 8888 §3.1): the header with feedback message type 11, then
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                 SSRC of RTCP packet sender                    |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                   SSRC of 1st RTP stream                      |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |          begin_seq            |          num_reports          |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |R|ECN|  arrival time offset    | ...                           |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    .                  more RTP streams in the same form            .
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                        Report timestamp                       |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * A stream with an odd number of reports is padded with sixteen zero bits. The report timestamp is the middle 32 bits
 * of the receiver's NTP time, 1/65536 s; an arrival time offset counts back from it in 1/1024 s.
 */
export interface CongestionControlFeedback {
  readonly kind: 'congestion-control-feedback';
  readonly senderSsrc: number;
  /** One entry per RTP stream; an SSRC occurs once. */
  readonly streams: readonly StreamArrivals[];
  /** Time of the report on the receiver's clock, 1/65536 s; wraps after 18 hours. */
  readonly reportTimestamp: number;
}

/** Arrivals of consecutive packets of one RTP stream. */
export interface StreamArrivals {
  readonly ssrc: number;
  /** Sequence number of the first packet reported. */
  readonly beginSequence: WireSequence;
  /** One value per packet; the bits of a packet metric block, to be read with `reportedArrival`. At most 16,384. */
  readonly reports: Uint16Array;
}

/** Explicit congestion notification field of a received packet (RFC 3168 §5): its two bits. */
export const ECN = { notCapable: 0, capable1: 1, capable0: 2, congestionExperienced: 3 } as const;

/** Content of one packet metric block. */
export interface ReportedArrival {
  /** Time from the arrival to the report; `undefined` when out of range or unknown. */
  readonly before: Microseconds | undefined;
  /** ECN bits of the IP header, 0 … 3. */
  readonly ecn: number;
}

/** Feedback message type. */
export const FEEDBACK_CONGESTION_CONTROL = 11;

const SSRC_BYTES = 4;
const STREAM_HEADER_BYTES = 8;
const REPORT_BYTES = 2;
const TIMESTAMP_BYTES = 4;
/** RFC 8888 §3.1: larger counts are ambiguous when the sequence wraps. */
export const REPORTS_MAX = 16_384;
const RECEIVED = 0x8000;
const ECN_SHIFT = 13;
const OFFSET_MASK = 0x1fff;
/** Largest offset; the two values above it mean that the offset is out of range, or unknown. */
const OFFSET_MAX = 0x1ffd;
const OFFSET_OUT_OF_RANGE = 0x1ffe;
const OFFSETS_PER_SECOND = 1_024;

/** A packet metric block of a packet that was not received. */
export const NOT_RECEIVED = 0;

/** Returns the packet metric block of a received packet. @param before time from its arrival to the report. */
export function packetMetricBlock({ before, ecn }: { readonly before: Microseconds; readonly ecn: number }): number {
  assert(before >= 0, 'the arrival time must not be after the report');
  const offset = Math.round((before * OFFSETS_PER_SECOND) / SECOND);
  return RECEIVED | ((ecn & 3) << ECN_SHIFT) | (offset > OFFSET_MAX ? OFFSET_OUT_OF_RANGE : offset);
}

/** Reads a packet metric block; `undefined` when the packet was not received. */
export function reportedArrival(block: number): ReportedArrival | undefined {
  if ((block & RECEIVED) === 0) return undefined;
  const offset = block & OFFSET_MASK;
  const before = offset > OFFSET_MAX ? undefined : microseconds(Math.round((offset * SECOND) / OFFSETS_PER_SECOND));
  return { before, ecn: (block >> ECN_SHIFT) & 3 };
}

export function parseCongestionControlFeedback(block: RtcpBlock): Parsed<CongestionControlFeedback> {
  const { bytes, bodyAt, bodyEnd } = block;
  const end = bodyEnd - TIMESTAMP_BYTES;
  let offset = bodyAt + SSRC_BYTES;
  if (end < offset) return malformed('congestion-control-feedback-truncated');
  const streams: StreamArrivals[] = [];
  while (offset < end) {
    if (end - offset < STREAM_HEADER_BYTES) return malformed('congestion-control-feedback-stream-truncated');
    const ssrc = readUint32(bytes, offset);
    const count = readUint16(bytes, offset + 6);
    if (count > REPORTS_MAX) return malformed('congestion-control-feedback-count');
    const next = offset + STREAM_HEADER_BYTES + wholeWords(count * REPORT_BYTES);
    if (next > end) return malformed('congestion-control-feedback-reports-truncated');
    if (streams.some((stream) => stream.ssrc === ssrc)) return malformed('congestion-control-feedback-stream-twice');
    if (streams.length === STREAMS_MAX) return malformed('congestion-control-feedback-streams');
    const reports = new Uint16Array(count);
    for (let index = 0; index < count; index++) {
      reports[index] = readUint16(bytes, offset + STREAM_HEADER_BYTES + index * REPORT_BYTES);
    }
    streams.push({ ssrc, beginSequence: wireSequence(readUint16(bytes, offset + 4)), reports });
    offset = next;
  }
  return parsed({
    kind: 'congestion-control-feedback',
    senderSsrc: readUint32(bytes, bodyAt),
    streams,
    reportTimestamp: readUint32(bytes, end),
  });
}

/** Limits the search for repeated SSRCs; our streams have three. */
const STREAMS_MAX = 16;

/** Size of the whole packet. */
export function congestionControlFeedbackBytes({ streams }: CongestionControlFeedback): number {
  let bytes = RTCP_HEADER_BYTES + SSRC_BYTES + TIMESTAMP_BYTES;
  for (const { reports } of streams) bytes += STREAM_HEADER_BYTES + wholeWords(reports.length * REPORT_BYTES);
  return bytes;
}

export function writeCongestionControlFeedback(
  target: Uint8Array,
  offset: number,
  feedback: CongestionControlFeedback,
): void {
  const bodyBytes = congestionControlFeedbackBytes(feedback) - RTCP_HEADER_BYTES;
  const header = { count: FEEDBACK_CONGESTION_CONTROL, packetType: RTCP_TYPE.transportFeedback, bodyBytes };
  const body = writeRtcpHeader(target, offset, header);
  writeUint32(target, body, feedback.senderSsrc);
  let at = body + SSRC_BYTES;
  for (const { ssrc, beginSequence, reports } of feedback.streams) {
    assert(reports.length <= REPORTS_MAX, 'the number of reports of a stream must not exceed the limit');
    writeUint32(target, at, ssrc);
    writeUint16(target, at + 4, beginSequence);
    writeUint16(target, at + 6, reports.length);
    at += STREAM_HEADER_BYTES;
    for (const [index, report] of reports.entries()) writeUint16(target, at + index * REPORT_BYTES, report);
    at += wholeWords(reports.length * REPORT_BYTES);
  }
  writeUint32(target, at, feedback.reportTimestamp);
}
