import { readUint16, readUint32 } from '../protocol/big-endian.ts';
import { type FrameMark, parseFrameMark, parseFrameMarkAt } from '../protocol/frame-mark.ts';
import { type Parsed, parsed } from '../protocol/parsed.ts';
import { EXTENSION_HEADER_BYTES, type RtpLayout, type RtpPacket, serializeRtpPacket } from '../protocol/rtp-packet.ts';
import type { WireSequence, WireTimestamp } from '../protocol/sequence.ts';
import type { TakenPacket } from './loss-recovery.ts';

/** A packet that wants to come in: as it is on the wire, without what nobody asks of it. */
export interface Comer {
  readonly sequenceNumber: WireSequence;
  readonly timestamp: WireTimestamp;
  /** RTP's: the last packet of a frame. */
  readonly marker: boolean;
  readonly payload: Uint8Array;
  readonly mark: FrameMark | undefined;
  readonly origin: TakenPacket['origin'];
  /** The packet as it was sent first, from which others may be mended; `undefined`: it follows from others itself. */
  readonly datagram: Uint8Array | undefined;
}

/**
 * A packet that came by itself, straight from its datagram: nearly every packet is one of these.
 * @param readsMarks whether header extensions are read for our frame mark.
 */
export function comerAt(datagram: Uint8Array, layout: RtpLayout, readsMarks: boolean): Parsed<Comer> {
  const { extensionAt, extensionEnd, payloadAt, payloadEnd } = layout;
  let mark: FrameMark | undefined;
  if (readsMarks && extensionAt > 0) {
    const profile = readUint16(datagram, extensionAt - EXTENSION_HEADER_BYTES);
    const found = parseFrameMarkAt(profile, datagram, extensionAt, extensionEnd);
    if (!found.ok) return found;
    mark = found.value;
  }
  return parsed({
    sequenceNumber: readUint16(datagram, 2),
    timestamp: readUint32(datagram, 4),
    marker: datagram[1]! >= 0x80,
    payload: datagram.subarray(payloadAt, payloadEnd),
    mark,
    origin: 'sent',
    datagram,
  });
}

/** A packet that was sent again, or that follows from repair packets. */
export function comerOf(packet: RtpPacket, origin: 'sent-again' | 'repaired', readsMarks: boolean): Parsed<Comer> {
  const { extension, sequenceNumber, timestamp, marker, payload } = packet;
  const found = extension && readsMarks ? parseFrameMark(extension) : undefined;
  if (found && !found.ok) return found;
  const datagram = origin === 'sent-again' ? serializeRtpPacket(packet) : undefined;
  return parsed({ sequenceNumber, timestamp, marker, payload, mark: found?.value, origin, datagram });
}
