import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * Forwards TCP connections from one address to another unchanged: carries dropframe's control channel, while the media
 * (UDP on the same port) goes through the relay.
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
        socket.on('error', () => {}); // followed by 'close'
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
