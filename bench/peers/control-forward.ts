import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * Takes TCP connections at one address to another, as they are: what our control channel goes through while the media,
 * UDP on the same port, goes through the relay.
 */
export class ControlForward {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  static async open(
    listen: { host: string; port: number },
    to: { host: string; port: number },
  ): Promise<ControlForward> {
    const forward = new ControlForward(to);
    await new Promise<void>((resolve, reject) => {
      forward.#server.once('error', reject);
      forward.#server.listen(listen.port, listen.host, resolve);
    });
    return forward;
  }

  private constructor(to: { host: string; port: number }) {
    this.#server = createServer({ noDelay: true }, (near) => {
      const far = connect({ ...to, noDelay: true });
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('error', () => {}); // 'close' follows
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
