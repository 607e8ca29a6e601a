import { WebSocket } from 'ws';
import { z } from 'zod';
import type { Importance } from '../../protocol/access-unit.ts';
import type { PageAnnouncement, PageCommand } from '../../protocol/page/page-message.ts';
import { BacklogGate } from './backlog-gate.ts';

/** More than one keyframe at 50 Mb/s. What the system's own socket buffers hold comes on top. */
const QUEUE_BYTES = 2_000_000;
/** A statistics record is worth less than a picture: it is not sent while this much waits. */
const RECORD_QUEUE_BYTES = 100_000;

const Command = z.strictObject({ kind: z.literal('command'), command: z.enum(['stop', 'request-keyframe']) });

/** One page that watches: it gets pictures from a keyframe on, and as many as it reads in time. */
export class PageViewer {
  readonly #socket: WebSocket;
  readonly #gate = new BacklogGate({ queueBytes: QUEUE_BYTES });

  /** `onEnd` is called once, with why when the page did something that it should not. */
  constructor(
    socket: WebSocket,
    on: { readonly command: (command: PageCommand) => void; readonly end: (fault?: string) => void },
  ) {
    this.#socket = socket;
    let fault: string | undefined;
    socket.on('message', (message, isBinary) => {
      const command = isBinary ? undefined : parseCommand(String(message));
      if (command !== undefined) return on.command(command);
      fault ??= 'sent what is no command';
      socket.close(1008, 'not a command');
    });
    // Too large, not UTF-8, a frame that breaks RFC 6455: ws closes the connection, `close` follows.
    socket.on('error', (error) => {
      fault ??= error.message;
    });
    socket.once('close', () => on.end(fault));
  }

  /** Pictures that this page was too slow for. */
  get dropped(): number {
    return this.#gate.dropped;
  }

  /** Bytes that wait in our memory for this page. */
  get queuedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  picture(importance: Importance, message: Uint8Array): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (this.#gate.admits(importance, this.#socket.bufferedAmount)) this.#socket.send(message);
  }

  announce(announcement: PageAnnouncement): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (announcement.kind === 'statistics' && this.#socket.bufferedAmount > RECORD_QUEUE_BYTES) return;
    this.#socket.send(JSON.stringify(announcement));
  }

  /** Says that the stream is over and closes; `terminate` later makes sure. */
  end(): void {
    this.announce({ kind: 'ended' });
    this.#socket.close(1000, 'ended');
  }

  terminate(): void {
    this.#socket.terminate();
  }
}

function parseCommand(text: string): PageCommand | undefined {
  try {
    return Command.safeParse(JSON.parse(text)).data?.command;
  } catch {
    return undefined;
  }
}
