import { readUint16 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import {
  type CongestionControlFeedback,
  congestionControlFeedbackBytes,
  FEEDBACK_CONGESTION_CONTROL,
  parseCongestionControlFeedback,
  writeCongestionControlFeedback,
} from './congestion-control-feedback.ts';
import { type ApplicationPacket, applicationBytes, parseApplication, writeApplication } from './rtcp-application.ts';
import { RTCP_HEADER_BYTES, RTCP_TYPE, type RtcpBlock } from './rtcp-block.ts';
import {
  type ExtendedReport,
  extendedReportBytes,
  parseExtendedReport,
  writeExtendedReport,
} from './rtcp-extended-report.ts';
import {
  FEEDBACK_NACK,
  FEEDBACK_PICTURE_LOSS,
  type Nack,
  nackBytes,
  PICTURE_LOSS_INDICATION_BYTES,
  type PictureLossIndication,
  parseNack,
  parsePictureLossIndication,
  writeNack,
  writePictureLossIndication,
} from './rtcp-feedback.ts';
import {
  FEEDBACK_FULL_INTRA,
  type FullIntraRequest,
  fullIntraRequestBytes,
  parseFullIntraRequest,
  writeFullIntraRequest,
} from './rtcp-full-intra.ts';
import { type Goodbye, goodbyeBytes, parseGoodbye, writeGoodbye } from './rtcp-goodbye.ts';
import {
  parseReceiverReport,
  parseSenderReport,
  type ReceiverReport,
  receiverReportBytes,
  type SenderReport,
  senderReportBytes,
  writeReceiverReport,
  writeSenderReport,
} from './rtcp-report.ts';
import {
  parseSourceDescription,
  type SourceDescription,
  sourceDescriptionBytes,
  writeSourceDescription,
} from './rtcp-source-description.ts';

export type { CongestionControlFeedback, StreamArrivals } from './congestion-control-feedback.ts';
export type { ApplicationPacket } from './rtcp-application.ts';
export type { ExtendedReport, ExtendedReportBlock } from './rtcp-extended-report.ts';
export type { Nack, PictureLossIndication } from './rtcp-feedback.ts';
export type { FullIntraCommand, FullIntraRequest } from './rtcp-full-intra.ts';
export type { Goodbye } from './rtcp-goodbye.ts';
export type { ReceiverReport, ReportBlock, SenderReport } from './rtcp-report.ts';
export type { SourceDescription, SourceDescriptionChunk } from './rtcp-source-description.ts';

/**
 * RTCP packets that we send or parse. `unknown`: a well-formed packet of a type or feedback message type that we do not
 * use; received only.
 */
export type RtcpPacket =
  | SenderReport
  | ReceiverReport
  | SourceDescription
  | Goodbye
  | ApplicationPacket
  | Nack
  | PictureLossIndication
  | FullIntraRequest
  | CongestionControlFeedback
  | ExtendedReport
  | { readonly kind: 'unknown'; readonly packetType: number };

/**
 * Parses the packets of a datagram: a compound (RFC 3550 §6.1) or a reduced-size one (RFC 5506), which may begin with
 * any packet. Packet lengths must add up to the datagram's (RFC 3550 §A.2), and only the last packet may be padded. One
 * malformed packet rejects the whole datagram, because its length field cannot be trusted.
 */
export function parseRtcp(datagram: Uint8Array): Parsed<readonly RtcpPacket[]> {
  if (datagram.length === 0) return malformed('empty');
  const packets: RtcpPacket[] = [];
  let offset = 0;
  while (offset < datagram.length) {
    if (packets.length === COMPOUND_PACKETS_MAX) return malformed('too-many-packets');
    const start = offset + RTCP_HEADER_BYTES;
    if (start > datagram.length) return malformed('too-short');
    const first = datagram[offset]!;
    if (first >> 6 !== 2) return malformed('version');
    let end = start + readUint16(datagram, offset + 2) * 4;
    if (end > datagram.length) return malformed('length-beyond-datagram');
    const next = end;
    if ((first & 0x20) !== 0) {
      if (next !== datagram.length) return malformed('padding-before-last');
      const padding = datagram[next - 1]!;
      if (padding === 0 || padding % 4 !== 0) return malformed('padding-count');
      end -= padding;
      if (end < start) return malformed('padding-beyond-body');
    }
    const packetType = datagram[offset + 1]!;
    const packet = parsePacket({ count: first & 0x1f, packetType, bytes: datagram, bodyAt: start, bodyEnd: end });
    if (!packet.ok) return packet;
    packets.push(packet.value);
    offset = next;
  }
  return parsed(packets);
}

function parsePacket(block: RtcpBlock): Parsed<RtcpPacket> {
  switch (block.packetType) {
    case RTCP_TYPE.senderReport:
      return parseSenderReport(block);
    case RTCP_TYPE.receiverReport:
      return parseReceiverReport(block);
    case RTCP_TYPE.sourceDescription:
      return parseSourceDescription(block);
    case RTCP_TYPE.goodbye:
      return parseGoodbye(block);
    case RTCP_TYPE.application:
      return parseApplication(block);
    case RTCP_TYPE.transportFeedback:
      if (block.count === FEEDBACK_CONGESTION_CONTROL) return parseCongestionControlFeedback(block);
      return block.count === FEEDBACK_NACK ? parseNack(block) : unknown(block);
    case RTCP_TYPE.payloadFeedback:
      if (block.count === FEEDBACK_FULL_INTRA) return parseFullIntraRequest(block);
      return block.count === FEEDBACK_PICTURE_LOSS ? parsePictureLossIndication(block) : unknown(block);
    case RTCP_TYPE.extendedReport:
      return parseExtendedReport(block);
    default:
      return unknown(block);
  }
}

const unknown = ({ packetType }: RtcpBlock): Parsed<RtcpPacket> => parsed({ kind: 'unknown', packetType });

/**
 * Limits the objects made from one datagram; our compounds hold at most five packets. Bare headers would otherwise
 * allocate forty times the datagram's size.
 */
const COMPOUND_PACKETS_MAX = 64;

/** Serializes the packets into one datagram, in order. The caller puts a report first in a compound (RFC 3550 §6.1). */
export function serializeRtcp(packets: readonly RtcpPacket[]): Uint8Array {
  let bytes = 0;
  for (const packet of packets) bytes += packetBytes(packet);
  const datagram = new Uint8Array(bytes);
  let offset = 0;
  for (const packet of packets) {
    writePacket(datagram, offset, packet);
    offset += packetBytes(packet);
  }
  return datagram;
}

function packetBytes(packet: RtcpPacket): number {
  switch (packet.kind) {
    case 'sender-report':
      return senderReportBytes(packet);
    case 'receiver-report':
      return receiverReportBytes(packet);
    case 'source-description':
      return sourceDescriptionBytes(packet);
    case 'goodbye':
      return goodbyeBytes(packet);
    case 'application':
      return applicationBytes(packet);
    case 'nack':
      return nackBytes(packet);
    case 'picture-loss-indication':
      return PICTURE_LOSS_INDICATION_BYTES;
    case 'full-intra-request':
      return fullIntraRequestBytes(packet);
    case 'congestion-control-feedback':
      return congestionControlFeedbackBytes(packet);
    case 'extended-report':
      return extendedReportBytes(packet);
    case 'unknown':
      throw new Error('invariant broken: unknown RTCP packets cannot be serialized');
    default:
      return packet satisfies never;
  }
}

function writePacket(target: Uint8Array, offset: number, packet: RtcpPacket): void {
  switch (packet.kind) {
    case 'sender-report':
      return writeSenderReport(target, offset, packet);
    case 'receiver-report':
      return writeReceiverReport(target, offset, packet);
    case 'source-description':
      return writeSourceDescription(target, offset, packet);
    case 'goodbye':
      return writeGoodbye(target, offset, packet);
    case 'application':
      return writeApplication(target, offset, packet);
    case 'nack':
      return writeNack(target, offset, packet);
    case 'picture-loss-indication':
      return writePictureLossIndication(target, offset, packet);
    case 'full-intra-request':
      return writeFullIntraRequest(target, offset, packet);
    case 'congestion-control-feedback':
      return writeCongestionControlFeedback(target, offset, packet);
    case 'extended-report':
      return writeExtendedReport(target, offset, packet);
    case 'unknown':
      return;
    default:
      packet satisfies never;
  }
}
