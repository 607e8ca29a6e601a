import { accessSync, constants } from 'node:fs';
import { tryNamespaces } from '../io/os/network-namespace.ts';
import { assertTunCalls, TUN_PATH } from '../io/os/tun-device.ts';

/** True when this machine has TUN devices in network namespaces. */
export async function hasTun(): Promise<boolean> {
  try {
    assertTunCalls();
    accessSync(TUN_PATH, constants.R_OK | constants.W_OK);
  } catch {
    return false;
  }
  return 'arguments' in (await tryNamespaces());
}
