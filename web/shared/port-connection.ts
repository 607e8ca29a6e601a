import { type ConnectionHandlers, takeBinary } from './page-connection.ts';

/** Connection to another worker of the page: the same messages as from a server, as values instead of JSON. */
export class PortConnection<Announcement, Message, Picture> {
  readonly #port: MessagePort;

  constructor(port: MessagePort, handlers: ConnectionHandlers<Announcement, Picture>) {
    this.#port = port;
    let isConnected = false;
    port.onmessage = ({ data }: MessageEvent<Announcement | Uint8Array>) => {
      if (!isConnected) handlers.connected();
      isConnected = true;
      if (data instanceof Uint8Array) takeBinary(data, handlers);
      else handlers.announced(data);
    };
  }

  send(message: Message): void {
    this.#port.postMessage(message);
  }
}
