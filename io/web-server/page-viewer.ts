import { z } from 'zod';
import type { Importance } from '../../protocol/access-unit.ts';
import type { PageAnnouncement, PageCommand } from '../../protocol/page/page-message.ts';
import { BacklogGate } from './backlog-gate.ts';
import { SiteWindow, type SiteWindowOptions } from './site-window.ts';

/** Limit of queued bytes: more than a key frame at 50 Mb/s. The socket buffers of the system come on top. */
const QUEUE_BYTES = 2_000_000;
/** Backlog, bytes, above which statistics are not sent; pictures take precedence. */
const RECORD_QUEUE_BYTES = 100_000;

const Command = z.strictObject({ kind: z.literal('command'), command: z.enum(['stop', 'request-keyframe']) });

/** One connected window. It gets pictures from a key frame on, and only as many as it reads in time. */
export class PageViewer extends SiteWindow<PageCommand> {
  readonly #gate = new BacklogGate({ queueMax: QUEUE_BYTES });
  #droppedSound = 0;

  constructor(options: Omit<SiteWindowOptions<PageCommand>, 'parse'>) {
    super({ ...options, parse: parseCommand });
  }

  /** Number of pictures dropped because this page was too slow. */
  get dropped(): number {
    return this.#gate.dropped;
  }

  /** Number of frames of sound dropped for the same reason. */
  get droppedSound(): number {
    return this.#droppedSound;
  }

  picture(importance: Importance, message: Uint8Array): void {
    this.sendPicture(this.#gate, importance, message);
  }

  /** Sends a frame of sound, unless so much waits that it would come too late. */
  sound(message: Uint8Array): void {
    if (this.isOpen && !this.sendBytes(message, QUEUE_BYTES / 2)) this.#droppedSound++;
  }

  announce(announcement: PageAnnouncement): void {
    this.sendText(JSON.stringify(announcement), announcement.kind === 'statistics' ? RECORD_QUEUE_BYTES : undefined);
  }

  /** Announces the end of the stream and closes. */
  override end(): void {
    this.announce({ kind: 'ended' });
    super.end();
  }
}

function parseCommand(text: string): PageCommand | undefined {
  try {
    return Command.safeParse(JSON.parse(text)).data?.command;
  } catch {
    return undefined;
  }
}
