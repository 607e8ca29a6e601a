import type { LaneCommand } from '../protocol/lane-command.ts';
import {
  LANE_SOCKET_PATH,
  type LaneAnnouncement,
  type LanePicture,
  parseLanePicture,
} from '../protocol/lane-message.ts';

/** The first try after the server goes away, and the longest pause between two tries. */
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 2_000;

export interface LaneHandlers {
  connected(): void;
  disconnected(): void;
  announced(announcement: LaneAnnouncement): void;
  picture(picture: LanePicture): void;
}

/** The WebSocket to the lanes' server, opened again for as long as the page is there. */
export class LaneConnection {
  readonly #handlers: LaneHandlers;
  #socket: WebSocket | undefined;
  #retryMs = RETRY_MS_MIN;

  constructor(handlers: LaneHandlers) {
    this.#handlers = handlers;
    this.#open();
  }

  get connected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  send(command: LaneCommand): void {
    if (this.connected) this.#socket?.send(JSON.stringify(command));
  }

  #open(): void {
    const socket = new WebSocket(`ws://${location.host}${LANE_SOCKET_PATH}`);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    socket.onopen = () => {
      this.#retryMs = RETRY_MS_MIN;
      this.#handlers.connected();
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === 'string') return this.#handlers.announced(JSON.parse(data) as LaneAnnouncement);
      const picture = parseLanePicture(new Uint8Array(data));
      if (picture.ok) this.#handlers.picture(picture.value);
      else console.warn('a picture was malformed:', picture.malformed);
    };
    socket.onclose = () => {
      this.#handlers.disconnected();
      setTimeout(() => this.#open(), this.#retryMs);
      this.#retryMs = Math.min(RETRY_MS_MAX, this.#retryMs * 2);
    };
  }
}
