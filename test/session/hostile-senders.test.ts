import { createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { COUNT_MAX, type WelcomeMessage } from '../../protocol/control/control-message.ts';
import { frame } from '../io/net/control-peers.ts';
import { madeUpUnits, receive, serve } from '../loopback-session.ts';
import { joined } from './datagram-peer.ts';

/** A sender that welcomes every receiver, and sends one more message. */
async function impostor(word: (welcome: WelcomeMessage) => unknown): Promise<number> {
  const { server } = await serve(madeUpUnits(10));
  const { welcome } = await joined(server.port);
  const sockets = new Set<Socket>();
  const listening = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write(frame(welcome));
    socket.write(frame(word(welcome)));
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    listening.close();
  });
  return (listening.address() as { port: number }).port;
}

test.each([
  ['more frames than can be counted', 9e15, /no stream from .* \(.*\)/, 1_500],
  ['as many frames as can be counted', COUNT_MAX, /^end-of-stream$/, 8_000],
])(
  'a receiver to which %s is announced ends its run, and its process continues',
  async (_, frames, outcome, timeoutMs) => {
    const port = await impostor(() => ({ kind: 'end-of-stream', frames, packets: 1, lastSequence: 7 }));
    const { run, client } = receive(port, { latencyMs: 50, timeoutMs });
    expect(
      await run.then(
        (end) => end as string,
        (error: Error) => error.message,
      ),
    ).toMatch(outcome);
    expect(client.sessions.length).toBeGreaterThan(0);
  },
);
