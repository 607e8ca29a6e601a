import { readUint16, readUint32, writeUint16, writeUint32 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import type { CompactNtp, NtpTimestamp } from '../rtp/ntp.ts';
import { RTCP_HEADER_BYTES, RTCP_TYPE, type RtcpBlock, writeRtcpHeader } from './rtcp-block.ts';

/**
 * Extended report (RFC 3611 §2): the header, the SSRC, then blocks, each of which begins (§3) with
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |  block type   |   reserved    |        length in words        |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * We use two block types. They let a receiver measure the round-trip time although it sends no sender reports.
 */
export interface ExtendedReport {
  readonly kind: 'extended-report';
  readonly ssrc: number;
  /** Blocks of other types are skipped. */
  readonly blocks: readonly ExtendedReportBlock[];
}

/** Block of an extended report. */
export type ExtendedReportBlock = ReceiverReferenceTime | DelaySinceLastReceiverReport;

/** Receiver reference time, block type 4 (RFC 3611 §4.4), two words: the receiver's 64-bit NTP timestamp. */
export interface ReceiverReferenceTime {
  readonly kind: 'receiver-reference-time';
  readonly ntp: NtpTimestamp;
}

/** DLRR, block type 5 (RFC 3611 §4.5), three words per receiver: SSRC, last RR timestamp, delay since then. */
export interface DelaySinceLastReceiverReport {
  readonly kind: 'delay-since-last-receiver-report';
  readonly reports: readonly {
    readonly ssrc: number;
    readonly lastReceiverReport: CompactNtp;
    readonly delay: CompactNtp;
  }[];
}

const RECEIVER_REFERENCE_TIME = 4;
const DELAY_SINCE_LAST_RECEIVER_REPORT = 5;
const BLOCK_HEADER_BYTES = 4;
const NTP_BYTES = 8;
const DELAY_REPORT_BYTES = 12;

export function parseExtendedReport({ bytes, bodyAt, bodyEnd }: RtcpBlock): Parsed<ExtendedReport> {
  const body = bytes.subarray(bodyAt, bodyEnd);
  if (body.length < 4) return malformed('extended-report-truncated');
  const blocks: ExtendedReportBlock[] = [];
  let offset = 4;
  while (offset < body.length) {
    const start = offset + BLOCK_HEADER_BYTES;
    const end = start + readUint16(body, offset + 2) * 4;
    if (end > body.length) return malformed('extended-report-truncated');
    const type = body[offset];
    if (type === RECEIVER_REFERENCE_TIME) {
      if (end - start !== NTP_BYTES) return malformed('receiver-reference-time-length');
      const ntp = { seconds: readUint32(body, start), fraction: readUint32(body, start + 4) };
      blocks.push({ kind: 'receiver-reference-time', ntp });
    } else if (type === DELAY_SINCE_LAST_RECEIVER_REPORT) {
      if ((end - start) % DELAY_REPORT_BYTES !== 0) return malformed('delay-since-last-receiver-report-length');
      blocks.push({ kind: 'delay-since-last-receiver-report', reports: readDelayReports(body.subarray(start, end)) });
    }
    offset = end;
  }
  return parsed({ kind: 'extended-report', ssrc: readUint32(body, 0), blocks });
}

function readDelayReports(bytes: Uint8Array): DelaySinceLastReceiverReport['reports'] {
  const reports = [];
  for (let offset = 0; offset < bytes.length; offset += DELAY_REPORT_BYTES) {
    reports.push({
      ssrc: readUint32(bytes, offset),
      lastReceiverReport: readUint32(bytes, offset + 4),
      delay: readUint32(bytes, offset + 8),
    });
  }
  return reports;
}

/** Size of the whole packet. */
export const extendedReportBytes = ({ blocks }: ExtendedReport): number =>
  blocks.reduce((bytes, block) => bytes + BLOCK_HEADER_BYTES + contentBytes(block), RTCP_HEADER_BYTES + 4);

/** @param target must be zeroed. */
export function writeExtendedReport(target: Uint8Array, offset: number, packet: ExtendedReport): void {
  const bodyBytes = extendedReportBytes(packet) - RTCP_HEADER_BYTES;
  const body = writeRtcpHeader(target, offset, { count: 0, packetType: RTCP_TYPE.extendedReport, bodyBytes });
  writeUint32(target, body, packet.ssrc);
  let at = body + 4;
  for (const block of packet.blocks) {
    writeBlock(target, at, block);
    at += BLOCK_HEADER_BYTES + contentBytes(block);
  }
}

const contentBytes = (block: ExtendedReportBlock): number =>
  block.kind === 'receiver-reference-time' ? NTP_BYTES : block.reports.length * DELAY_REPORT_BYTES;

function writeBlock(packet: Uint8Array, start: number, block: ExtendedReportBlock): void {
  writeUint16(packet, start + 2, contentBytes(block) / 4);
  let offset = start + BLOCK_HEADER_BYTES;
  switch (block.kind) {
    case 'receiver-reference-time':
      packet[start] = RECEIVER_REFERENCE_TIME;
      writeUint32(packet, offset, block.ntp.seconds);
      writeUint32(packet, offset + 4, block.ntp.fraction);
      return;
    case 'delay-since-last-receiver-report':
      packet[start] = DELAY_SINCE_LAST_RECEIVER_REPORT;
      for (const report of block.reports) {
        writeUint32(packet, offset, report.ssrc);
        writeUint32(packet, offset + 4, report.lastReceiverReport);
        writeUint32(packet, offset + 8, report.delay);
        offset += DELAY_REPORT_BYTES;
      }
      return;
    default:
      block satisfies never;
  }
}
