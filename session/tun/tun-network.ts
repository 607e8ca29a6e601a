import { configureNetwork, readNetworkSetting, writeNetworkSetting } from '../../io/os/network-namespace.ts';
import { createTun } from '../../io/os/tun-device.ts';
import { TUN_ADDRESSES } from './tun-path.ts';

export const INTERFACE = 'tun0';
/** Device queue, packets: about 50 ms of full packets at 1 Gb/s. */
const DEVICE_QUEUE_PACKETS = 5_000;
/** Minimum MTU of IPv6 (RFC 8200 §5), bytes. */
const MTU_MIN_V6 = 1_280;

/** Makes the TUN device of a new network namespace, with its addresses. @returns its file descriptor. */
export async function setUpNetwork(mtu: number): Promise<{ fd: number; ipv6: boolean }> {
  const fd = createTun(INTERFACE);
  const device = `ipv6/conf/${INTERFACE}`;
  const ipv6 = mtu >= MTU_MIN_V6 && (await readNetworkSetting(`${device}/disable_ipv6`)) !== undefined;
  if (ipv6) {
    await writeNetworkSetting(`${device}/disable_ipv6`, '0');
    // No automatic address and no router solicitation: fewer announcements on the link.
    await writeNetworkSetting(`${device}/addr_gen_mode`, '1').catch(() => {});
    await writeNetworkSetting(`${device}/accept_ra`, '0').catch(() => {});
  }
  const address = ({ local, across }: { local: string; across: string }) =>
    `addr add ${local} peer ${across} dev ${INTERFACE}`;
  await configureNetwork([
    'link set lo up',
    `link set ${INTERFACE} mtu ${mtu} txqueuelen ${DEVICE_QUEUE_PACKETS} up`,
    address(TUN_ADDRESSES.ipv4),
    ...(ipv6 ? [`${address(TUN_ADDRESSES.ipv6)} nodad`] : []),
  ]);
  return { fd, ipv6 };
}
