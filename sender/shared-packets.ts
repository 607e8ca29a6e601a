import type { AccessUnit } from '../protocol/access-unit.ts';
import type { Codec } from '../protocol/codec/codec.ts';
import type { PacketSource } from '../protocol/rtp/packet-source.ts';
import { RTP_HEADER_BYTES } from '../protocol/rtp/rtp-packet.ts';
import type { Sequence } from '../protocol/rtp/sequence.ts';
import { type OwnHeader, ownHeaderBytes, writeOwnHeader } from './own-header.ts';

/** Lengths by which an access unit is cut into packets, and those of their headers. */
export interface PacketLengths extends Pick<OwnHeader, 'marked' | 'decodeLead'> {
  readonly payloadBytesMax: number;
}

/** Returns the packets of an access unit, with room for the header of each. */
export function packetizeUnit(
  unit: AccessUnit,
  codec: Codec,
  { payloadBytesMax, marked, decodeLead }: PacketLengths,
  allocate: (bytes: number) => Uint8Array,
): Uint8Array[] {
  // Most packets have the same header, and are adjacent in memory.
  const headroomBytes =
    marked === 'every' ? ownHeaderBytes({ packetCount: 1, decodeLead, marked }, 0) : RTP_HEADER_BYTES;
  const packets = codec.packetize(unit.parts, { payloadBytesMax, headroomBytes, allocate });
  if (marked !== 'edges') return packets;
  const header = { packetCount: packets.length, decodeLead, marked };
  for (const [index, packet] of packets.entries()) {
    const longer = ownHeaderBytes(header, index) - headroomBytes;
    if (longer === 0) continue;
    const copy = allocate(packet.length + longer);
    copy.set(packet, longer);
    packets[index] = copy;
  }
  return packets;
}

/** Initial memory of the packets that are transmitted; doubled as needed. */
const MEMORY_BYTES = 65_536;
/** Largest memory that is retained, bytes: that of a large key frame which leaves at once. */
const RETAINED_BYTES_MAX = 1_048_576;

/**
 * Payloads of one stream, for the senders of all its receivers: an access unit is packetized once for each length of packets. The
 * packets of a receiver differ in their headers only, and exist while they are transmitted.
 */
export class SharedPackets {
  #unit: AccessUnit | undefined;
  #codec: Codec | undefined;
  readonly #templates = new Map<string, readonly Uint8Array[]>();
  #memory = new Uint8Array(MEMORY_BYTES);
  #used = 0;

  /** Returns packets with payloads and zeroed headers, which are shared and must not be modified. */
  packetize(unit: AccessUnit, codec: Codec, lengths: PacketLengths): readonly Uint8Array[] {
    if (unit !== this.#unit || codec !== this.#codec) {
      this.#templates.clear();
      this.#unit = unit;
      this.#codec = codec;
    }
    const key = `${lengths.payloadBytesMax} ${lengths.marked}`;
    const known = this.#templates.get(key);
    if (known) return known;
    const templates = packetizeUnit(unit, codec, lengths, (bytes) => new Uint8Array(bytes));
    this.#templates.set(key, templates);
    return templates;
  }

  /** Returns a copy, valid until `release`. */
  copy(template: Uint8Array): Uint8Array {
    const end = this.#used + template.length;
    if (end > this.#memory.length) {
      // Copies made before keep the memory that they are in.
      this.#memory = new Uint8Array(2 * Math.max(this.#memory.length, template.length));
      this.#used = 0;
      return this.copy(template);
    }
    const copy = this.#memory.subarray(this.#used, end);
    copy.set(template);
    this.#used = end;
    return copy;
  }

  /** Called when all packets made so far have been transmitted: their memory is used again, unless it is exceptionally large. */
  release(): void {
    if (this.#memory.length > RETAINED_BYTES_MAX) this.#memory = new Uint8Array(MEMORY_BYTES);
    this.#used = 0;
  }
}

/** Packets of a frame as one receiver gets them, from shared payloads. */
export class OwnFrame implements PacketSource {
  readonly #shared: SharedPackets;
  readonly #templates: readonly Uint8Array[];
  readonly #header: OwnHeader;

  constructor(shared: SharedPackets, templates: readonly Uint8Array[], header: OwnHeader) {
    this.#shared = shared;
    this.#templates = templates;
    this.#header = header;
  }

  packet(sequence: Sequence): Uint8Array {
    const index = sequence - this.#header.firstSequence;
    const packet = this.#shared.copy(this.#templates[index]!);
    writeOwnHeader(packet, this.#header, index);
    return packet;
  }
}
