import type { Socket } from 'node:dgram';
import { datagramDescriptor, writeSocketOption } from './socket-options.ts';

/** Constants of linux/udp.h, linux/in.h and asm-generic/socket.h. */
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const UDP_GRO = 104;

/** Constants of linux/in.h and linux/in6.h. */
const SOL_IP = 0;
const IP_MTU_DISCOVER = 10;
const SOL_IPV6 = 41;
const IPV6_MTU_DISCOVER = 23;
const PMTUDISC_WANT = 1;
const PMTUDISC_PROBE = 3;

const set = (socket: Socket, level: number, name: number, value: number): boolean =>
  writeSocketOption(datagramDescriptor(socket), level, name, value);

/** Lets one send carry many datagrams of `bytes` each; the last may be shorter (UDP_SEGMENT, Linux 4.18). */
export const segmentOnSend = (socket: Socket, bytes: number): boolean => set(socket, SOL_UDP, UDP_SEGMENT, bytes);

/** Lets one receive return many datagrams of equal length in one piece (UDP_GRO, Linux 5.0). */
export const coalesceOnReceive = (socket: Socket): boolean => set(socket, SOL_UDP, UDP_GRO, 1);

/** Sets a receive buffer beyond the system's limit; requires root. */
export const forceReceiveBuffer = (socket: Socket, bytes: number): boolean =>
  set(socket, SOL_SOCKET, SO_RCVBUFFORCE, bytes);

/** Sends unfragmented and regardless of the kernel's path MTU (IP_PMTUDISC_PROBE, Linux 2.6.22), or as by default. */
export function sendUnfragmented(socket: Socket, unfragmented: boolean): void {
  const value = unfragmented ? PMTUDISC_PROBE : PMTUDISC_WANT;
  set(socket, SOL_IP, IP_MTU_DISCOVER, value);
  set(socket, SOL_IPV6, IPV6_MTU_DISCOVER, value);
}
