import type { Socket } from 'node:dgram';
import { getSystemErrorName } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import type { Ecn } from '../../protocol/ecn.ts';
import { addressOf, lastErrorNumber, libraryFunction } from '../os/c-library.ts';
import { MSG_DONTWAIT } from './direct-send.ts';
import {
  ANCILLARY_HEADER_BYTES,
  CONTROL_LENGTH_AT,
  FLAGS_AT,
  LENGTH_AT,
  MESSAGE_ARCHITECTURES,
  MESSAGE_BYTES,
  VECTOR_BYTES,
  writeMessage,
  writeVector,
} from './message-layout.ts';
import { datagramDescriptor, datagramHandle, writeSocketOption } from './socket-options.ts';

type ReceiveMany = (fd: number, messages: Uint8Array, count: number, flags: number, timeout: null) => number;
type Control = (fd: number, command: number, argument: number) => number;

/** Constants of linux/in.h, linux/in6.h, fcntl.h, errno.h and sys/socket.h. */
const SOL_IP = 0;
const IP_TOS = 1;
const IP_RECVTOS = 13;
const SOL_IPV6 = 41;
const IPV6_RECVTCLASS = 66;
const IPV6_TCLASS = 67;
const MSG_TRUNC = 0x20;
const F_GETFL = 3;
const F_SETFL = 4;
const F_SETOWN = 8;
const O_ASYNC = 0x2000;
const EAGAIN = 11;

const ECN_BITS = 3;
/** Datagrams per system call, and system calls per turn, so that nothing else waits for long. */
const BATCH = 32;
const BATCHES_MAX = 8;
/** Room for one control message. */
const CONTROL_BYTES = 64;
/** Interval at which the sockets are read even without a signal, milliseconds. */
const FALLBACK_MS = 20;

/** Sets the ECN bits of datagrams sent from now on. @returns false when that is not possible. */
export function markOnSend(socket: Socket, isIpv6: boolean, ecn: Ecn): boolean {
  const fd = datagramDescriptor(socket);
  // An IPv6 socket sends to IPv4-mapped addresses with the option of IPv4.
  const isSet = writeSocketOption(fd, SOL_IP, IP_TOS, ecn);
  return isIpv6 ? writeSocketOption(fd, SOL_IPV6, IPV6_TCLASS, ecn) : isSet;
}

export interface MarkedDatagramsOptions {
  readonly isIpv6: boolean;
  /** Longest datagram; longer ones are dropped. */
  readonly bytesMax: number;
  readonly onDatagram: (datagram: Uint8Array, ecn: Ecn) => void;
  /** Called for an error of the socket, such as one that the peer's operating system has sent by ICMP. */
  readonly onError: (error: Error) => void;
}

/** All sockets that are read here, and the one handler of the signal for them. */
const open = new Set<MarkedDatagrams>();
const readAll = (): void => {
  for (const each of open) each.read();
};

/**
 * Receives the datagrams of a socket together with their ECN bits, which Node discards. In place of Node's reads, the
 * kernel signals each arrival (SIGIO), and recvmmsg(2) returns what has arrived.
 */
export class MarkedDatagrams {
  readonly #fd: number;
  readonly #receive: ReceiveMany;
  readonly #options: MarkedDatagramsOptions;
  readonly #bytesMax: number;
  /** Memory that the kernel writes to: messages, vectors, control messages, then the datagrams. */
  readonly #memory: Uint8Array;
  readonly #view: DataView;
  readonly #timer: NodeJS.Timeout;
  #again: NodeJS.Immediate | undefined;

  /** Takes over the reads of a socket; `undefined` when that is not possible, and Node goes on reading. */
  static take(socket: Socket, options: MarkedDatagramsOptions): MarkedDatagrams | undefined {
    if (!MESSAGE_ARCHITECTURES.has(process.arch)) return undefined;
    const { isIpv6, bytesMax } = options;
    const receive = libraryFunction<ReceiveMany>(
      'int recvmmsg(int fd, void *messages, uint32 count, int flags, void *timeout)',
    );
    const control = libraryFunction<Control>('int fcntl(int fd, int command, int argument)');
    const fd = datagramDescriptor(socket);
    const handle = datagramHandle(socket);
    // Signals arrive in the main thread only.
    if (!receive || !control || fd === undefined || !handle?.recvStop || !isMainThread) return undefined;
    const [level, name] = isIpv6 ? [SOL_IPV6, IPV6_RECVTCLASS] : [SOL_IP, IP_RECVTOS];
    const memory = new Uint8Array(BATCH * (MESSAGE_BYTES + VECTOR_BYTES + CONTROL_BYTES + bytesMax));
    if (addressOf(memory) === undefined || !writeSocketOption(fd, level!, name!, 1)) return undefined;
    // Without a handler, the signal would end the process.
    if (!process.listeners('SIGIO').includes(readAll)) process.on('SIGIO', readAll);
    const flags = control(fd, F_GETFL, 0);
    if (control(fd, F_SETOWN, process.pid) !== 0 || control(fd, F_SETFL, flags | O_ASYNC) !== 0) return undefined;
    handle.recvStop();
    return new MarkedDatagrams(fd, receive, memory, options);
  }

  private constructor(fd: number, receive: ReceiveMany, memory: Uint8Array, options: MarkedDatagramsOptions) {
    this.#fd = fd;
    this.#receive = receive;
    this.#memory = memory;
    this.#view = new DataView(memory.buffer);
    this.#options = options;
    this.#bytesMax = options.bytesMax;
    this.#writeLayout();
    open.add(this);
    this.#timer = setInterval(() => this.read(), FALLBACK_MS);
    this.read();
  }

  /** Passes on what has arrived. */
  read(): void {
    let isError = false;
    for (let batches = 0; batches < BATCHES_MAX; batches++) {
      if (!open.has(this)) return;
      this.#resetControlLengths();
      const count = this.#receive(this.#fd, this.#memory, BATCH, MSG_DONTWAIT, null);
      isError = count < 0;
      if (isError) {
        const code = lastErrorNumber();
        if (code === EAGAIN) return;
        // The error of an earlier send: what has arrived waits behind it.
        this.#options.onError(systemError(code));
        continue;
      }
      for (let index = 0; index < count && open.has(this); index++) this.#pass(index);
      if (count < BATCH) return;
    }
    if (isError) return;
    this.#again ??= setImmediate(() => {
      this.#again = undefined;
      this.read();
    });
  }

  /** To be called before the socket is closed. */
  close(): void {
    open.delete(this);
    clearInterval(this.#timer);
    if (this.#again) clearImmediate(this.#again);
  }

  #control(index: number): number {
    return BATCH * (MESSAGE_BYTES + VECTOR_BYTES) + index * CONTROL_BYTES;
  }

  #datagram(index: number): number {
    return BATCH * (MESSAGE_BYTES + VECTOR_BYTES + CONTROL_BYTES) + index * this.#bytesMax;
  }

  /** Writes the structures that stay. */
  #writeLayout(): void {
    const base = BigInt(addressOf(this.#memory)!);
    for (let index = 0; index < BATCH; index++) {
      const vector = BATCH * MESSAGE_BYTES + index * VECTOR_BYTES;
      writeVector(this.#view, vector, base + BigInt(this.#datagram(index)), this.#bytesMax);
      const control = base + BigInt(this.#control(index));
      writeMessage(this.#view, index * MESSAGE_BYTES, { name: 0n, vector: base + BigInt(vector), control });
    }
  }

  /** Writes what the kernel has changed. */
  #resetControlLengths(): void {
    for (let index = 0; index < BATCH; index++) {
      this.#view.setUint32(index * MESSAGE_BYTES + CONTROL_LENGTH_AT, CONTROL_BYTES, true);
    }
  }

  #pass(index: number): void {
    const message = index * MESSAGE_BYTES;
    const length = this.#view.getUint32(message + LENGTH_AT, true);
    if ((this.#view.getUint32(message + FLAGS_AT, true) & MSG_TRUNC) !== 0) return;
    const at = this.#datagram(index);
    this.#options.onDatagram(this.#memory.slice(at, at + length), this.#ecnOf(index));
  }

  #ecnOf(index: number): Ecn {
    const at = this.#control(index);
    const isThere = this.#view.getUint32(index * MESSAGE_BYTES + CONTROL_LENGTH_AT, true) > ANCILLARY_HEADER_BYTES;
    const [level, type] = [this.#view.getInt32(at + 8, true), this.#view.getInt32(at + 12, true)];
    const isTrafficClass = (level === SOL_IP && type === IP_TOS) || (level === SOL_IPV6 && type === IPV6_TCLASS);
    return isThere && isTrafficClass ? ((this.#memory[at + ANCILLARY_HEADER_BYTES]! & ECN_BITS) as Ecn) : 0;
  }
}

/** An error as Node states it. */
function systemError(number: number): Error {
  const code = getSystemErrorName(-number);
  return Object.assign(new Error(`recvmmsg ${code}`), { code, errno: -number, syscall: 'recvmmsg' });
}
