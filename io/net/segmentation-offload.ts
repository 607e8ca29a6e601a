import type { Socket } from 'node:dgram';
import { libraryFunction } from '../os/c-library.ts';

/** linux/udp.h, linux/in.h, asm-generic/socket.h. */
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const UDP_GRO = 104;

type SetSocketOption = (fd: number, level: number, name: number, value: Uint8Array, length: number) => number;

let cached: { readonly call: SetSocketOption | undefined } | undefined;

/** setsockopt(2); without it every datagram takes a system call of its own, and all else is the same. */
function setSocketOption(): SetSocketOption | undefined {
  const signature = 'int setsockopt(int fd, int level, int name, const void *value, uint32 length)';
  cached ??= { call: libraryFunction<SetSocketOption>(signature) };
  return cached.call;
}

/** The file descriptor of a bound socket; Node keeps it behind a symbol. */
export function descriptorOf(socket: Socket): number | undefined {
  for (const symbol of Object.getOwnPropertySymbols(socket)) {
    if (symbol.description !== 'state symbol') continue;
    const state = (socket as unknown as Record<symbol, { handle?: { fd?: number } }>)[symbol];
    const fd = state?.handle?.fd;
    return fd !== undefined && fd >= 0 ? fd : undefined;
  }
  return undefined;
}

function set(socket: Socket, level: number, name: number, value: number): boolean {
  const call = setSocketOption();
  const fd = descriptorOf(socket);
  if (!call || fd === undefined) return false;
  return call(fd, level, name, new Uint8Array(new Int32Array([value]).buffer), 4) === 0;
}

/** Lets one send carry many datagrams of `bytes` each, the last of them possibly shorter (UDP_SEGMENT, Linux 4.18). */
export const segmentOnSend = (socket: Socket, bytes: number): boolean => set(socket, SOL_UDP, UDP_SEGMENT, bytes);

/** Lets one receive return many datagrams of the same length in one piece (UDP_GRO, Linux 5.0). */
export const coalesceOnReceive = (socket: Socket): boolean => set(socket, SOL_UDP, UDP_GRO, 1);

/** A receive buffer beyond the system's limit; only for the administrator. */
export const forceReceiveBuffer = (socket: Socket, bytes: number): boolean =>
  set(socket, SOL_SOCKET, SO_RCVBUFFORCE, bytes);
