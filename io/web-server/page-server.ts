import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { Codec } from '../../protocol/codec/codec.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import {
  PAGE_SOCKET_PATH,
  type PageCommand,
  type PageDescription,
  type PageSound,
  type PageStatistics,
  serializePagePicture,
  serializePageSound,
} from '../../protocol/page/page-message.ts';
import { answerJson, LocalSite, type SiteSockets } from './local-site.ts';
import type { PageFile } from './module-preloads.ts';
import type { PageInvitation } from './network-entrance.ts';
import { type PageFolders, pageFolders, readPageFiles } from './page-files.ts';
import { PageViewer } from './page-viewer.ts';
import { PictureGroup } from './picture-group.ts';

/** A page that shows access units as they arrive, in any number of windows. */
export interface Page {
  /** Address on this machine. */
  readonly url: string;
  /** Addresses for other devices; `undefined` when the page is for this machine only. */
  readonly invitation: PageInvitation | undefined;
  /** Number of connected windows. */
  readonly viewers: number;
  /** Number of pictures dropped for slow windows, in total. */
  readonly dropped: number;
  /** Number of frames of sound dropped for slow windows, in total. */
  readonly droppedSound: number;
  /** Bytes of pictures queued for all windows; about 2 MB for each one that has stopped reading. */
  readonly queuedBytes: number;
  /**
   * Sends an access unit. Never blocks and never throws. Windows join at the last key frame, or the next one where that
   * is long ago; it must carry its parameter sets.
   */
  write(unit: AccessUnit): void;
  /** Sends a coded frame of sound. Never blocks and never throws. */
  writeSound(sound: Omit<PageSound, 'number'>): void;
  /** Replaces the figures beside the video and the content of `/statistics.json`. */
  statistics(record: PageStatistics): void;
  /** Announces a new stream, whose first access unit is a key frame. */
  describe(description: PageDescription): void;
  /** Announces the end to the windows and closes everything. Idempotent. */
  close(): Promise<void>;
}

export interface PageOptions extends SiteSockets {
  readonly description: PageDescription;
  readonly log: (message: string) => void;
  readonly onCommand?: (command: PageCommand) => void;
  /** Folders of the page's files, for tests. */
  readonly folders?: PageFolders;
}

/** Codecs that WebCodecs takes as containers hold them, by the beginning of the decoder string; others as Annex B. */
const BLOCK_CODECS: Readonly<Partial<Record<string, Codec>>> = {
  ...{ 'av01.': codecByName('av1'), 'vp09.': codecByName('vp9') },
};
/** Longest command, bytes; those of the page are shorter. */
const COMMAND_BYTES_MAX = 256;

export async function openPage(options: PageOptions): Promise<Page> {
  const page = new PageServer(options, await readPageFiles(options.folders ?? pageFolders()));
  await page.listen(options);
  return page;
}

class PageServer implements Page {
  readonly #site: LocalSite<PageCommand, PageViewer>;
  #description: PageDescription;
  #record: PageStatistics = {};
  #pictures = 0;
  #sounds = 0;
  readonly #group = new PictureGroup();
  #droppedByGone = 0;
  #droppedSoundByGone = 0;
  #closing: Promise<void> | undefined;

  constructor(options: PageOptions, files: ReadonlyMap<string, PageFile>) {
    this.#description = options.description;
    this.#site = new LocalSite({
      files,
      socketPath: PAGE_SOCKET_PATH,
      messageBytesMax: COMMAND_BYTES_MAX,
      openWindow: (window) => new PageViewer({ ...window, onCommand: (command) => options.onCommand?.(command) }),
      onJoin: (viewer) => {
        viewer.announce({ kind: 'description', description: this.#description });
        viewer.announce({ kind: 'statistics', record: this.#record });
        for (const { importance, message } of this.#group.forJoining()) viewer.picture(importance, message);
      },
      onLeave: (viewer) => {
        this.#droppedByGone += viewer.dropped;
        this.#droppedSoundByGone += viewer.droppedSound;
      },
      answer: (path, request, response) =>
        path === '/statistics.json' && request.method !== 'POST' && answerJson(request, response, this.#record),
      log: options.log,
    });
  }

  get url(): string {
    return this.#site.url;
  }

  get invitation(): PageInvitation | undefined {
    return this.#site.invitation;
  }

  get viewers(): number {
    return this.#site.windows.size;
  }

  get dropped(): number {
    let total = this.#droppedByGone;
    for (const viewer of this.#site.windows) total += viewer.dropped;
    return total;
  }

  get droppedSound(): number {
    let total = this.#droppedSoundByGone;
    for (const viewer of this.#site.windows) total += viewer.droppedSound;
    return total;
  }

  get queuedBytes(): number {
    return this.#site.queuedBytes;
  }

  async listen(sockets: SiteSockets): Promise<void> {
    await this.#site.listen(sockets);
  }

  write(unit: AccessUnit): void {
    const block = BLOCK_CODECS[this.#description.codec.slice(0, 5)]?.matroska?.block(unit.parts);
    const number = this.#pictures;
    this.#pictures = (number + 1) % 2 ** 32;
    const picture = {
      number,
      key: unit.importance === 'key',
      decodeOnly: unit.decodeOnly === true,
      timestamp: unit.timestamp,
      sentAtMs: performance.timeOrigin + performance.now(),
      parts: unit.parts,
    };
    const message = serializePagePicture(picture, block);
    this.#group.keep(unit.importance, message);
    for (const viewer of this.#site.windows) viewer.picture(unit.importance, message);
  }

  writeSound(sound: Omit<PageSound, 'number'>): void {
    const number = this.#sounds;
    this.#sounds = (number + 1) % 2 ** 32;
    const message = serializePageSound({ ...sound, number });
    for (const viewer of this.#site.windows) viewer.sound(message);
  }

  statistics(record: PageStatistics): void {
    this.#record = record;
    for (const viewer of this.#site.windows) viewer.announce({ kind: 'statistics', record });
  }

  describe(description: PageDescription): void {
    this.#description = description;
    this.#group.clear();
    for (const viewer of this.#site.windows) viewer.announce({ kind: 'description', description });
  }

  close(): Promise<void> {
    this.#closing ??= this.#site.close();
    return this.#closing;
  }
}
