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

/** What of a packet is on the wire, and where. */
type OnWire = Pick<
  IncomingPacket,
  'sequenceNumber' | 'wireTimestamp' | 'marker' | 'bytes' | 'payloadAt' | 'payloadEnd' | 'mark' | 'origin' | 'datagram'
>;

/**
 * A packet that wants to come in: as it is on the wire, without what nobody asks of it. What is found out about it on its
 * way in is written into it: one object a packet, of which there may be 50,000 a second.
 */
export class IncomingPacket implements Place, ArrivedPacket, TakenPacket {
  readonly sequenceNumber: WireSequence;
  readonly wireTimestamp: WireTimestamp;
  /** RTP's: the last packet of a frame. */
  readonly marker: boolean;
  /** The payload lies in these, from `payloadAt` to before `payloadEnd`. */
  readonly bytes: Uint8Array;
  readonly payloadAt: number;
  readonly payloadEnd: number;
  readonly mark: FrameMark | undefined;
  readonly origin: TakenPacket['origin'];
  /** The packet as it was sent first, from which others may be mended; `undefined`: it follows from others itself. */
  readonly datagram: Uint8Array | undefined;
  // Found on admission.
  sequence: Sequence = asSequence(0);
  timestamp: Ticks = ticks(0);
  ahead = false;
  leap = false;
  /** The frame's number, its roll-over undone; there where the mark is. */
  number: number | undefined;
  // Told by those who take it in.
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

  /** A view, made for whoever asks. */
  get payload(): Uint8Array {
    return this.bytes.subarray(this.payloadAt, this.payloadEnd);
  }
}

/**
 * A packet that came by itself, straight from its datagram: nearly every packet is one of these.
 * @param readsMarks whether header extensions are read for our frame mark.
 * @returns why it is none of ours where its mark is damaged.
 */
export function readIncomingPacket(
  datagram: Uint8Array,
  layout: RtpLayout,
  readsMarks: boolean,
): IncomingPacket | string {
  const { extensionAt, extensionEnd, payloadAt, payloadEnd } = layout;
  let mark: FrameMark | undefined;
  if (readsMarks && extensionAt > 0) {
    const profile = readUint16(datagram, extensionAt - EXTENSION_HEADER_BYTES);
    const found = readFrameMark(profile, datagram, extensionAt, extensionEnd);
    if (typeof found === 'string') return found;
    mark = found;
  }
  return new IncomingPacket({
    sequenceNumber: wireSequence(readUint16(datagram, 2)),
    wireTimestamp: wireTimestamp(readUint32(datagram, 4)),
    marker: datagram[1]! >= 0x80,
    bytes: datagram,
    payloadAt,
    payloadEnd,
    mark,
    origin: 'sent',
    datagram,
  });
}

/** A packet that was sent again, or that follows from repair packets. */
export function restoredPacket(
  packet: RtpPacket,
  origin: 'sent-again' | 'repaired',
  readsMarks: boolean,
): IncomingPacket | string {
  const { extension, sequenceNumber, timestamp: wireTimestamp, marker, payload: bytes } = packet;
  const found = extension && readsMarks ? parseFrameMark(extension) : undefined;
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
