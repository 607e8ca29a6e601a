import { LINK_TYPE_RAW } from './pcapng.ts';

/** Snapshot length, bytes: the longest IPv4 packet. */
export const SNAPSHOT_BYTES = 65_535;

/** File header of the classic pcap format (draft-ietf-opsawg-pcap §4): little-endian, microseconds, raw IP. */
export function pcapHeader(): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0xa1b2c3d4, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, SNAPSHOT_BYTES, true);
  view.setUint32(20, LINK_TYPE_RAW, true);
  return bytes;
}

/** Packet record (§5). @param atMs milliseconds since 1970, with fraction */
export function pcapRecord(atMs: number, packet: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + packet.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(atMs / 1_000), true);
  view.setUint32(4, Math.floor((atMs % 1_000) * 1_000), true);
  view.setUint32(8, packet.length, true);
  view.setUint32(12, packet.length, true);
  bytes.set(packet, 16);
  return bytes;
}
