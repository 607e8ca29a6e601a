import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { TextDecoder } from 'node:util';
import { onTestFinished } from 'vitest';
import { ControlConnection } from '../../../io/net/control-connection.ts';
import { ControlServer, type ControlServerOptions, type PendingConnection } from '../../../io/net/control-server.ts';
import { ControlDeframer, serializeControlFrame } from '../../../protocol/control/control-framing.ts';
import { parseReceiverMessage, type ReceiverMessage } from '../../../protocol/control/control-message.ts';

/** Messages received on one connection of a server, and how it ended. */
export interface Heard {
  readonly pending: PendingConnection;
  readonly connection: ControlConnection<ReceiverMessage>;
  readonly messages: ReceiverMessage[];
  closed: boolean;
  cause: string | undefined;
}

/** A control server that records its messages; closed at the end of the test. */
export async function listening(options: Partial<ControlServerOptions> = {}) {
  const heard: Heard[] = [];
  const server = new ControlServer({
    host: '127.0.0.1',
    port: 0,
    pendingMax: 64,
    connectionsMax: 256,
    firstMessageTimeoutMs: 5_000,
    onConnection: (pending) => {
      const connection = new ControlConnection<ReceiverMessage>({
        socket: pending.socket,
        parse: parseReceiverMessage,
        onMessage: (message) => {
          pending.established();
          entry.messages.push(message);
        },
        onClose: (cause) => Object.assign(entry, { closed: true, cause }),
      });
      const entry: Heard = { pending, connection, messages: [], closed: false, cause: undefined };
      heard.push(entry);
    },
    ...options,
  });
  await server.listen();
  onTestFinished(() => server.close());
  return { server, heard };
}

/** A peer that sends raw bytes; closed at the end of the test. */
export class Peer {
  readonly socket: Socket;
  readonly received: unknown[] = [];
  ended = false;
  closed = false;

  /** @param options.stubborn true: does not close when the other side has. */
  static async to(port: number, { host = '127.0.0.1', stubborn = false } = {}): Promise<Peer> {
    const peer = new Peer(connect({ host, port, allowHalfOpen: stubborn }));
    await new Promise<void>((resolve, reject) => {
      peer.socket.once('connect', resolve);
      peer.socket.once('error', reject);
    });
    return peer;
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    const deframer = new ControlDeframer();
    socket.on('data', (bytes) => {
      const bodies = deframer.push(bytes);
      if (bodies.ok) for (const body of bodies.value) this.received.push(JSON.parse(new TextDecoder().decode(body)));
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
    onTestFinished(() => void socket.destroy());
  }
}

/** Serializes a message, valid or not. */
export const frame = (message: unknown): Uint8Array =>
  serializeControlFrame(Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)));

export const HELLO = {
  kind: 'hello',
  version: 1,
  transport: 'udp',
  latencyMs: 100,
  recovery: 'nack',
  playing: true,
} as const;

/** Waits for a condition; a timeout names it. */
export async function until(what: string, holds: () => boolean, ms = 60_000): Promise<void> {
  for (let waited = 0; !holds(); waited += 5) {
    if (waited > ms) throw new Error(`waited in vain until ${what}`);
    await pause(5);
  }
}
