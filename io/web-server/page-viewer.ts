import { z } from 'zod';
import type { Importance } from '../../protocol/access-unit.ts';
import type { PageAnnouncement, PageCommand } from '../../protocol/page/page-message.ts';
import { BacklogGate } from './backlog-gate.ts';
import { SiteWindow, type SiteWindowOptions } from './site-window.ts';

/** More than one keyframe at 50 Mb/s. What the system's own socket buffers hold comes on top. */
const QUEUE_BYTES = 2_000_000;
/** A statistics record is worth less than a picture: it is not sent while this much waits. */
const RECORD_QUEUE_BYTES = 100_000;

const Command = z.strictObject({ kind: z.literal('command'), command: z.enum(['stop', 'request-keyframe']) });

/** One page that watches: it gets pictures from a keyframe on, and as many as it reads in time. */
export class PageViewer extends SiteWindow<PageCommand> {
  readonly #gate = new BacklogGate({ queueBytes: QUEUE_BYTES });

  constructor(options: Omit<SiteWindowOptions<PageCommand>, 'parse'>) {
    super({ ...options, parse: parseCommand });
  }

  /** Pictures that this page was too slow for. */
  get dropped(): number {
    return this.#gate.dropped;
  }

  picture(importance: Importance, message: Uint8Array): void {
    this.sendPicture(this.#gate, importance, message);
  }

  announce(announcement: PageAnnouncement): void {
    this.sendText(JSON.stringify(announcement), announcement.kind === 'statistics' ? RECORD_QUEUE_BYTES : undefined);
  }

  /** Says that the stream is over and closes. */
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
