import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { optional } from '../optional.ts';

/** Test media shared by several projects; read-only, not part of this repository. */
const SHARED_MEDIA = process.env.DROPFRAME_MEDIA ?? join(import.meta.dirname, '../../../shared/media');

export const withSharedMedia = optional('../shared/media (or DROPFRAME_MEDIA)', existsSync(SHARED_MEDIA));

export const sharedPath = (path: string): string => join(SHARED_MEDIA, path);

export const sharedFile = (path: string): Uint8Array => new Uint8Array(readFileSync(sharedPath(path)));

export const sharedFolder = (path: string): Uint8Array[] =>
  readdirSync(join(SHARED_MEDIA, path))
    .filter((name) => !name.startsWith('.'))
    .map((name) => sharedFile(join(path, name)));

/** UDP payloads of a little-endian pcap file with Ethernet or Linux "cooked" captures of IPv4. */
export function udpPayloads(pcap: Uint8Array): Uint8Array[] {
  const view = new DataView(pcap.buffer, pcap.byteOffset, pcap.byteLength);
  const linkHeaderBytes = view.getUint32(20, true) === LINUX_COOKED ? 16 : 14;
  const payloads: Uint8Array[] = [];
  for (let offset = PCAP_HEADER_BYTES; offset + 16 <= pcap.length; ) {
    const captured = view.getUint32(offset + 8, true);
    const end = offset + 16 + captured;
    if (end > pcap.length) break;
    const network = offset + 16 + linkHeaderBytes;
    const transport = network + (pcap[network]! & 0x0f) * 4;
    const udp = pcap[network]! >> 4 === 4 && pcap[network + 9] === 17;
    if (udp) payloads.push(pcap.subarray(transport + 8, transport + view.getUint16(transport + 4)));
    offset = end;
  }
  return payloads;
}

const PCAP_HEADER_BYTES = 24;
const LINUX_COOKED = 113;
