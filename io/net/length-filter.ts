import type { Socket } from 'node:dgram';
import { UDP_HEADER_BYTES } from '../../protocol/ip-packet.ts';
import { addressOf } from '../os/c-library.ts';
import { datagramDescriptor, writeSocketBytes } from './socket-options.ts';

/** Constants of asm-generic/socket.h and linux/filter.h. */
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const LOAD_LENGTH = 0x80;
const JUMP_IF_GREATER = 0x25;
const RETURN = 0x06;
const WHOLE = 0xffff_ffff;

const INSTRUCTION_BYTES = 8;
/** `struct sock_fprog`: a 16-bit count, padding, and a 64-bit pointer. */
const PROGRAM_BYTES = 16;

/**
 * Lets the kernel drop datagrams that are longer than this before they take room in the socket's receive buffer
 * (classic BPF, SO_ATTACH_FILTER, Linux 2.2). Returns false when it cannot.
 * @param bytes UDP payload.
 */
export function dropLongerThan(socket: Socket, bytes: number): boolean {
  // Code, jumps when true and false, operand: in the byte order of the machine. Filters see the UDP header as well.
  const instructions = [
    [LOAD_LENGTH, 0, 0, 0],
    [JUMP_IF_GREATER, 0, 1, bytes + UDP_HEADER_BYTES],
    [RETURN, 0, 0, 0],
    [RETURN, 0, 0, WHOLE],
  ] as const;
  // One piece of memory outside the engine's heap, which the call keeps where it is: the program, then its instructions.
  const memory = new ArrayBuffer(PROGRAM_BYTES + instructions.length * INSTRUCTION_BYTES);
  for (const [index, [code, whenTrue, whenFalse, operand]] of instructions.entries()) {
    const at = PROGRAM_BYTES + index * INSTRUCTION_BYTES;
    new Uint16Array(memory, at, 1)[0] = code;
    new Uint8Array(memory, at + 2, 2).set([whenTrue, whenFalse]);
    new Uint32Array(memory, at + 4, 1)[0] = operand;
  }
  const program = new Uint8Array(memory);
  const address = addressOf(program);
  if (address === undefined) return false;
  new Uint16Array(memory, 0, 1)[0] = instructions.length;
  new BigUint64Array(memory, 8, 1)[0] = BigInt(address + PROGRAM_BYTES);
  return writeSocketBytes(datagramDescriptor(socket), SOL_SOCKET, SO_ATTACH_FILTER, program, PROGRAM_BYTES);
}
