import { readUint16 } from '../../protocol/base/big-endian.ts';
import { ICMP, ICMPV6, type IpPacket, parseIpPacket, quotedPacketOffset, TCP } from '../../protocol/ip-packet.ts';
import { type Direction, opposite } from '../../sim/direction.ts';
import { RecentMap } from './recent-map.ts';

/** Limit of tracked flows, above what a machine opens with itself at once: it has 64,512 ports per protocol. */
const FLOWS_MAX = 65_536;
/** Limit of tracked fragmented packets, whose fragments follow each other closely. */
const FRAGMENTED_MAX = 1_024;
/** IP protocols with source and destination ports in their first four bytes: TCP, UDP, DCCP, SCTP, UDP-Lite. */
const WITH_PORTS = new Set([6, 17, 33, 132, 136]);
const SYN = 0x02;
const ACK = 0x10;
const ECHO_REPLY_V4 = 0;
const ECHO_REPLY_V6 = 129;

/**
 * Determines the direction of a packet on a path whose two ends are the same machine. All packets have the same source
 * and destination address, so the direction follows from the side that opened the flow:
 *
 * - TCP: a SYN goes forward, a SYN with ACK goes back; other packets follow the port that sent them.
 * - Other protocols with ports: the first packet of a pair of ports goes forward, and so do all from its source port.
 * - Fragments follow the first fragment.
 * - An echo reply goes back; an ICMP error goes opposite to the packet it reports.
 * - Everything else goes forward, including packets from a socket to its own port.
 */
export class FlowDirections {
  /** Port that opened the flow, by protocol and pair of ports. */
  readonly #initiators = new RecentMap<number>(FLOWS_MAX);
  readonly #fragmented = new RecentMap<Direction>(FRAGMENTED_MAX);

  of(bytes: Uint8Array, packet: IpPacket): Direction {
    const { fragment } = packet;
    if (!fragment) return this.#ofWhole(bytes, packet);
    // 32 bits of identification, 8 of protocol, 1 of version: a safe integer.
    const key = fragment.identification + (packet.protocol + (packet.version === 6 ? 256 : 0)) * 2 ** 32;
    if (!fragment.first) return this.#fragmented.get(key) ?? 'forward';
    const direction = this.#ofWhole(bytes, packet);
    this.#fragmented.set(key, direction);
    return direction;
  }

  #ofWhole(bytes: Uint8Array, packet: IpPacket): Direction {
    const { protocol, transportOffset } = packet;
    if (protocol === ICMP && bytes[transportOffset] === ECHO_REPLY_V4) return 'back';
    if (protocol === ICMPV6 && bytes[transportOffset] === ECHO_REPLY_V6) return 'back';
    const quoted = quotedPacketOffset(bytes, packet);
    if (quoted !== undefined) return opposite(this.#ofQuoted(bytes.subarray(quoted)));
    return this.#ofPorts(bytes, packet, true);
  }

  #ofQuoted(bytes: Uint8Array): Direction {
    const packet = parseIpPacket(bytes);
    return packet.ok ? this.#ofPorts(bytes, packet.value, false) : 'forward';
  }

  #ofPorts(bytes: Uint8Array, { version, protocol, transportOffset }: IpPacket, remember: boolean): Direction {
    if (!WITH_PORTS.has(protocol) || transportOffset + 4 > bytes.length) return 'forward';
    const source = readUint16(bytes, transportOffset);
    const destination = readUint16(bytes, transportOffset + 2);
    const [low, high] = source < destination ? [source, destination] : [destination, source];
    const key = low + high * 2 ** 16 + (protocol + (version === 6 ? 256 : 0)) * 2 ** 32;
    const flags = protocol === TCP && remember ? (bytes[transportOffset + 13] ?? 0) & (SYN | ACK) : 0;
    if (flags & SYN) this.#initiators.set(key, flags & ACK ? destination : source);
    const known = this.#initiators.get(key);
    if (known === undefined && remember) this.#initiators.set(key, source);
    return (known ?? source) === source ? 'forward' : 'back';
  }
}
