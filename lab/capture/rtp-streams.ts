import { readUint16, readUint32 } from '../../protocol/base/big-endian.ts';
import { type Plain, ticks } from '../../protocol/base/units.ts';
import { type CapturedPacket, CaptureParser } from '../../protocol/capture/capture-parser.ts';
import { type CapturedDatagram, capturedDatagram, type NotADatagram } from '../../protocol/capture/captured-udp.ts';
import { parseRtcp, type ReportBlock } from '../../protocol/rtcp/rtcp.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';
import { compactNtp, compactNtpToMicroseconds } from '../../protocol/rtp/ntp.ts';
import { asSequence, extend, extendTimestamp, wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { GrowingColumn } from './growing-column.ts';
import { splitSegments } from './segments.ts';

/** A report about a stream by its receiver, with the time of its capture. */
export interface CapturedReport extends ReportBlock {
  readonly atUs: number;
}

/** The packets of one SSRC at one interface in the order of capture. */
export interface RtpStream {
  readonly ssrc: number;
  readonly payloadType: number;
  /** Interface of the capture: a file with several can hold both ends of a path, on one clock. */
  readonly interfaceIndex: number;
  /** Addresses and ports of its first packet; others when the path changed them. */
  readonly flow: string;
  /** Time of capture, microseconds since 1970. */
  readonly at: Float64Array;
  /** Extended sequence numbers. */
  readonly sequence: Float64Array;
  /** Extended RTP timestamps, ticks. */
  readonly timestamp: Float64Array;
  /** IP packets, bytes. */
  readonly bytes: Float64Array;
  /** Sequence numbers that the receiver asked for again, with the time of the first request. */
  readonly requested: ReadonlyMap<number, number>;
  readonly reports: readonly CapturedReport[];
  /** Round-trip times from the place of capture to the receiver and back (RFC 3550 §6.4.1), microseconds. */
  readonly roundTrips: readonly number[];
  /** Sequence numbers that jumped, as after a restart of the sender. */
  readonly restarts: number;
}

/** Contents of a capture. */
export interface CaptureContents {
  readonly packets: number;
  readonly datagrams: number;
  readonly rtpPackets: number;
  readonly rtcpPackets: number;
  /** Packets that are no readable datagrams, by reason. */
  readonly skipped: Readonly<Partial<Record<NotADatagram, number>>>;
  /** Packets of which less was captured than was sent. */
  readonly truncated: number;
  /** Datagrams that held several RTP packets, as before segmentation offload. */
  readonly joined: number;
  /** Datagrams of RTP that fit no Ethernet frame and were cut, so that packets within them are not found. */
  readonly longAndCut: number;
  /** RTP packets beyond the limit, which were not read. */
  readonly beyondLimit: boolean;
  /** True when the file ends within a packet. */
  readonly cutShort: boolean;
  /** Streams with the most packets first. */
  readonly streams: readonly RtpStream[];
}

/** Packets that are kept: 32 bytes each. */
const PACKETS_MAX = 5_000_000;
/** A datagram that begins like RTP by chance has a source of its own; more sources than this are not kept. */
const STREAMS_MAX = 4_096;
/** Streams with fewer packets are taken for datagrams that begin like RTP by chance. */
const STREAM_PACKETS_MIN = 10;
/** RFC 3550 §A.1: a larger jump is a restart of the sender. */
export const JUMP_MAX = 3_000;
/** Requests of all streams together. */
const REQUESTS_MAX = 1_000_000;
const REPORTS_MAX = 100_000;

/** Longest IP packet of Ethernet. */
const ETHERNET_BYTES = 1_500;

/** Streams are told apart by source and interface. */
const keyOf = (ssrc: number, interfaceIndex: number): number => interfaceIndex * 2 ** 32 + ssrc;

class StreamCollector {
  readonly ssrc: number;
  readonly payloadType: number;
  readonly interfaceIndex: number;
  readonly flow: string;
  readonly at = new GrowingColumn();
  readonly sequence = new GrowingColumn();
  readonly timestamp = new GrowingColumn();
  readonly bytes = new GrowingColumn();
  readonly requested = new Map<number, number>();
  readonly reports: CapturedReport[] = [];
  readonly roundTrips: number[] = [];
  restarts = 0;
  #highest: number | undefined;
  #ticks = 0;
  #senderReports = new Map<number, number>();
  #candidate = -1;

  constructor(of: Pick<RtpStream, 'ssrc' | 'payloadType' | 'interfaceIndex' | 'flow'>) {
    this.ssrc = of.ssrc;
    this.payloadType = of.payloadType;
    this.interfaceIndex = of.interfaceIndex;
    this.flow = of.flow;
  }

  add(atUs: number, number: number, timestamp: number, bytes: number): void {
    let sequence = this.#highest === undefined ? number : this.#extended(number);
    if (this.#highest !== undefined && Math.abs(sequence - this.#highest) > JUMP_MAX) {
      // As in RFC 3550 §A.1, two packets in a row make a restart; a single one is a stray.
      if (number !== this.#candidate) {
        this.#candidate = (number + 1) & 0xffff;
        return;
      }
      this.restarts++;
      sequence = this.#highest + JUMP_MAX * 2;
      sequence += (number - sequence) & 0xffff;
    }
    this.#candidate = -1;
    this.#ticks =
      this.#highest === undefined
        ? timestamp
        : extendTimestamp(wireTimestamp(timestamp as Plain), ticks(this.#ticks as Plain));
    if (this.#highest === undefined || sequence > this.#highest) this.#highest = sequence;
    this.at.push(atUs);
    this.sequence.push(sequence);
    this.timestamp.push(this.#ticks);
    this.bytes.push(bytes);
  }

  /** @param room requests that are kept at most. @returns how many were */
  request(atUs: number, numbers: readonly number[], room: number): number {
    if (this.#highest === undefined) return 0;
    const before = this.requested.size;
    for (const number of numbers) {
      const sequence = this.#extended(number);
      if (this.requested.size < before + room && !this.requested.has(sequence)) this.requested.set(sequence, atUs);
    }
    return this.requested.size - before;
  }

  senderReport(atUs: number, compact: number): void {
    this.#senderReports.set(compact, atUs);
    if (this.#senderReports.size > 64) this.#senderReports.delete(this.#senderReports.keys().next().value!);
  }

  report(report: CapturedReport): void {
    if (this.reports.length < REPORTS_MAX) this.reports.push(report);
    const sentAt = this.#senderReports.get(report.lastSenderReport);
    if (sentAt === undefined || this.roundTrips.length >= REPORTS_MAX) return;
    const way = report.atUs - sentAt - compactNtpToMicroseconds(report.delaySinceLastSenderReport);
    // The delay at the receiver is rounded to 1/65536 s.
    if (way > -100) this.roundTrips.push(Math.max(0, way));
  }

  #extended(number: number): number {
    return extend(wireSequence(number as Plain), asSequence(this.#highest! as Plain));
  }
}

/** Collects the RTP streams of a capture from its bytes. */
export class CaptureReader {
  readonly #parser = new CaptureParser();
  readonly #streams = new Map<number, StreamCollector>();
  #packets = 0;
  #datagrams = 0;
  #rtpPackets = 0;
  #rtcpPackets = 0;
  #truncated = 0;
  #joined = 0;
  #longAndCut = 0;
  #kept = 0;
  #requests = 0;
  readonly #skipped: Partial<Record<NotADatagram, number>> = {};

  /** Reads a chunk of the file. @returns what is malformed, or `undefined`. */
  push(chunk: Uint8Array): string | undefined {
    this.#parser.push(chunk);
    for (;;) {
      const packet = this.#parser.next();
      if (!packet.ok) return packet.malformed;
      if (!packet.value) return undefined;
      this.#take(packet.value);
    }
  }

  /** True once no further packet is kept, so that reading can end. */
  get isFull(): boolean {
    return this.#kept >= PACKETS_MAX;
  }

  get contents(): CaptureContents {
    const streams = [...this.#streams.values()]
      .filter(({ at }) => at.length >= STREAM_PACKETS_MIN)
      .sort((one, other) => other.at.length - one.at.length)
      .map(
        (stream): RtpStream => ({
          ssrc: stream.ssrc,
          payloadType: stream.payloadType,
          interfaceIndex: stream.interfaceIndex,
          flow: stream.flow,
          requested: stream.requested,
          reports: stream.reports,
          roundTrips: stream.roundTrips,
          restarts: stream.restarts,
          at: stream.at.values(),
          sequence: stream.sequence.values(),
          timestamp: stream.timestamp.values(),
          bytes: stream.bytes.values(),
        }),
      );
    return {
      packets: this.#packets,
      datagrams: this.#datagrams,
      rtpPackets: this.#rtpPackets,
      rtcpPackets: this.#rtcpPackets,
      skipped: this.#skipped,
      truncated: this.#truncated,
      joined: this.#joined,
      longAndCut: this.#longAndCut,
      beyondLimit: this.isFull,
      cutShort: this.#parser.unread > 0,
      streams,
    };
  }

  #take(packet: CapturedPacket): void {
    this.#packets++;
    if (packet.wireBytes > packet.bytes.length) this.#truncated++;
    const datagram = capturedDatagram(packet);
    if (typeof datagram === 'string') {
      this.#skipped[datagram] = (this.#skipped[datagram] ?? 0) + 1;
      return;
    }
    this.#datagrams++;
    const { payload, payloadBytes } = datagram;
    const kind = classifyDatagram(payload);
    if (kind === 'rtcp') this.#takeRtcp(packet, payload);
    if (kind !== 'rtp') return;
    const isCut = payload.length < payloadBytes;
    const segments = isCut ? [payload] : splitSegments(payload);
    if (segments.length > 1) this.#joined++;
    if (isCut && payloadBytes > ETHERNET_BYTES) this.#longAndCut++;
    for (const segment of segments) this.#takeRtp(packet, datagram, segment);
  }

  #takeRtp({ atUs, interfaceIndex }: CapturedPacket, datagram: CapturedDatagram, packet: Uint8Array): void {
    if (this.isFull) return;
    this.#rtpPackets++;
    const ssrc = readUint32(packet, 8);
    let stream = this.#streams.get(keyOf(ssrc, interfaceIndex));
    if (!stream) {
      if (this.#streams.size >= STREAMS_MAX) this.#dropShortestSources();
      stream = new StreamCollector({ ssrc, payloadType: packet[1]! & 0x7f, interfaceIndex, flow: datagram.flow });
      this.#streams.set(keyOf(ssrc, interfaceIndex), stream);
    }
    this.#kept++;
    const packetBytes = datagram.packetBytes - datagram.payload.length + packet.length;
    stream.add(atUs, readUint16(packet, 2), readUint32(packet, 4), packetBytes);
  }

  /** Makes room by dropping the half of the sources that has the fewest packets, as encrypted datagrams make them. */
  #dropShortestSources(): void {
    const shortestFirst = [...this.#streams].sort(([, one], [, other]) => one.at.length - other.at.length);
    for (const [key, { requested }] of shortestFirst.slice(0, STREAMS_MAX / 2)) {
      this.#requests -= requested.size;
      this.#streams.delete(key);
    }
  }

  #takeRtcp({ atUs, interfaceIndex }: CapturedPacket, payload: Uint8Array): void {
    const packets = parseRtcp(payload);
    if (!packets.ok) return;
    const streamOf = (ssrc: number) => this.#streams.get(keyOf(ssrc, interfaceIndex));
    this.#rtcpPackets++;
    for (const packet of packets.value) {
      if (packet.kind === 'sender-report') {
        streamOf(packet.ssrc)?.senderReport(atUs, compactNtp(packet.ntp));
      }
      if (packet.kind === 'sender-report' || packet.kind === 'receiver-report') {
        for (const block of packet.reports) streamOf(block.ssrc)?.report({ ...block, atUs });
      }
      if (packet.kind === 'nack') {
        const room = REQUESTS_MAX - this.#requests;
        this.#requests += streamOf(packet.mediaSsrc)?.request(atUs, packet.sequenceNumbers, room) ?? 0;
      }
    }
  }
}
