import { readUint24, readUint32, writeUint24, writeUint32 } from './big-endian.ts';
import type { CompactNtp, NtpTimestamp } from './ntp.ts';
import { malformed, type Parsed, parsed } from './parsed.ts';
import { newRtcpPacket, RTCP_HEADER_BYTES, RTCP_TYPE, type RtcpBlock } from './rtcp-block.ts';
import type { WireTimestamp } from './sequence.ts';

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
  /** The same instant as `ntp`, on the media clock. */
  readonly rtpTimestamp: WireTimestamp;
  /** Since the stream began, modulo 2^32. */
  readonly packetCount: number;
  /** Payload bytes since the stream began, modulo 2^32. */
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
 * How one source is received (RFC 3550 §6.4.1):
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
  /** Of the packets expected since the last report, in 1/256: 0…255. */
  readonly fractionLost: number;
  /** Since the stream began, less duplicates: -2^23…2^23-1; what is beyond is sent as the limit. */
  readonly cumulativeLost: number;
  /** Roll-overs in the upper sixteen bits, the sequence number in the lower: 0…2^32-1. */
  readonly highestSequence: number;
  /** RTP clock ticks (RFC 3550 §A.8): 0…2^32-1. */
  readonly jitter: number;
  /** Of the last sender report seen; 0: none yet. */
  readonly lastSenderReport: CompactNtp;
  readonly delaySinceLastSenderReport: CompactNtp;
}

const SENDER_INFORMATION_BYTES = 24;
const RECEIVER_INFORMATION_BYTES = 4;
const REPORT_BLOCK_BYTES = 24;
const CUMULATIVE_LOST_MAX = 0x7f_ffff;
const CUMULATIVE_LOST_MIN = -0x80_0000;

export function parseSenderReport({ count, body }: RtcpBlock): Parsed<SenderReport> {
  if (body.length < SENDER_INFORMATION_BYTES + count * REPORT_BLOCK_BYTES) return malformed('sender-report-cut');
  return parsed({
    kind: 'sender-report',
    ssrc: readUint32(body, 0),
    ntp: { seconds: readUint32(body, 4), fraction: readUint32(body, 8) },
    rtpTimestamp: readUint32(body, 12),
    packetCount: readUint32(body, 16),
    octetCount: readUint32(body, 20),
    reports: readReportBlocks(body, SENDER_INFORMATION_BYTES, count),
  });
}

export function parseReceiverReport({ count, body }: RtcpBlock): Parsed<ReceiverReport> {
  if (body.length < RECEIVER_INFORMATION_BYTES + count * REPORT_BLOCK_BYTES) return malformed('receiver-report-cut');
  return parsed({
    kind: 'receiver-report',
    ssrc: readUint32(body, 0),
    reports: readReportBlocks(body, RECEIVER_INFORMATION_BYTES, count),
  });
}

/** What follows the last block is a profile's extension (RFC 3550 §6.4.3) and none of ours. */
function readReportBlocks(body: Uint8Array, start: number, count: number): ReportBlock[] {
  const reports: ReportBlock[] = [];
  for (let index = 0, offset = start; index < count; index++, offset += REPORT_BLOCK_BYTES) {
    reports.push({
      ssrc: readUint32(body, offset),
      fractionLost: body[offset + 4]!,
      cumulativeLost: (readUint24(body, offset + 5) << 8) >> 8,
      highestSequence: readUint32(body, offset + 8),
      jitter: readUint32(body, offset + 12),
      lastSenderReport: readUint32(body, offset + 16),
      delaySinceLastSenderReport: readUint32(body, offset + 20),
    });
  }
  return reports;
}

export function serializeSenderReport(report: SenderReport): Uint8Array {
  const bodyBytes = SENDER_INFORMATION_BYTES + report.reports.length * REPORT_BLOCK_BYTES;
  const packet = newRtcpPacket(report.reports.length, RTCP_TYPE.senderReport, bodyBytes);
  writeUint32(packet, 4, report.ssrc);
  writeUint32(packet, 8, report.ntp.seconds);
  writeUint32(packet, 12, report.ntp.fraction);
  writeUint32(packet, 16, report.rtpTimestamp);
  writeUint32(packet, 20, report.packetCount);
  writeUint32(packet, 24, report.octetCount);
  writeReportBlocks(packet, RTCP_HEADER_BYTES + SENDER_INFORMATION_BYTES, report.reports);
  return packet;
}

export function serializeReceiverReport(report: ReceiverReport): Uint8Array {
  const bodyBytes = RECEIVER_INFORMATION_BYTES + report.reports.length * REPORT_BLOCK_BYTES;
  const packet = newRtcpPacket(report.reports.length, RTCP_TYPE.receiverReport, bodyBytes);
  writeUint32(packet, 4, report.ssrc);
  writeReportBlocks(packet, RTCP_HEADER_BYTES + RECEIVER_INFORMATION_BYTES, report.reports);
  return packet;
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
