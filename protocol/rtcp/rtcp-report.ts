import { readUint24, readUint32, writeUint24, writeUint32 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import type { CompactNtp, NtpTimestamp } from '../rtp/ntp.ts';
import { type WireTimestamp, wireTimestamp } from '../rtp/sequence.ts';
import { RTCP_HEADER_BYTES, RTCP_TYPE, type RtcpBlock, writeRtcpHeader } from './rtcp-block.ts';

/**
 * Sender report (RFC 3550 §6.4.1): the header, then
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                         SSRC of sender                        |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |              NTP timestamp, seconds                           |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |              NTP timestamp, fraction                          |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                         RTP timestamp                         |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                     sender's packet count                     |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                      sender's octet count                     |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                     report blocks ...                         |
 */
export interface SenderReport {
  readonly kind: 'sender-report';
  readonly ssrc: number;
  readonly ntp: NtpTimestamp;
  /** RTP timestamp of the instant `ntp`. */
  readonly rtpTimestamp: WireTimestamp;
  /** Packets sent since the start of the stream, modulo 2^32. */
  readonly packetCount: number;
  /** Payload bytes sent since the start of the stream, modulo 2^32. */
  readonly octetCount: number;
  /** At most 31. */
  readonly reports: readonly ReportBlock[];
}

/** Receiver report (RFC 3550 §6.4.2): the header, the receiver's SSRC and report blocks. */
export interface ReceiverReport {
  readonly kind: 'receiver-report';
  readonly ssrc: number;
  /** At most 31. */
  readonly reports: readonly ReportBlock[];
}

/**
 * Reception report block of one source (RFC 3550 §6.4.1):
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                         SSRC of the source                    |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    | fraction lost |       cumulative number of packets lost       |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |           extended highest sequence number received           |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                      interarrival jitter                      |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                         last SR (LSR)                         |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                   delay since last SR (DLSR)                  |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface ReportBlock {
  readonly ssrc: number;
  /** Share of the packets expected since the last report, in 1/256: 0…255. */
  readonly fractionLost: number;
  /** Packets lost since the start of the stream, minus duplicates; clamped to -2^23…2^23-1. */
  readonly cumulativeLost: number;
  /** Extended highest sequence number: cycles in the upper 16 bits, 0…2^32-1. */
  readonly highestSequence: number;
  /** Interarrival jitter in RTP clock ticks (RFC 3550 §A.8): 0…2^32-1. */
  readonly jitter: number;
  /** Timestamp of the last sender report received; 0 before the first. */
  readonly lastSenderReport: CompactNtp;
  readonly delaySinceLastSenderReport: CompactNtp;
}

const SENDER_INFORMATION_BYTES = 24;
const RECEIVER_INFORMATION_BYTES = 4;
const REPORT_BLOCK_BYTES = 24;
const CUMULATIVE_LOST_MAX = 0x7f_ffff;
const CUMULATIVE_LOST_MIN = -0x80_0000;

export function parseSenderReport({ count, bytes, bodyAt, bodyEnd }: RtcpBlock): Parsed<SenderReport> {
  if (bodyEnd - bodyAt < SENDER_INFORMATION_BYTES + count * REPORT_BLOCK_BYTES)
    return malformed('sender-report-truncated');
  return parsed({
    kind: 'sender-report',
    ssrc: readUint32(bytes, bodyAt),
    ntp: { seconds: readUint32(bytes, bodyAt + 4), fraction: readUint32(bytes, bodyAt + 8) },
    rtpTimestamp: wireTimestamp(readUint32(bytes, bodyAt + 12)),
    packetCount: readUint32(bytes, bodyAt + 16),
    octetCount: readUint32(bytes, bodyAt + 20),
    reports: readReportBlocks(bytes, bodyAt + SENDER_INFORMATION_BYTES, count),
  });
}

export function parseReceiverReport({ count, bytes, bodyAt, bodyEnd }: RtcpBlock): Parsed<ReceiverReport> {
  if (bodyEnd - bodyAt < RECEIVER_INFORMATION_BYTES + count * REPORT_BLOCK_BYTES)
    return malformed('receiver-report-truncated');
  return parsed({
    kind: 'receiver-report',
    ssrc: readUint32(bytes, bodyAt),
    reports: readReportBlocks(bytes, bodyAt + RECEIVER_INFORMATION_BYTES, count),
  });
}

/** Profile-specific extensions after the last block (RFC 3550 §6.4.3) are ignored; we define none. */
function readReportBlocks(bytes: Uint8Array, start: number, count: number): readonly ReportBlock[] {
  if (count === 0) return NO_REPORTS;
  const reports: ReportBlock[] = [];
  for (let index = 0, offset = start; index < count; index++, offset += REPORT_BLOCK_BYTES) {
    reports.push({
      ssrc: readUint32(bytes, offset),
      fractionLost: bytes[offset + 4]!,
      cumulativeLost: (readUint24(bytes, offset + 5) << 8) >> 8,
      highestSequence: readUint32(bytes, offset + 8),
      jitter: readUint32(bytes, offset + 12),
      lastSenderReport: readUint32(bytes, offset + 16),
      delaySinceLastSenderReport: readUint32(bytes, offset + 20),
    });
  }
  return reports;
}

const NO_REPORTS: readonly ReportBlock[] = [];

/** Size of the whole packet. */
export const senderReportBytes = ({ reports }: SenderReport): number =>
  RTCP_HEADER_BYTES + SENDER_INFORMATION_BYTES + reports.length * REPORT_BLOCK_BYTES;

/** Size of the whole packet. */
export const receiverReportBytes = ({ reports }: ReceiverReport): number =>
  RTCP_HEADER_BYTES + RECEIVER_INFORMATION_BYTES + reports.length * REPORT_BLOCK_BYTES;

export function writeSenderReport(target: Uint8Array, offset: number, report: SenderReport): void {
  const bodyBytes = senderReportBytes(report) - RTCP_HEADER_BYTES;
  const header = { count: report.reports.length, packetType: RTCP_TYPE.senderReport, bodyBytes };
  const body = writeRtcpHeader(target, offset, header);
  writeUint32(target, body, report.ssrc);
  writeUint32(target, body + 4, report.ntp.seconds);
  writeUint32(target, body + 8, report.ntp.fraction);
  writeUint32(target, body + 12, report.rtpTimestamp);
  writeUint32(target, body + 16, report.packetCount);
  writeUint32(target, body + 20, report.octetCount);
  writeReportBlocks(target, body + SENDER_INFORMATION_BYTES, report.reports);
}

export function writeReceiverReport(target: Uint8Array, offset: number, report: ReceiverReport): void {
  const bodyBytes = receiverReportBytes(report) - RTCP_HEADER_BYTES;
  const header = { count: report.reports.length, packetType: RTCP_TYPE.receiverReport, bodyBytes };
  const body = writeRtcpHeader(target, offset, header);
  writeUint32(target, body, report.ssrc);
  writeReportBlocks(target, body + RECEIVER_INFORMATION_BYTES, report.reports);
}

function writeReportBlocks(packet: Uint8Array, start: number, reports: readonly ReportBlock[]): void {
  let offset = start;
  for (const report of reports) {
    writeUint32(packet, offset, report.ssrc);
    packet[offset + 4] = report.fractionLost;
    writeUint24(
      packet,
      offset + 5,
      Math.min(Math.max(report.cumulativeLost, CUMULATIVE_LOST_MIN), CUMULATIVE_LOST_MAX),
    );
    writeUint32(packet, offset + 8, report.highestSequence);
    writeUint32(packet, offset + 12, report.jitter);
    writeUint32(packet, offset + 16, report.lastSenderReport);
    writeUint32(packet, offset + 20, report.delaySinceLastSenderReport);
    offset += REPORT_BLOCK_BYTES;
  }
}
