import type { WebSocket } from 'ws';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import {
  PAGE_SOCKET_PATH,
  type PageCommand,
  type PageDescription,
  type PageStatistics,
  serializePagePicture,
} from '../../protocol/page/page-message.ts';
import { answerJson, LocalSite } from './local-site.ts';
import type { PageFile } from './module-preloads.ts';
import { type PageFolders, pageFolders, readPageFiles } from './page-files.ts';
import { PageViewer } from './page-viewer.ts';

/** A page on 127.0.0.1 that shows access units as they come, to any number of windows. */
export interface Page {
  readonly url: string;
  /** Windows that watch now. */
  readonly viewers: number;
  /** Pictures that windows were too slow for, in total. */
  readonly dropped: number;
  /** Bytes of pictures that wait in our memory, over all windows; about 2 MB for each that has stopped reading. */
  readonly queuedBytes: number;
  /** Never blocks and never throws. Windows join at a keyframe, which must bring its parameter sets. */
  write(unit: AccessUnit): void;
  /** Replaces the figures beside the picture, and what `/statistics.json` answers. */
  statistics(record: PageStatistics): void;
  /** Another stream begins: its first access unit is a keyframe. */
  describe(description: PageDescription): void;
  /** Tells the windows that the stream is over and closes everything. May be called twice. */
  close(): Promise<void>;
}

export interface PageOptions {
  /** 0: any free port. */
  readonly port?: number;
  readonly description: PageDescription;
  readonly log: (message: string) => void;
  readonly onCommand?: (command: PageCommand) => void;
  /** Elsewhere than in this package, for a test. */
  readonly folders?: PageFolders;
}

/** Far more windows than one person has; each may hold 2 MB of ours. */
const VIEWERS_MAX = 16;
/** The page's longest command is shorter than this. */
const COMMAND_BYTES_MAX = 256;
/** How long a window has to answer our close before it is cut off. */
const FAREWELL_MS = 300;

export async function openPage(options: PageOptions): Promise<Page> {
  const page = new PageServer(options, await readPageFiles(options.folders ?? pageFolders()));
  await page.listen(options.port ?? 0);
  return page;
}

class PageServer implements Page {
  readonly #log: (message: string) => void;
  readonly #onCommand: ((command: PageCommand) => void) | undefined;
  readonly #site: LocalSite;
  readonly #viewers = new Set<PageViewer>();
  #description: PageDescription;
  #record: PageStatistics = {};
  #pictures = 0;
  #droppedByGone = 0;
  #closing: Promise<void> | undefined;

  constructor(options: PageOptions, files: ReadonlyMap<string, PageFile>) {
    this.#description = options.description;
    this.#log = options.log;
    this.#onCommand = options.onCommand;
    this.#site = new LocalSite({
      files,
      socketPath: PAGE_SOCKET_PATH,
      messageBytesMax: COMMAND_BYTES_MAX,
      windowsMax: VIEWERS_MAX,
      windows: () => this.#viewers.size,
      onSocket: (socket) => this.#join(socket),
      answer: (path, request, response) =>
        path === '/statistics.json' && request.method !== 'POST' && answerJson(request, response, this.#record),
      log: this.#log,
    });
  }

  get url(): string {
    return this.#site.url;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  get dropped(): number {
    let total = this.#droppedByGone;
    for (const viewer of this.#viewers) total += viewer.dropped;
    return total;
  }

  get queuedBytes(): number {
    let total = 0;
    for (const viewer of this.#viewers) total += viewer.queuedBytes;
    return total;
  }

  async listen(port: number): Promise<void> {
    await this.#site.listen(port);
  }

  write(unit: AccessUnit): void {
    const number = this.#pictures;
    this.#pictures = (number + 1) % 2 ** 32;
    if (this.#viewers.size === 0) return;
    const message = serializePagePicture({
      number,
      key: unit.importance === 'key',
      timestamp: unit.timestamp,
      sentAtMs: performance.timeOrigin + performance.now(),
      parts: unit.parts,
    });
    for (const viewer of this.#viewers) viewer.picture(unit.importance, message);
  }

  statistics(record: PageStatistics): void {
    this.#record = record;
    for (const viewer of this.#viewers) viewer.announce({ kind: 'statistics', record });
  }

  describe(description: PageDescription): void {
    this.#description = description;
    for (const viewer of this.#viewers) viewer.announce({ kind: 'description', description });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const viewer of this.#viewers) viewer.end();
    await this.#site.close(FAREWELL_MS, () => {
      for (const viewer of this.#viewers) viewer.terminate();
    });
  }

  #join(socket: WebSocket): void {
    const viewer = new PageViewer(socket, {
      command: (command) => this.#onCommand?.(command),
      end: (fault) => {
        this.#viewers.delete(viewer);
        this.#droppedByGone += viewer.dropped;
        this.#log(fault === undefined ? 'page: a window left' : `page: a window was cut off: ${fault}`);
      },
    });
    this.#viewers.add(viewer);
    this.#log(`page: a window joined, ${this.#viewers.size} watching`);
    viewer.announce({ kind: 'description', description: this.#description });
    viewer.announce({ kind: 'statistics', record: this.#record });
  }
}
