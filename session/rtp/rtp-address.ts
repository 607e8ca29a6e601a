import { BlockList, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { resolveHost } from '../../io/net/host-address.ts';
import { causeOf, Failure } from '../../io/os/failure.ts';

/** Highest RTP port: RTCP uses the next one (RFC 3550 §11). */
export const RTP_PORT_MAX = 65_534;

export interface RtpAddress {
  readonly address: string;
  /** True for a multicast group. */
  readonly isGroup: boolean;
}

/** Multicast addresses (RFC 1112, RFC 4291 §2.7). */
const multicast = new BlockList();
multicast.addSubnet('224.0.0.0', 4, 'ipv4');
multicast.addSubnet('ff00::', 8, 'ipv6');
/** Addresses that are not those of a single machine (RFC 1122 §3.2.1.3, RFC 4291 §2.5.2). */
const nonHost = new BlockList();
nonHost.addSubnet('0.0.0.0', 8, 'ipv4');
nonHost.addAddress('255.255.255.255', 'ipv4');
nonHost.addAddress('::', 'ipv6');

/**
 * Resolves a host name, IPv4 first, as players do. The destination must be a single machine, or, where the caller knows its
 * scope and interface, a multicast group.
 * @param use `receive`: an address of this machine, where the unspecified address is allowed.
 * @throws {Failure} for an unknown host or an address that is not allowed.
 */
export async function resolveRtpAddress(
  where: string,
  host: string,
  use: 'send' | 'send-to-group' | 'receive',
): Promise<RtpAddress> {
  const address = await resolveHost(host).catch((error: unknown) => {
    throw new Failure(`${where}: ${causeOf(error)}`);
  });
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const isGroup = multicast.check(address, family);
  if (isGroup && use !== 'send-to-group') {
    throw new Failure(`${where}: ${address} is a multicast group; use the address of a single machine`, 2);
  }
  if (use !== 'receive' && (nonHost.check(address, family) || isBroadcast(address))) {
    throw new Failure(`${where}: ${address} is not the address of a machine; use the receiver's, such as 127.0.0.1`, 2);
  }
  return { address, isGroup };
}

/** True for the broadcast address of a connected network (RFC 919 §7). */
function isBroadcast(address: string): boolean {
  return Object.values(networkInterfaces()).some((addresses = []) =>
    addresses.some(({ family, address: own, netmask }) => {
      const mask = family === 'IPv4' ? numberOf(netmask) : 0xffff_ffff;
      // A network with one or two addresses (RFC 3021) has no broadcast address.
      return mask < 0xffff_fffe && numberOf(address) === (numberOf(own) | ~mask) >>> 0;
    }),
  );
}

/** The 32 bits of an IPv4 address; NaN for any other address. */
const numberOf = (address: string): number =>
  address.split('.').length === 4 ? address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0) : Number.NaN;
