import type { Instant } from '../../protocol/base/instant.ts';
import { parseIpPacket, swapAddresses, TCP } from '../../protocol/ip-packet.ts';
import type { Direction } from '../../sim/direction.ts';
import type { Fate } from '../../sim/link/link.ts';
import { SENDER_PORT } from './end-order.ts';

/** A datagram that entered the path or left it, as a `PathObserver` is shown it: beneath IP, or beneath UDP. */
export interface PathEvent {
  readonly at: Instant;
  readonly kind: 'sent' | 'delivered';
  readonly direction: Direction;
  readonly datagram: Uint8Array;
  /** Of what was sent. */
  readonly fate: Fate;
}

/** pcapng: an enhanced packet block, and the options that our captures have. */
const ENHANCED_PACKET = 6;
const OPTION_COMMENT = 1;
const UDP_HEADER_BYTES = 8;

/**
 * Reads what crossed the link from the capture of a virtual link.
 * @param capture a pcapng file that `PacketCapture` wrote.
 * @param zero the capture's time, microseconds, of the instant that is to be 0.
 */
export function readPath(capture: Buffer, zero: number): PathEvent[] {
  const events: PathEvent[] = [];
  /** What was sent and is under way, so that what comes is the same object: who looks on tells it by that. */
  const underway = new Map<string, Uint8Array[]>();
  for (let start = 0; start < capture.length; start += capture.readUInt32LE(start + 4)) {
    if (capture.readUInt32LE(start) !== ENHANCED_PACKET) continue;
    const block = capture.subarray(start + 8, start + capture.readUInt32LE(start + 4) - 4);
    const at = Math.round(block.readUInt32LE(4) * 2 ** 32 + block.readUInt32LE(8) - zero);
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
    const fate = (comment.split(': ')[1] ?? 'carried') as Fate;
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

/** Only what was sent has one. */
function commentOf(block: Buffer, from: number): string | undefined {
  for (let offset = from; offset + 4 <= block.length; ) {
    const code = block.readUInt16LE(offset);
    const length = block.readUInt16LE(offset + 2);
    if (code === OPTION_COMMENT) return block.toString('utf8', offset + 4, offset + 4 + length);
    offset += 4 + Math.ceil(length / 4) * 4;
  }
  return undefined;
}
