import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { listenOnBoth } from './shared-port.ts';

export type Way = 'to-sender' | 'to-receiver';

/** An adversary's treatment of a datagram: returns the datagrams to forward in its place, in this order. */
export type Tampering = (datagram: Buffer, way: Way) => readonly Uint8Array[];

/** An on-path attacker between a receiver and a sender that reads and changes everything in both channels. */
export interface Adversary {
  readonly port: number;
  /** All that was seen, of both channels and ways. */
  readonly seen: { readonly way: Way; readonly channel: 'control' | 'media'; readonly bytes: Buffer }[];
  /** Number of datagrams that it made itself. */
  readonly injected: number;
  tamper: Tampering;
  /** Changes to bytes of the control connection. */
  tamperControl: (bytes: Buffer, way: Way) => Buffer;
}

/**
 * Datagrams that it sends before the ends of this process read their sockets again: what it adds must not fill the
 * kernel's buffers, which would lose genuine datagrams on a busy machine.
 */
const SENDS_MAX = 4;

const UNCHANGED: Tampering = (datagram) => [datagram];

/** Puts an adversary before a sender. */
export async function adversaryBefore(target: number): Promise<Adversary> {
  const uplinks = new Map<number, DatagramSocket>();
  const adversary = {
    port: 0,
    seen: [] as Adversary['seen'],
    injected: 0,
    tamper: UNCHANGED,
    tamperControl: (bytes: Buffer) => bytes,
  };
  const pass = (from: Socket, to: Socket, way: Way) => {
    from.on('data', (bytes: Buffer) => {
      adversary.seen.push({ way, channel: 'control', bytes });
      to.write((adversary as Adversary).tamperControl(Buffer.from(bytes), way));
    });
    from.on('end', () => to.end());
    from.on('error', () => {});
    from.on('close', () => to.destroy());
    onTestFinished(() => void from.destroy());
  };
  const tcp = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    pass(near, far, 'to-sender');
    pass(far, near, 'to-receiver');
  });
  const { port, udp } = await listenOnBoth(tcp);
  adversary.port = port;
  const queue: (() => void)[] = [];
  const drain = () => {
    for (const send of queue.splice(0, SENDS_MAX)) send();
    if (queue.length > 0) setImmediate(drain);
  };
  const forward = (datagram: Buffer, way: Way, send: (bytes: Uint8Array) => void) => {
    adversary.seen.push({ way, channel: 'media', bytes: Buffer.from(datagram) });
    const sent = adversary.tamper(datagram, way);
    adversary.injected += sent.filter((each) => each !== datagram).length;
    if (queue.length === 0) setImmediate(drain);
    queue.push(...sent.map((each) => () => send(each)));
  };
  udp.on('message', (datagram, { port: receiver }) => {
    let uplink = uplinks.get(receiver);
    if (!uplink) {
      const opened = createSocket('udp4');
      opened.on('message', (answer) =>
        forward(answer, 'to-receiver', (bytes) => udp.send(bytes, receiver, '127.0.0.1')),
      );
      onTestFinished(() => void opened.close());
      uplinks.set(receiver, opened);
      uplink = opened;
    }
    const to = uplink;
    forward(datagram, 'to-sender', (bytes) => to.send(bytes, target, '127.0.0.1'));
  });
  return adversary;
}
