import { closeSync, constants, openSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import type { Microseconds } from '../../protocol/base/units.ts';
import { lastErrorNumber, libraryFunction } from './c-library.ts';
import { causeOf, Failure } from './failure.ts';

export const TUN_PATH = '/dev/net/tun';

/** Constants of linux/if_tun.h, linux/if.h and poll.h. */
const TUNSETIFF = 0x400454ca;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;
const IFREQ_BYTES = 40;
const NAME_BYTES = 16;
const POLLIN = 0x0001;

type Call<Parameters extends unknown[]> = (...parameters: Parameters) => number;

interface Calls {
  readonly read: Call<[fd: number, bytes: Uint8Array, length: number]>;
  readonly write: Call<[fd: number, bytes: Uint8Array, length: number]>;
  readonly poll: Call<[set: Uint8Array, count: number, time: BigInt64Array, mask: null]>;
  readonly ioctl: Call<[fd: number, request: number, argument: Uint8Array]>;
}

function calls(): Calls {
  const read = libraryFunction<Calls['read']>('long read(int fd, void *bytes, size_t length)');
  const write = libraryFunction<Calls['write']>('long write(int fd, const void *bytes, size_t length)');
  const poll = libraryFunction<Calls['poll']>(
    'int ppoll(void *set, unsigned long count, const void *time, const void *mask)',
  );
  const ioctl = libraryFunction<Calls['ioctl']>('int ioctl(int fd, unsigned long request, void *argument)');
  if (!read || !write || !poll || !ioctl) {
    throw new Failure('a TUN device needs the optional package koffi, which does not load: npm install koffi', 3);
  }
  return { read, write, poll, ioctl };
}

/** Checks that TUN devices can be used: Linux with koffi. @throws {Failure} that says what is missing. */
export function assertTunCalls(): void {
  if (process.platform !== 'linux') throw new Failure(`TUN devices require Linux; this is ${process.platform}`, 3);
  calls();
}

/**
 * Creates a TUN device in the current network namespace. It exists until its file descriptor is closed, explicitly or
 * at the end of the process.
 * @returns the file descriptor: reads return packets sent by the kernel, writes deliver packets to it.
 */
export function createTun(name: string): number {
  const { ioctl } = calls();
  let fd: number;
  try {
    fd = openSync(TUN_PATH, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const remedy = absent ? 'sudo modprobe tun' : `sudo chmod 666 ${TUN_PATH}`;
    throw new Failure(`cannot open ${TUN_PATH}: ${causeOf(error)}; ${remedy}`, 3);
  }
  const request = new Uint8Array(IFREQ_BYTES);
  request.set(new TextEncoder().encode(name).subarray(0, NAME_BYTES - 1));
  new Uint16Array(request.buffer)[NAME_BYTES / 2] = IFF_TUN | IFF_NO_PI;
  if (ioctl(fd, TUNSETIFF, request) === 0) return fd;
  const cause = getSystemErrorName(-lastErrorNumber());
  closeSync(fd);
  throw new Failure(`cannot create the TUN device ${name}: ${cause}`);
}

/**
 * Reads and writes whole IP packets, one system call each. Waiting has microsecond resolution and blocks the thread.
 */
export class TunDevice {
  readonly #calls = calls();
  readonly #fd: number;
  /** struct pollfd: descriptor, requested events, returned events. */
  readonly #set = new Uint8Array(8);
  /** struct timespec: seconds, nanoseconds. */
  readonly #time = new BigInt64Array(2);

  /** @param fd returned by `createTun`. */
  constructor(fd: number) {
    this.#fd = fd;
    new Int32Array(this.#set.buffer)[0] = fd;
    new Int16Array(this.#set.buffer)[2] = POLLIN;
  }

  /** Blocks until a packet is readable, for `time` at most. */
  wait(time: Microseconds): void {
    this.#time[0] = BigInt(Math.floor(time / 1e6));
    this.#time[1] = BigInt(Math.round((time % 1e6) * 1_000));
    this.#calls.poll(this.#set, 1, this.#time, null);
  }

  /** Reads a packet and returns its length; 0 when there is none. */
  read(into: Uint8Array): number {
    return Math.max(0, this.#calls.read(this.#fd, into, into.length));
  }

  /** Writes a packet; returns false when the kernel refuses it. */
  write(packet: Uint8Array): boolean {
    return this.#calls.write(this.#fd, packet, packet.length) === packet.length;
  }
}
