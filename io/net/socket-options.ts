import type { Socket as DatagramSocket } from 'node:dgram';
import type { Socket as StreamSocket } from 'node:net';
import { libraryFunction } from '../os/c-library.ts';

type GetSocketOption = (fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array) => number;
type SetSocketOption = (fd: number, level: number, name: number, value: Uint8Array, length: number) => number;

/** The object by which Node reads a bound UDP socket. */
interface DatagramHandle {
  readonly fd?: number;
  recvStop?(): void;
}

/** Node keeps it behind a symbol. */
export function datagramHandle(socket: DatagramSocket): DatagramHandle | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  return symbol && (socket as unknown as Record<symbol, { handle?: DatagramHandle }>)[symbol]?.handle;
}

/** The file descriptor of a bound UDP socket. */
export const datagramDescriptor = (socket: DatagramSocket): number | undefined => valid(datagramHandle(socket)?.fd);

/** The file descriptor of an open TCP connection. */
export const streamDescriptor = (socket: StreamSocket): number | undefined =>
  valid((socket as unknown as { _handle?: { fd?: number } })._handle?.fd);

const valid = (fd: number | undefined): number | undefined => (fd !== undefined && fd >= 0 ? fd : undefined);

/**
 * Reads a socket option with getsockopt(2). Returns as many bytes as the kernel wrote, at most `bytesMax`; `undefined` when
 * it cannot be read.
 */
export function readSocketOption(
  fd: number | undefined,
  level: number,
  name: number,
  bytesMax: number,
): DataView | undefined {
  const signature = 'int getsockopt(int fd, int level, int name, void *value, void *length)';
  const call = libraryFunction<GetSocketOption>(signature);
  if (!call || fd === undefined) return undefined;
  const value = new Uint8Array(bytesMax);
  const length = new Uint32Array([bytesMax]);
  if (call(fd, level, name, value, new Uint8Array(length.buffer)) !== 0) return undefined;
  return new DataView(value.buffer, 0, length[0]!);
}

/** Sets a socket option to an int with setsockopt(2). Returns false when it cannot be set. */
export const writeSocketOption = (fd: number | undefined, level: number, name: number, value: number): boolean =>
  writeSocketBytes(fd, level, name, new Uint8Array(new Int32Array([value]).buffer));

/** Sets a socket option to the structure at the beginning of `value`. Returns false when it cannot be set. */
export function writeSocketBytes(
  fd: number | undefined,
  level: number,
  name: number,
  value: Uint8Array,
  length: number = value.length,
): boolean {
  const signature = 'int setsockopt(int fd, int level, int name, const void *value, uint32 length)';
  const call = libraryFunction<SetSocketOption>(signature);
  if (!call || fd === undefined) return false;
  return call(fd, level, name, value, length) === 0;
}
