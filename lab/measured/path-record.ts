import { type Instant, instant } from '../../protocol/base/units.ts';
import { parseIpPacket, swapAddresses, TCP, UDP_HEADER_BYTES } from '../../protocol/ip-packet.ts';
import type { Direction } from '../../sim/direction.ts';
import type { DatagramFate } from '../../sim/link/datagram-fate.ts';
import { SENDER_PORT } from './end-order.ts';

/** A datagram that entered or left the path, in the form that a `PathObserver` receives: without IP and UDP headers. */
export interface PathEvent {
  readonly at: Instant;
  readonly kind: 'sent' | 'delivered';
  readonly direction: Direction;
  readonly datagram: Uint8Array;
  /** Fate of a sent datagram. */
  readonly fate: DatagramFate;
}

/** Block type and option code of pcapng used in our captures. */
const ENHANCED_PACKET = 6;
const OPTION_COMMENT = 1;

/**
 * Reads the datagrams that crossed the link from its capture.
 *
 * @param capture a pcapng file written by `PacketCapture`.
 * @param zero capture time of the cell's zero, microseconds.
 */
export function readPath(capture: Buffer, zero: number): PathEvent[] {
  const events: PathEvent[] = [];
  /** Datagrams under way. A delivery uses the same object as the transmission, by which observers match them. */
  const underway = new Map<string, Uint8Array[]>();
  for (let start = 0; start < capture.length; start += capture.readUInt32LE(start + 4)) {
    if (capture.readUInt32LE(start) !== ENHANCED_PACKET) continue;
    const block = capture.subarray(start + 8, start + capture.readUInt32LE(start + 4) - 4);
    const at = instant(Math.round(block.readUInt32LE(4) * 2 ** 32 + block.readUInt32LE(8) - zero));
    const packet = Uint8Array.from(block.subarray(20, 20 + block.readUInt32LE(12)));
    const parsed = parseIpPacket(packet);
    if (!parsed.ok) continue;
    const { protocol, transportOffset } = parsed.value;
    const datagram = packet.subarray(transportOffset + (protocol === TCP ? 0 : UDP_HEADER_BYTES));
    const port = packet[transportOffset]! * 256 + packet[transportOffset + 1]!;
    const direction = port === SENDER_PORT ? 'forward' : 'back';
    const comment = commentOf(block, 20 + Math.ceil(packet.length / 4) * 4);
    if (comment === undefined) {
      swapAddresses(packet, parsed.value);
      const same = underway.get(keyOf(packet))?.shift();
      events.push({ at, kind: 'delivered', direction, datagram: same ?? datagram, fate: 'carried' });
      continue;
    }
    const fate = (comment.split(': ')[1] ?? 'carried') as DatagramFate;
    events.push({ at, kind: 'sent', direction, datagram, fate });
    const copies = fate === 'duplicated' ? 2 : fate === 'carried' ? 1 : 0;
    if (copies === 0) continue;
    const key = keyOf(packet);
    const queue = underway.get(key) ?? [];
    for (let copy = 0; copy < copies; copy++) queue.push(datagram);
    underway.set(key, queue);
  }
  return events;
}

const keyOf = (packet: Uint8Array): string => Buffer.from(packet).toString('latin1');

/** Returns the comment, which only sent packets have. */
function commentOf(block: Buffer, from: number): string | undefined {
  for (let offset = from; offset + 4 <= block.length; ) {
    const code = block.readUInt16LE(offset);
    const length = block.readUInt16LE(offset + 2);
    if (code === OPTION_COMMENT) return block.toString('utf8', offset + 4, offset + 4 + length);
    offset += 4 + Math.ceil(length / 4) * 4;
  }
  return undefined;
}
