import type { Socket } from 'node:dgram';
import { datagramDescriptor, readSocketOption } from './socket-options.ts';

/** SO_MEMINFO of asm-generic/socket.h, since Linux 4.12. */
const SOL_SOCKET = 1;
const SO_MEMINFO = 55;
/** linux/sock_diag.h: nine 32-bit words in the machine's byte order, the last of which is SK_MEMINFO_DROPS. */
const WORDS = 9;
const DROPS_WORD = 8;

/** Datagrams that the kernel dropped because a socket's receive buffer was full; `undefined` when it cannot be read. */
export function receiveDrops(socket: Socket): number | undefined {
  const words = readSocketOption(datagramDescriptor(socket), SOL_SOCKET, SO_MEMINFO, WORDS * 4);
  return words?.byteLength === WORDS * 4 ? new Uint32Array(words.buffer)[DROPS_WORD] : undefined;
}
