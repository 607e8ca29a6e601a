import type { Socket } from 'node:dgram';
import { libraryFunction } from '../os/c-library.ts';
import { descriptorOf } from './segmentation-offload.ts';

/** asm-generic/socket.h: SO_MEMINFO, since Linux 4.12. */
const SOL_SOCKET = 1;
const SO_MEMINFO = 55;
/** linux/sock_diag.h: nine 32-bit words, the last of which is SK_MEMINFO_DROPS. */
const WORDS = 9;
const DROPS_WORD = 8;

type GetSocketOption = (fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array) => number;

let cached: { readonly call: GetSocketOption | undefined } | undefined;

function getSocketOption(): GetSocketOption | undefined {
  const signature = 'int getsockopt(int fd, int level, int name, void *value, void *length)';
  cached ??= { call: libraryFunction<GetSocketOption>(signature) };
  return cached.call;
}

/** Datagrams that the kernel threw away because a socket's receive buffer was full; `undefined`: it cannot be asked. */
export function receiveDrops(socket: Socket): number | undefined {
  const call = getSocketOption();
  const fd = descriptorOf(socket);
  if (!call || fd === undefined) return undefined;
  const words = new Uint32Array(WORDS);
  const length = new Uint32Array([words.byteLength]);
  const result = call(fd, SOL_SOCKET, SO_MEMINFO, new Uint8Array(words.buffer), new Uint8Array(length.buffer));
  return result === 0 && length[0] === words.byteLength ? words[DROPS_WORD] : undefined;
}
