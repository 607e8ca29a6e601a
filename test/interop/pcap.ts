import { type Microseconds, microseconds } from '../../protocol/base/units.ts';

/** A UDP datagram in a capture. */
export interface CapturedDatagram {
  /** Time since the first datagram of the capture. */
  readonly at: Microseconds;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const UDP = 17;
const VLAN = 0x8100;

/** Length of the link-layer header, bytes, by link type; each VLAN tag adds four to Ethernet's. */
const LINK_HEADER_BYTES: Readonly<Record<number, number>> = { 1: 14, 101: 0, 113: 16 };

/** Returns the UDP datagrams over IPv4 in a little-endian pcap file, up to a truncated end. */
export function readCapture(pcap: Uint8Array): CapturedDatagram[] {
  const view = new DataView(pcap.buffer, pcap.byteOffset, pcap.byteLength);
  if (view.getUint32(0, true) !== 0xa1b2c3d4) throw new Error('no pcap file with microseconds');
  const linkType = view.getUint32(20, true);
  const linkHeaderBytes = LINK_HEADER_BYTES[linkType];
  if (linkHeaderBytes === undefined) throw new Error(`link type ${linkType}`);
  const datagrams: CapturedDatagram[] = [];
  let first: Microseconds | undefined;
  for (let offset = FILE_HEADER_BYTES; offset + RECORD_HEADER_BYTES <= pcap.length; ) {
    const at = view.getUint32(offset, true) * 1_000_000 + view.getUint32(offset + 4, true);
    const start = offset + RECORD_HEADER_BYTES;
    const end = start + view.getUint32(offset + 8, true);
    if (end > pcap.length) break;
    let network = start + linkHeaderBytes;
    while (linkType === 1 && view.getUint16(network - 2) === VLAN) network += 4;
    const datagram = readDatagram(view, network, end);
    first ??= microseconds(at);
    if (datagram) datagrams.push({ at: microseconds(at - first), ...datagram });
    offset = end;
  }
  return datagrams;
}

function readDatagram(view: DataView, network: number, end: number): Omit<CapturedDatagram, 'at'> | undefined {
  if (network + 20 > end || view.getUint8(network) >> 4 !== 4 || view.getUint8(network + 9) !== UDP) return undefined;
  const transport = network + (view.getUint8(network) & 0x0f) * 4;
  if (transport + 8 > end) return undefined;
  const last = Math.min(end, transport + view.getUint16(transport + 4));
  const payload = new Uint8Array(view.buffer, view.byteOffset + transport + 8, Math.max(0, last - transport - 8));
  return { destinationPort: view.getUint16(transport + 2), payload };
}
