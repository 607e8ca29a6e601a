import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Server } from 'node:net';
import { onTestFinished } from 'vitest';

/** Lets a TCP server listen at a port that a new UDP socket has too; both are closed at the end of the test. */
export async function listenOnBoth(tcp: Server): Promise<{ readonly port: number; readonly udp: Socket }> {
  for (;;) {
    const udp = createSocket('udp4').bind(0, '127.0.0.1');
    await once(udp, 'listening');
    const { port } = udp.address();
    // Another process may have the TCP port of this number.
    const isFree = await new Promise<boolean>((resolve) => {
      tcp.once('error', () => resolve(false));
      tcp.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) {
      udp.close();
      continue;
    }
    onTestFinished(() => {
      tcp.close();
      udp.close();
    });
    return { port, udp };
  }
}
