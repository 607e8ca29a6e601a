import { createSocket } from 'node:dgram';

/**
 * Returns a free port whose successor is free too, for RTP and RTCP. It is below those that Linux gives to sockets without a
 * port, so that none of them takes it before it is bound.
 */
export async function freePortPair(): Promise<number> {
  for (;;) {
    const port = 10_000 + 2 * Math.floor(Math.random() * 11_000);
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
}
