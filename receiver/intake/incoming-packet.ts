import { readUint16, readUint32 } from '../../protocol/base/big-endian.ts';
import {
  type Instant,
  instant,
  type Microseconds,
  microseconds,
  type Ticks,
  ticks,
} from '../../protocol/base/units.ts';
import { type FrameMark, parseFrameMark, readFrameMark } from '../../protocol/rtp/frame-mark.ts';
import {
  EXTENSION_HEADER_BYTES,
  type RtpLayout,
  type RtpPacket,
  serializeRtpPacket,
} from '../../protocol/rtp/rtp-packet.ts';
import {
  asSequence,
  type Sequence,
  type WireSequence,
  type WireTimestamp,
  wireSequence,
  wireTimestamp,
} from '../../protocol/rtp/sequence.ts';
import type { ArrivedPacket, PacketArrival } from '../frames/frame-buffer.ts';
import type { TakenPacket } from '../recovery/loss-recovery.ts';
import type { Place } from './sequence-extender.ts';

/** Wire fields of a packet, and their offsets. */
type OnWire = Pick<
  IncomingPacket,
  'sequenceNumber' | 'wireTimestamp' | 'marker' | 'bytes' | 'payloadAt' | 'payloadEnd' | 'mark' | 'origin' | 'datagram'
>;

/**
 * A media packet during intake: the wire fields that later stages need, and their results. One object per packet, at up
 * to 50,000 packets per second.
 */
export class IncomingPacket implements Place, ArrivedPacket, TakenPacket {
  readonly sequenceNumber: WireSequence;
  readonly wireTimestamp: WireTimestamp;
  /** RTP marker: the last packet of a frame. */
  readonly marker: boolean;
  /** Buffer with the payload, from `payloadAt` up to, but not including, `payloadEnd`. */
  readonly bytes: Uint8Array;
  readonly payloadAt: number;
  readonly payloadEnd: number;
  /** Set later for a packet whose mark follows from those of its frame's other packets. */
  mark: FrameMark | undefined;
  readonly origin: TakenPacket['origin'];
  /** The original packet, usable for repair; `undefined` when it was itself recovered. */
  readonly datagram: Uint8Array | undefined;
  /** Arrival time of a packet that was held until its frame was known. */
  heldAt: Instant | undefined;
  // Set on admission.
  sequence: Sequence = asSequence(0);
  timestamp: Ticks = ticks(0);
  ahead = false;
  leap = false;
  /** Extended frame number; `undefined` without a frame mark. */
  number: number | undefined;
  // Set by the stages after admission.
  arrival: PacketArrival = 'on-time';
  expectedAt: Instant = instant(0);
  transit: Microseconds = microseconds(0);

  constructor(wire: OnWire) {
    this.sequenceNumber = wire.sequenceNumber;
    this.wireTimestamp = wire.wireTimestamp;
    this.marker = wire.marker;
    this.bytes = wire.bytes;
    this.payloadAt = wire.payloadAt;
    this.payloadEnd = wire.payloadEnd;
    this.mark = wire.mark;
    this.origin = wire.origin;
    this.datagram = wire.datagram;
  }

  /** A view, created on each access. */
  get payload(): Uint8Array {
    return this.bytes.subarray(this.payloadAt, this.payloadEnd);
  }
}

/**
 * Reads a packet that was neither retransmitted nor recovered, straight from its datagram; nearly all are.
 * @param near number of a frame nearby; `undefined` not to look for our frame mark in header extensions.
 * @returns the reason when its frame mark is malformed.
 */
export function readIncomingPacket(
  datagram: Uint8Array,
  layout: RtpLayout,
  near: number | undefined,
): IncomingPacket | string {
  const { extensionAt, extensionEnd, payloadAt, payloadEnd } = layout;
  const marker = datagram[1]! >= 0x80;
  let mark: FrameMark | undefined;
  if (near !== undefined && extensionAt > 0) {
    const profile = readUint16(datagram, extensionAt - EXTENSION_HEADER_BYTES);
    const extension = { profile, bytes: datagram, start: extensionAt, end: extensionEnd };
    const found = readFrameMark(extension, { marker, near });
    if (typeof found === 'string') return found;
    mark = found;
  }
  return new IncomingPacket({
    sequenceNumber: wireSequence(readUint16(datagram, 2)),
    wireTimestamp: wireTimestamp(readUint32(datagram, 4)),
    marker,
    bytes: datagram,
    payloadAt,
    payloadEnd,
    mark,
    origin: 'sent',
    datagram,
  });
}

/** Makes an incoming packet from a retransmitted or recovered one. */
export function restoredPacket(
  packet: RtpPacket,
  origin: 'sent-again' | 'repaired',
  near: number | undefined,
): IncomingPacket | string {
  const { extension, sequenceNumber, timestamp: wireTimestamp, marker, payload: bytes } = packet;
  const found = extension && near !== undefined ? parseFrameMark(extension, { marker, near }) : undefined;
  if (found && !found.ok) return found.malformed;
  const datagram = origin === 'sent-again' ? serializeRtpPacket(packet) : undefined;
  const mark = found?.value;
  const payloadEnd = bytes.length;
  return new IncomingPacket({
    sequenceNumber,
    wireTimestamp,
    marker,
    bytes,
    payloadAt: 0,
    payloadEnd,
    mark,
    origin,
    datagram,
  });
}
