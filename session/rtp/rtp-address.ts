import { lookup } from 'node:dns/promises';
import { BlockList, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { causeOf, Failure } from '../../io/os/failure.ts';

/** RTCP has the port after RTP's (RFC 3550 §11). */
export const RTP_PORT_MAX = 65_534;

export interface RtpAddress {
  readonly address: string;
  readonly ipv6: boolean;
}

/** RFC 1112, RFC 4291 §2.7. */
const multicast = new BlockList();
multicast.addSubnet('224.0.0.0', 4, 'ipv4');
multicast.addSubnet('ff00::', 8, 'ipv6');
/** No address of one machine: RFC 1122 §3.2.1.3, RFC 4291 §2.5.2. */
const nobody = new BlockList();
nobody.addSubnet('0.0.0.0', 8, 'ipv4');
nobody.addAddress('255.255.255.255', 'ipv4');
nobody.addAddress('::', 'ipv6');

/**
 * The address of a name, IPv4 first: players bind that. Only one machine's address will do for the way there: a stream
 * to a group of them needs its reach and interface chosen, and a mistake floods a network.
 *
 * @param use `receive`: an address of our own, where "any" is fine.
 */
export async function resolveRtpAddress(where: string, host: string, use: 'send' | 'receive'): Promise<RtpAddress> {
  const { address } = await lookup(host, { verbatim: false }).catch((error: unknown) => {
    const unknown = (error as NodeJS.ErrnoException).code === 'ENOTFOUND';
    throw new Failure(`${where}: ${unknown ? `no host called ${host} is known` : causeOf(error)}`);
  });
  const ipv6 = isIPv6(address);
  const family = ipv6 ? 'ipv6' : 'ipv4';
  if (multicast.check(address, family)) {
    throw new Failure(`${where}: ${address} is a multicast group, and only one machine's address will do`, 2);
  }
  if (use === 'send' && (nobody.check(address, family) || isBroadcast(address))) {
    throw new Failure(`${where}: ${address} is no machine's address; name the receiver's, such as 127.0.0.1`, 2);
  }
  return { address, ipv6 };
}

/** Whether it is the address of all machines of a network that we are on (RFC 919 §7). */
function isBroadcast(address: string): boolean {
  return Object.values(networkInterfaces()).some((addresses = []) =>
    addresses.some(({ family, address: own, netmask }) => {
      const mask = family === 'IPv4' ? numberOf(netmask) : 0xffff_ffff;
      // A network of two machines or one (RFC 3021) has no such address.
      return mask < 0xffff_fffe && numberOf(address) === (numberOf(own) | ~mask) >>> 0;
    }),
  );
}

/** The 32 bits of an IPv4 address; NaN for another. */
const numberOf = (address: string): number =>
  address.split('.').length === 4 ? address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0) : Number.NaN;
