import type { Socket } from 'node:dgram';
import { addressOf, lastErrorNumber, libraryFunction } from '../os/c-library.ts';
import { MSG_DONTWAIT } from './direct-send.ts';
import {
  ANCILLARY_HEADER_BYTES,
  CONTROL_LENGTH_AT,
  MESSAGE_ARCHITECTURES,
  MESSAGE_BYTES,
  NAME_LENGTH_AT,
  VECTOR_BYTES,
  writeMessage,
  writeVector,
} from './message-layout.ts';
import { type Destination, SOCKET_ADDRESS_BYTES, type SocketAddresses } from './socket-address.ts';
import { datagramDescriptor } from './socket-options.ts';

type SendMany = (fd: number, messages: Uint8Array, count: number, flags: number) => number;

/** Constants of linux/udp.h, and of errno.h on Linux. */
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const EAGAIN = 11;

/** Messages of a batch, and their bytes: a frame of 4 kB to each of 64 receivers. */
const MESSAGES_MAX = 64;
const BYTES_MAX = 262_144;
/** Room for one control message, and length of one with a segment length of 16 bits. */
const CONTROL_BYTES = 24;
const SEGMENT_CONTROL_BYTES = ANCILLARY_HEADER_BYTES + 2;

/** Offsets in the memory of a batch: messages, vectors, socket addresses, control messages, bytes. */
const VECTORS_AT = MESSAGES_MAX * MESSAGE_BYTES;
const NAMES_AT = VECTORS_AT + MESSAGES_MAX * VECTOR_BYTES;
const CONTROLS_AT = NAMES_AT + MESSAGES_MAX * SOCKET_ADDRESS_BYTES;
const BYTES_AT = CONTROLS_AT + MESSAGES_MAX * CONTROL_BYTES;

/** A run of datagrams for one destination. */
interface QueuedRun {
  readonly to: Destination;
  /** Lengths of the datagrams, and their sum. */
  readonly lengths: readonly number[];
  readonly bytes: number;
}

/**
 * Datagrams for many destinations that leave a bound IPv4 socket in one system call, sendmmsg(2). For a frame of four packets, a call
 * through koffi for each destination takes half as long again as the kernel's part.
 */
export class SendBatch {
  readonly #call: SendMany;
  readonly #fd: number;
  readonly #addresses: SocketAddresses;
  readonly #memory = new Uint8Array(BYTES_AT + BYTES_MAX);
  readonly #view = new DataView(this.#memory.buffer);
  readonly #base: bigint;
  readonly #runs: QueuedRun[] = [];
  /** Memory from each message on, for a call that begins with it. */
  readonly #from: readonly Uint8Array[];
  #end = BYTES_AT;

  /** @param socket bound, without a peer. Returns `undefined` where the system call is not available. */
  static of(socket: Socket, addresses: SocketAddresses): SendBatch | undefined {
    if (!MESSAGE_ARCHITECTURES.has(process.arch)) return undefined;
    const call = libraryFunction<SendMany>('int sendmmsg(int fd, const void *messages, uint32 count, int flags)');
    const fd = datagramDescriptor(socket);
    if (!call || fd === undefined) return undefined;
    try {
      return new SendBatch(call, fd, addresses);
    } catch {
      return undefined;
    }
  }

  private constructor(call: SendMany, fd: number, addresses: SocketAddresses) {
    this.#call = call;
    this.#fd = fd;
    this.#addresses = addresses;
    this.#base = BigInt(addressOf(this.#memory)!);
    this.#from = Array.from({ length: MESSAGES_MAX }, (_, index) => this.#memory.subarray(index * MESSAGE_BYTES));
    this.#writeLayout();
  }

  /** True while no datagram waits. */
  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  /**
   * Copies datagrams into the batch.
   * @param segmentBytes length of all but the last of them, when there are several.
   * @returns false when there is no room, or when the destination is not an IPv4 address.
   */
  add(datagrams: readonly Uint8Array[], to: Destination, segmentBytes: number): boolean {
    const index = this.#runs.length;
    let bytes = 0;
    for (const { length } of datagrams) bytes += length;
    if (index === MESSAGES_MAX || this.#end + bytes > this.#memory.length) return false;
    const address = this.#addresses.of(to);
    if (!address) return false;
    this.#memory.set(address, NAMES_AT + index * SOCKET_ADDRESS_BYTES);
    writeVector(this.#view, VECTORS_AT + index * VECTOR_BYTES, this.#base + BigInt(this.#end), bytes);
    const isRun = datagrams.length > 1;
    this.#view.setBigUint64(index * MESSAGE_BYTES + CONTROL_LENGTH_AT, isRun ? BigInt(CONTROL_BYTES) : 0n, true);
    const segmentAt = CONTROLS_AT + index * CONTROL_BYTES + ANCILLARY_HEADER_BYTES;
    if (isRun) this.#view.setUint16(segmentAt, segmentBytes, true);
    for (const datagram of datagrams) {
      this.#memory.set(datagram, this.#end);
      this.#end += datagram.length;
    }
    this.#runs.push({ to, lengths: datagrams.map(({ length }) => length), bytes });
    return true;
  }

  /** Sends what waits. @returns copies of the datagrams that the kernel refused, or had no room for. */
  flush(): { readonly datagrams: readonly Uint8Array[]; readonly to: Destination }[] {
    const runs = this.#runs.splice(0);
    const unsent: { readonly datagrams: readonly Uint8Array[]; readonly to: Destination }[] = [];
    let isFull = false;
    let at = BYTES_AT;
    for (let first = 0; first < runs.length; ) {
      const count = isFull ? -1 : this.#call(this.#fd, this.#from[first]!, runs.length - first, MSG_DONTWAIT);
      for (let sent = 0; sent < count; sent++) at += runs[first++]!.bytes;
      if (count > 0) continue;
      // When there is no room, all that follow wait in Node's queue, in their order.
      isFull ||= lastErrorNumber() === EAGAIN;
      const { to, lengths, bytes } = runs[first++]!;
      let start = at;
      const datagrams = lengths.map((length) => {
        start += length;
        return this.#memory.slice(start - length, start);
      });
      unsent.push({ datagrams, to });
      at += bytes;
    }
    this.#end = BYTES_AT;
    return unsent;
  }

  /** Writes the parts of the structures that stay. */
  #writeLayout(): void {
    const address = (offset: number) => this.#base + BigInt(offset);
    for (let index = 0; index < MESSAGES_MAX; index++) {
      const control = CONTROLS_AT + index * CONTROL_BYTES;
      writeMessage(this.#view, index * MESSAGE_BYTES, {
        name: address(NAMES_AT + index * SOCKET_ADDRESS_BYTES),
        vector: address(VECTORS_AT + index * VECTOR_BYTES),
        control: address(control),
      });
      this.#view.setUint32(index * MESSAGE_BYTES + NAME_LENGTH_AT, SOCKET_ADDRESS_BYTES, true);
      this.#view.setBigUint64(control, BigInt(SEGMENT_CONTROL_BYTES), true);
      this.#view.setInt32(control + 8, SOL_UDP, true);
      this.#view.setInt32(control + 12, UDP_SEGMENT, true);
    }
  }
}
