import type { Parsed } from '../../protocol/base/parsed.ts';

/** First and longest pause between connection attempts, milliseconds; doubles from one to the next. */
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 2_000;

/** Handlers of what comes from the other side of a page. */
export interface ConnectionHandlers<Announcement, Picture> {
  /** Parses a binary message; all others are announcements. */
  readonly parsePicture: (message: Uint8Array) => Parsed<Picture>;
  connected(): void;
  disconnected(): void;
  announced(announcement: Announcement): void;
  picture(picture: Picture): void;
  /** Takes a binary message that is not a picture. @returns false for a picture. */
  other?(message: Uint8Array): boolean;
}

export interface ConnectionOptions<Announcement, Picture> extends ConnectionHandlers<Announcement, Picture> {
  /** Path of the WebSocket on the server that served the page. */
  readonly path: string;
}

/** Handles a binary message. */
export function takeBinary<Picture>(bytes: Uint8Array, handlers: ConnectionHandlers<never, Picture>): void {
  if (handlers.other?.(bytes)) return;
  const picture = handlers.parsePicture(bytes);
  if (picture.ok) handlers.picture(picture.value);
  else console.warn('malformed picture:', picture.malformed);
}

/** WebSocket to the page's server, reconnected for as long as the page is open. Text messages are JSON. */
export class PageConnection<Announcement, Message, Picture> {
  readonly #options: ConnectionOptions<Announcement, Picture>;
  #socket: WebSocket | undefined;
  #retryMs = RETRY_MS_MIN;

  constructor(options: ConnectionOptions<Announcement, Picture>) {
    this.#options = options;
    this.#open();
  }

  get connected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  send(message: Message): void {
    if (this.connected) this.#socket?.send(JSON.stringify(message));
  }

  #open(): void {
    const { path } = this.#options;
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    socket.onopen = () => {
      this.#retryMs = RETRY_MS_MIN;
      this.#options.connected();
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === 'string') this.#options.announced(JSON.parse(data) as Announcement);
      else takeBinary(new Uint8Array(data), this.#options);
    };
    socket.onclose = () => {
      this.#options.disconnected();
      setTimeout(() => this.#open(), this.#retryMs);
      this.#retryMs = Math.min(RETRY_MS_MAX, this.#retryMs * 2);
    };
  }
}
