export const V4 = { local: Uint8Array.of(10, 9, 0, 1), across: Uint8Array.of(10, 9, 0, 2) };
const v6 = (last: number) => Uint8Array.of(0xfd, 9, ...Array(13).fill(0), last);
export const V6 = { local: v6(1), across: v6(2) };

/** Reference checksum of RFC 1071: 0 over bytes that contain their valid checksum. */
export function internetChecksum(bytes: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index++) sum += bytes[index]! * (index % 2 === 0 ? 256 : 1);
  while (sum > 0xffff) sum = (sum % 0x1_0000) + Math.floor(sum / 0x1_0000);
  return 0xffff - sum;
}

const uint16 = (value: number): [number, number] => [value >> 8, value & 0xff];

interface IpV4Fields {
  readonly protocol: number;
  readonly payload: Uint8Array;
  readonly identification?: number;
  readonly flagsAndOffset?: number;
  readonly source?: Uint8Array;
  readonly destination?: Uint8Array;
}

export function ipv4(fields: IpV4Fields): Uint8Array {
  const { protocol, payload, identification = 1, flagsAndOffset = 0 } = fields;
  const { source = V4.local, destination = V4.across } = fields;
  const header = Uint8Array.of(
    ...[0x45, 0, ...uint16(20 + payload.length), ...uint16(identification), ...uint16(flagsAndOffset)],
    ...[64, protocol, 0, 0, ...source, ...destination],
  );
  header.set(uint16(internetChecksum(header)), 10);
  return Uint8Array.of(...header, ...payload);
}

interface IpV6Fields {
  readonly next: number;
  readonly payload: Uint8Array;
  readonly destination?: Uint8Array;
}

export const ipv6 = ({ next, payload, destination = V6.across }: IpV6Fields): Uint8Array =>
  Uint8Array.of(0x60, 0, 0, 0, ...uint16(payload.length), next, 64, ...V6.local, ...destination, ...payload);

/** A UDP datagram without checksum. */
export const udp = (source: number, destination: number, payload: readonly number[] = []): Uint8Array =>
  Uint8Array.of(...uint16(source), ...uint16(destination), ...uint16(8 + payload.length), 0, 0, ...payload);

export const SYN = 0x02;
export const ACK = 0x10;

export const tcp = (source: number, destination: number, flags: number): Uint8Array =>
  Uint8Array.of(...uint16(source), ...uint16(destination), ...Array(9).fill(0), flags, ...Array(6).fill(0));

/** ICMP "port unreachable" in reply to a datagram, as the kernel sends it (RFC 792). */
export function icmpUnreachable(arrived: Uint8Array): Uint8Array {
  const message = Uint8Array.of(3, 3, 0, 0, 0, 0, 0, 0, ...arrived);
  message.set(uint16(internetChecksum(message)), 2);
  return ipv4({ protocol: 1, payload: message });
}
