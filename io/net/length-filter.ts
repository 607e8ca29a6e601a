import type { Socket } from 'node:dgram';
import { addressOf } from '../os/c-library.ts';
import { datagramDescriptor, writeSocketBytes } from './socket-options.ts';

/** Constants of asm-generic/socket.h and linux/filter.h. */
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const LOAD_LENGTH = 0x80;
const JUMP_IF_GREATER = 0x25;
const RETURN = 0x06;
const WHOLE = 0xffff_ffff;

/** The kernel's filters see the UDP header as well. */
const UDP_HEADER_BYTES = 8;
const INSTRUCTION_BYTES = 8;
/** `struct sock_fprog`: a 16-bit count, padding, and a 64-bit pointer. */
const PROGRAM_BYTES = 16;

/**
 * Lets the kernel drop datagrams that are longer than this before they take room in the socket's receive buffer
 * (classic BPF, SO_ATTACH_FILTER, Linux 2.2). Returns false when it cannot.
 * @param bytes UDP payload.
 */
export function dropLongerThan(socket: Socket, bytes: number): boolean {
  // Code, jumps when true and false, operand: in the byte order of the machine.
  const instructions = [
    [LOAD_LENGTH, 0, 0, 0],
    [JUMP_IF_GREATER, 0, 1, bytes + UDP_HEADER_BYTES],
    [RETURN, 0, 0, 0],
    [RETURN, 0, 0, WHOLE],
  ] as const;
  const memory = new Uint8Array(instructions.length * INSTRUCTION_BYTES);
  for (const [index, [code, whenTrue, whenFalse, operand]] of instructions.entries()) {
    const at = index * INSTRUCTION_BYTES;
    new Uint16Array(memory.buffer, at, 1)[0] = code;
    memory[at + 2] = whenTrue;
    memory[at + 3] = whenFalse;
    new Uint32Array(memory.buffer, at + 4, 1)[0] = operand;
  }
  const address = addressOf(memory);
  if (address === undefined) return false;
  const program = new Uint8Array(PROGRAM_BYTES);
  new Uint16Array(program.buffer, 0, 1)[0] = instructions.length;
  new BigUint64Array(program.buffer, 8, 1)[0] = BigInt(address);
  return writeSocketBytes(datagramDescriptor(socket), SOL_SOCKET, SO_ATTACH_FILTER, program);
}
