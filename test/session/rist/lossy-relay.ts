import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { onTestFinished } from 'vitest';
import { freePortPair } from '../../interop/programs.ts';

const HOST = '127.0.0.1';
/** Place of the SSRC in RTP (RFC 3550 §5.1), of which RIST sets the last bit in retransmissions. */
const SSRC_END = 11;

export interface LossyRelay {
  readonly port: number;
  /** RTP datagrams discarded, and retransmissions passed on. */
  readonly counts: { dropped: number; again: number };
}

/**
 * Relays RTP and RTCP, on two ports in a row, to another such pair, and the RTCP of the other back. Every Nth original
 * is lost, and no retransmission.
 */
export async function lossyRelay({
  to,
  lostEvery,
}: {
  readonly to: number;
  readonly lostEvery: number;
}): Promise<LossyRelay> {
  const port = await freePortPair();
  const counts = { dropped: 0, again: 0 };
  let originals = 0;
  await relay(port, to, (datagram) => {
    if ((datagram[SSRC_END]! & 1) === 1) counts.again++;
    else if (++originals % lostEvery === 0) {
      counts.dropped++;
      return false;
    }
    return true;
  });
  await relay(port + 1, to + 1, () => true);
  return { port, counts };
}

async function relay(port: number, to: number, passes: (datagram: Buffer) => boolean): Promise<void> {
  const [outer, inner] = [await bound(port), await bound(0)];
  let client: RemoteInfo | undefined;
  outer.on('message', (datagram, from) => {
    client = from;
    if (passes(datagram)) inner.send(datagram, to, HOST);
  });
  inner.on('message', (datagram) => {
    if (client) outer.send(datagram, client.port, client.address);
  });
}

async function bound(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  // A receiver that is gone is none of the relay's business.
  socket.on('error', () => {});
  await new Promise<void>((resolve) => socket.bind(port, HOST, resolve));
  return socket;
}
