import { assert } from '../protocol/base/assert.ts';
import { parseFrameMark } from '../protocol/rtp/frame-mark.ts';
import { parseRtpPacket } from '../protocol/rtp/rtp-packet.ts';

/**
 * Finds the frame of each media packet from the packets in the order in which our sender transmits them: the first
 * packet of a frame has a mark, whichever of the others have.
 */
export class SentFrames {
  /** Number of the packet's frame, counted from 0; -1 before the first packet. */
  frame = -1;
  /** Index of the packet within its frame. */
  packetIndex = -1;
  /** Number of packets in the frame. */
  packetCount = 0;

  /** Moves on to the next packet. */
  next(datagram: Uint8Array): void {
    this.packetIndex++;
    if (this.packetIndex < this.packetCount) return;
    this.frame++;
    this.packetIndex = 0;
    this.packetCount = packetCountOf(datagram, this.frame);
  }
}

function packetCountOf(datagram: Uint8Array, near: number): number {
  const packet = parseRtpPacket(datagram);
  assert(packet.ok && packet.value.extension !== undefined, 'the first packet of a frame must have a mark');
  const { extension, marker } = packet.value;
  const mark = parseFrameMark(extension, { marker, near });
  assert(mark.ok && mark.value !== undefined, 'the first packet of a frame must have a mark');
  return mark.value.packetCount;
}
