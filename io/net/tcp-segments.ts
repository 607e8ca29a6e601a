import type { Socket } from 'node:net';
import { readSocketOption, streamDescriptor } from './socket-options.ts';

/** Constants of linux/tcp.h and linux/in.h. */
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
/** Offset of tcpi_segs_in in struct tcp_info (linux/tcp.h; since Linux 4.2). */
const SEGMENTS_IN_OFFSET = 140;
const INFO_BYTES = 256;

/** Segments that a connection has received, as counted by the kernel (RFC 4898); `undefined` when it cannot be read. */
export function segmentsReceived(socket: Socket): number | undefined {
  const info = readSocketOption(streamDescriptor(socket), IPPROTO_TCP, TCP_INFO, INFO_BYTES);
  if (!info || info.byteLength < SEGMENTS_IN_OFFSET + 4) return undefined;
  return new Uint32Array(info.buffer, SEGMENTS_IN_OFFSET, 1)[0];
}
