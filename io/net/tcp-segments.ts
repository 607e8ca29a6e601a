import type { Socket } from 'node:net';
import { libraryFunction } from '../os/c-library.ts';

/** linux/tcp.h, linux/in.h. */
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
/** Where tcpi_segs_in lies in struct tcp_info (linux/tcp.h; since Linux 4.2). */
const SEGMENTS_IN_OFFSET = 140;
const INFO_BYTES = 256;

type GetSocketOption = (fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array) => number;

let cached: { readonly call: GetSocketOption | undefined } | undefined;

function getSocketOption(): GetSocketOption | undefined {
  const signature = 'int getsockopt(int fd, int level, int name, void *value, void *length)';
  cached ??= { call: libraryFunction<GetSocketOption>(signature) };
  return cached.call;
}

/** How many segments a connection has received, as the kernel counted them (RFC 4898); `undefined`: it cannot be asked. */
export function segmentsReceived(socket: Socket): number | undefined {
  const call = getSocketOption();
  const { fd } = (socket as unknown as { _handle?: { fd?: number } })._handle ?? {};
  if (!call || fd === undefined || fd < 0) return undefined;
  const info = Buffer.alloc(INFO_BYTES);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(INFO_BYTES);
  if (call(fd, IPPROTO_TCP, TCP_INFO, info, length) !== 0) return undefined;
  return length.readUInt32LE() < SEGMENTS_IN_OFFSET + 4 ? undefined : info.readUInt32LE(SEGMENTS_IN_OFFSET);
}
