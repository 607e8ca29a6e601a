import { createSocket, type Socket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { listenOnBoth } from './shared-port.ts';

/** A box between a receiver and a sender on this machine: TCP passes, and UDP as long as it is wanted. */
export interface Middlebox {
  readonly port: number;
  /** Sends what the receiver sends from another port from now on, and forgets the old one, as a NAT may. */
  rebind(): void;
  /** Drops all datagrams, or passes them again. */
  block(blocked: boolean): void;
}

export async function middlebox(target: number): Promise<Middlebox> {
  let blocked = false;
  const uplinks = new Map<number, Socket>();
  const tcp = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const socket of [near, far]) {
      socket.on('error', () => {});
      onTestFinished(() => void socket.destroy());
    }
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.pipe(far);
    far.pipe(near);
  });
  const { port, udp } = await listenOnBoth(tcp);
  const uplinkFor = (receiver: number): Socket => {
    const uplink = createSocket('udp4');
    onTestFinished(() => void uplink.close());
    uplink.on('message', (datagram) => {
      if (!blocked && uplinks.get(receiver) === uplink) udp.send(datagram, receiver, '127.0.0.1');
    });
    return uplink;
  };
  udp.on('message', (datagram, { port: receiver }) => {
    if (blocked) return;
    const uplink = uplinks.get(receiver) ?? uplinkFor(receiver);
    uplinks.set(receiver, uplink);
    uplink.send(datagram, target, '127.0.0.1');
  });
  return {
    port,
    rebind: () => uplinks.clear(),
    block: (wanted) => {
      blocked = wanted;
    },
  };
}
