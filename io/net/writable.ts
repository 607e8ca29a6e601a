import type { Socket } from 'node:dgram';
import { libraryFunction } from '../os/c-library.ts';
import { datagramDescriptor } from './socket-options.ts';

type Poll = (descriptors: Uint8Array, count: number, timeout: number) => number;

/** Constant of poll.h on Linux. */
const POLLOUT = 4;

/** True when the kernel takes a datagram from this bound socket at once, or when it cannot be asked, by poll(2). */
export function isWritable(socket: Socket): boolean {
  const call = libraryFunction<Poll>('int poll(void *descriptors, ulong count, int timeout)');
  const fd = datagramDescriptor(socket);
  if (!call || fd === undefined) return true;
  // struct pollfd: descriptor, events asked for, events found.
  const descriptor = new DataView(new ArrayBuffer(8));
  descriptor.setInt32(0, fd, true);
  descriptor.setInt16(4, POLLOUT, true);
  return call(new Uint8Array(descriptor.buffer), 1, 0) !== 0;
}
