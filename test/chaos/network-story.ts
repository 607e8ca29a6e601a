// Run by a test in namespaces of its own: `network-story NAME` tells one story with a sender and a receiver in two
// networks, both encrypted by default, and prints what the receiver had to say.
import { argv, exit, stdout } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Receiver, Stage } from './stage.ts';
import { RECEIVER_ADDRESS, RECEIVER_INTERFACE, SENDER_ADDRESS, SENDER_INTERFACE, TwoNetworks } from './two-networks.ts';

const LISTEN = ['--listen', `${SENDER_ADDRESS}:7000`];
const OUTAGE_MS = 4_000;

interface Telling {
  readonly on: Stage;
  readonly networks: TwoNetworks;
  /** A receiver that shows frames. */
  readonly receiving: (args?: readonly string[]) => Promise<Receiver>;
}

const STORIES: Readonly<Record<string, (telling: Telling) => Promise<Receiver>>> = {
  'interface-down': async ({ networks, receiving }) => {
    const receiver = await receiving();
    networks.receiver(`link set ${RECEIVER_INTERFACE} down`);
    await sleep(OUTAGE_MS);
    networks.receiver(`link set ${RECEIVER_INTERFACE} up`);
    await receiver.shows(60);
    return receiver;
  },
  'address-change': async ({ networks, receiving }) => {
    const receiver = await receiving();
    networks.receiver(`addr del ${RECEIVER_ADDRESS}/24 dev ${RECEIVER_INTERFACE}`);
    networks.receiver(`addr add 10.1.0.77/24 dev ${RECEIVER_INTERFACE}`);
    await receiver.shows(60);
    return receiver;
  },
  'mtu-576': async ({ networks, receiving }) => {
    networks.sender(`link set ${SENDER_INTERFACE} mtu 576`);
    networks.receiver(`link set ${RECEIVER_INTERFACE} mtu 576`);
    const receiver = await receiving(['--latency', '1000']);
    await receiver.shows(120);
    return receiver;
  },
  'black-hole': async ({ networks, receiving }) => {
    const receiver = await receiving();
    networks.blackHole(true);
    await sleep(OUTAGE_MS);
    networks.blackHole(false);
    await receiver.shows(60);
    return receiver;
  },
  'black-hole-for-ever': async ({ networks, receiving }) => {
    const receiver = await receiving(['--timeout', '3', '--quiet']);
    networks.blackHole(true);
    await receiver.ended;
    return receiver;
  },
};

const networks = await TwoNetworks.open();
const on = new Stage();
const sender = await on.sender(LISTEN);
const receiving = async (args: readonly string[] = []): Promise<Receiver> => {
  const receiver = on.receiver(sender.url, args, { prefix: networks.entering });
  await receiver.shows(30);
  return receiver;
};
const receiver = await STORIES[argv[2]!]!({ on, networks, receiving });
const code = await receiver.stop();
const { sessions, transport, frames } = receiver.progress!;
const { complaints } = receiver;
stdout.write(`${JSON.stringify({ code, sessions, transport, neverArrived: frames.neverArrived, complaints })}\n`);
exit(0);
