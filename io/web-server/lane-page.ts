import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, join } from 'node:path';
import type { Importance } from '../../protocol/access-unit.ts';
import type { LabLine } from '../../protocol/page/lab-message.ts';
import type { LaneCommand } from '../../protocol/page/lane-command.ts';
import {
  LANE_SOCKET_PATH,
  LANES_MAX,
  type LaneAnnouncement,
  laneUnitOnLane,
  UPLOAD_BYTES_MAX,
} from '../../protocol/page/lane-message.ts';
import { causeOf, Failure } from '../os/failure.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../os/temporary-folder.ts';
import { readyMadeTraces } from '../ready-made-traces.ts';
import { LaneViewer } from './lane-viewer.ts';
import { answer, answerJson, LocalSite, type SiteSockets } from './local-site.ts';
import type { PageInvitation } from './network-entrance.ts';
import { type PageFolders, pageFolders, readPageFiles } from './page-files.ts';
import { PictureGroup } from './picture-group.ts';
import { BodyStalled, BodyTooLarge, deny, saveBody } from './request-body.ts';
import type { SiteWindowOptions } from './site-window.ts';

export interface Upload {
  /** Name of the file on the user's side. */
  readonly name: string;
  readonly path: string;
  /** Folder of the file; the receiver of the upload takes ownership of it. */
  readonly folder: TemporaryFolder;
}

/** @param progressed called with the part that is done, 0 to 1. */
export type RunPageScenario = (
  scenario: string,
  folder: string,
  closing: AbortSignal,
  progressed: (share: number) => void,
) => Promise<string>;

export interface LanePageOptions extends SiteSockets {
  readonly log: (message: string) => void;
  /** `reply` answers the window that sent the command, and no other. */
  readonly onCommand: (command: LaneCommand, reply: (announcement: LaneAnnouncement) => void) => void;
  /** First announcements to a window that joins. */
  readonly greeting: () => readonly LaneAnnouncement[];
  readonly summary: () => unknown;
  /** Recent packets of a lane as pcapng; `undefined` for an unknown lane. */
  readonly capture: (lane: number) => Uint8Array | undefined;
  /**
   * Runs a scenario file that a window has sent. Results may be written to `folder`, which does not exist yet. Resolves
   * with the path of the report; rejects with the reason for a failure, or at once when the page closes or the window
   * gives the run up.
   */
  readonly onScenario: RunPageScenario;
  /** Called when a window joins a lane of which it can get no picture before the next key frame. */
  readonly onKeyFrameNeeded?: (lane: number) => void;
  /** Takes a file dropped on the page. Rejects with the reason why it cannot be streamed. */
  readonly onUpload: (upload: Upload) => Promise<void>;
  /** Folders of the page's files, for tests. */
  readonly folders?: PageFolders;
  /** Upload limit, bytes, for tests. */
  readonly uploadBytesMax?: number;
}

/** Longest command, bytes: four lanes and a long link are shorter. */
const COMMAND_BYTES_MAX = 4_096;
/** Longest scenario, bytes; those of the page are shorter. */
const SCENARIO_BYTES_MAX = 1_000_000;
const REPORTS_MAX = 4;
/** Content security policy of reports: inline styles, no scripts, and the page as their only frame. */
const REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'";
const CHECK_MS = 1_000;
const NAME_CHARACTERS_MAX = 80;

/** The page with the lanes, for any number of windows. */
export class LanePage {
  readonly #options: LanePageOptions;
  readonly #site: LocalSite<LaneCommand, LaneViewer>;
  readonly #check: NodeJS.Timeout;
  #groups = Array.from({ length: LANES_MAX }, () => new PictureGroup());
  /** Reports of the laboratory by number; the oldest are dropped. */
  readonly #reports: (Buffer | undefined)[] = [];
  /** Content of `/traces.json`, made at the first request. */
  #tracesBody: Buffer | undefined;
  /** Pending upload or scenario. */
  #taking: Promise<void> | undefined;
  readonly #end = new AbortController();
  #closing: Promise<void> | undefined;

  static async open(options: LanePageOptions): Promise<LanePage> {
    const files = await readPageFiles(options.folders ?? pageFolders(), 'lanes.html');
    const page = new LanePage(options, files);
    await page.#site.listen(options);
    return page;
  }

  private constructor(options: LanePageOptions, files: Awaited<ReturnType<typeof readPageFiles>>) {
    this.#options = options;
    this.#site = new LocalSite({
      files,
      socketPath: LANE_SOCKET_PATH,
      messageBytesMax: COMMAND_BYTES_MAX,
      openWindow: (window) => this.#open(window),
      onJoin: (viewer) => this.#greet(viewer),
      answer: (path, request, response) => this.#answer(path, request, response),
      log: options.log,
    });
    this.#check = setInterval(() => {
      for (const viewer of this.#site.windows) viewer.checkReading();
    }, CHECK_MS);
  }

  get url(): string {
    return this.#site.url;
  }

  /** Addresses for other devices; `undefined` when the page is for this machine only. */
  get invitation(): PageInvitation | undefined {
    return this.#site.invitation;
  }

  /** Number of connected windows. */
  get viewers(): number {
    return this.#site.windows.size;
  }

  /** Bytes queued for all windows. */
  get queuedBytes(): number {
    return this.#site.queuedBytes;
  }

  /** Sends a picture to all windows. Never blocks and never throws. */
  picture(importance: Importance, lane: number, message: Uint8Array): void {
    this.#groups[lane]?.keep(importance, message);
    for (const viewer of this.#site.windows) viewer.picture(importance, lane, message);
  }

  /** Sends a frame of a lane's sound to all windows. Never blocks and never throws. */
  sound(message: Uint8Array): void {
    for (const viewer of this.#site.windows) viewer.sound(message);
  }

  /** Takes over a new order of the lanes. @param places place before of each lane; `undefined` for a new one. */
  arrange(places: readonly (number | undefined)[]): void {
    const before = this.#groups;
    this.#groups = before.map((_, lane) => {
      const from = places[lane];
      return from === undefined ? new PictureGroup() : before[from]!;
    });
  }

  announce(announcement: LaneAnnouncement): void {
    if (this.#site.windows.size === 0) return;
    const text = JSON.stringify(announcement);
    for (const viewer of this.#site.windows) viewer.announce(announcement.kind, text);
  }

  /** Announces the end to the windows and closes everything. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#check);
    this.announce({ kind: 'ended' });
    this.#end.abort();
    await this.#site.close();
    await this.#taking;
  }

  #open(window: Pick<SiteWindowOptions<LaneCommand>, 'socket' | 'onEnd'>): LaneViewer {
    const viewer: LaneViewer = new LaneViewer({
      ...window,
      onCommand: (command) => {
        if (command.kind === 'rejoin') return this.#rejoin(viewer, command.lane);
        if (command.kind === 'seen') return this.#see(viewer, command.messages);
        this.#options.onCommand(command, (announcement) => {
          viewer.announce(announcement.kind, JSON.stringify(announcement));
        });
      },
    });
    return viewer;
  }

  #greet(viewer: LaneViewer): void {
    for (const announcement of this.#options.greeting()) {
      viewer.announce(announcement.kind, JSON.stringify(announcement));
    }
    for (const lane of this.#groups.keys()) this.#rejoin(viewer, lane);
  }

  /** Sends a window the pictures of a lane since its last key frame; only the newest is shown. */
  #rejoin(viewer: LaneViewer, lane: number): void {
    viewer.rejoin(lane);
    const kept = this.#groups[lane]?.forJoining() ?? [];
    if (kept.length === 0) this.#options.onKeyFrameNeeded?.(lane);
    for (const { importance, message } of kept) {
      viewer.picture(importance, lane, laneUnitOnLane(message, lane));
    }
  }

  /** A window that has caught up continues with key frames, or asks for the pictures since the last ones. */
  #see(viewer: LaneViewer, messages: number): void {
    const behindMs = viewer.see(messages);
    if (behindMs === undefined) return;
    viewer.announce('skipped', JSON.stringify({ kind: 'skipped', behindMs }));
    for (const lane of this.#groups.keys()) viewer.rejoin(lane);
  }

  #answer(path: string, request: IncomingMessage, response: ServerResponse): boolean {
    if (request.method === 'POST') {
      if (path === '/source') this.#takeFile(request, response);
      else if (path === '/lab') this.#takeScenario(request, response);
      else return false;
      return true;
    }
    if (path === '/summary.json') return answerJson(request, response, this.#options.summary());
    if (path === '/traces.json') return answer(request, response, 'application/json; charset=utf-8', this.#traces());
    const [, lane] = /^\/lane-([1-9])\.pcapng$/.exec(path) ?? [];
    const capture = lane === undefined ? undefined : this.#options.capture(Number(lane) - 1);
    if (capture) return answer(request, response, 'application/octet-stream', Buffer.from(capture));
    const [, number] = /^\/lab\/(\d{1,6})$/.exec(path) ?? [];
    const report = number === undefined ? undefined : this.#reports[Number(number)];
    if (report === undefined) return false;
    response.setHeader('Content-Security-Policy', REPORT_POLICY);
    return answer(request, response, 'text/html; charset=utf-8', report);
  }

  #traces(): Buffer {
    this.#tracesBody ??= Buffer.from(JSON.stringify(Object.fromEntries(readyMadeTraces())));
    return this.#tracesBody;
  }

  #takeFile(request: IncomingMessage, response: ServerResponse): void {
    const { onUpload, uploadBytesMax = UPLOAD_BYTES_MAX } = this.#options;
    const name = nameOf(request.url ?? '');
    const body = { prefix: 'dropframe-upload-', file: name, name, bytesMax: uploadBytesMax };
    this.#take(request, response, body, async (path, folder) => {
      await onUpload({ name, path, folder });
      response.writeHead(204).end();
      return 'kept';
    });
  }

  #takeScenario(request: IncomingMessage, response: ServerResponse): void {
    const body = {
      prefix: 'dropframe-lab-',
      file: 'from-the-page.json',
      name: 'the scenario',
      bytesMax: SCENARIO_BYTES_MAX,
    };
    // A window that gives the run up closes the request.
    const givenUp = new AbortController();
    response.on('close', () => givenUp.abort());
    const closing = AbortSignal.any([this.#end.signal, givenUp.signal]);
    const say = (line: LabLine): void => {
      if (!response.headersSent) response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
      response.write(`${JSON.stringify(line)}\n`);
    };
    this.#take(request, response, body, async (path, folder) => {
      const progressed = (share: number) => say({ kind: 'progress', share });
      try {
        const report = await this.#options.onScenario(path, join(folder.path, 'answer'), closing, progressed);
        this.#reports.push(await readFile(report));
        if (this.#reports.length > REPORTS_MAX) delete this.#reports[this.#reports.length - 1 - REPORTS_MAX];
        say({ kind: 'report', url: `/lab/${this.#reports.length - 1}` });
      } catch (error) {
        // The status says it, unless that has been sent.
        if (!response.headersSent) throw error;
        say({ kind: 'refused', why: causeOf(error).replaceAll(path, body.name) });
      }
      response.end();
      return 'used up';
    });
  }

  /** Saves a request's body to a file and passes it on. One request at a time. */
  #take(request: IncomingMessage, response: ServerResponse, body: Body, use: Use): void {
    const no = (status: number, why: string): void => {
      deny(request, response, status, why);
      this.#options.log(`page: refused ${body.name}: ${why}`);
    };
    if (this.#taking) return no(409, 'busy with another file or experiment; try again when it has finished');
    this.#taking = takeBody(request, body, use)
      .catch((error: unknown) => {
        const { name, bytesMax } = body;
        if (error instanceof BodyTooLarge) {
          return no(413, `${name} is larger than ${Math.floor(bytesMax / 1e6)} MB: use dropframe demo FILE`);
        }
        if (error instanceof BodyStalled) return no(408, `the upload of ${name} stalled`);
        no(422, causeOf(error));
      })
      .finally(() => {
        this.#taking = undefined;
      });
  }
}

interface Body {
  /** Prefix of the folder's name. */
  readonly prefix: string;
  /** File name in the folder. */
  readonly file: string;
  /** Name in messages. */
  readonly name: string;
  readonly bytesMax: number;
}

/** Uses a saved file; returns true while the folder is still needed. */
type Use = (path: string, folder: TemporaryFolder) => Promise<'kept' | 'used up'>;

/** Saves a body and uses it; the folder is removed if anything fails. */
async function takeBody(request: IncomingMessage, { prefix, file, name, bytesMax }: Body, use: Use): Promise<void> {
  const folder = await makeTemporaryFolder(prefix);
  const path = join(folder.path, file);
  let isKept = false;
  try {
    await saveBody(request, path, bytesMax);
    isKept = (await use(path, folder)) === 'kept';
  } catch (error) {
    if (error instanceof BodyTooLarge || error instanceof BodyStalled) throw error;
    throw new Failure(causeOf(error).replaceAll(path, name), 1, { cause: error });
  } finally {
    if (!isKept) await folder.remove();
  }
}

/** Returns the file's name on the user's side, without characters special to file systems. */
function nameOf(url: string): string {
  const asked = new URL(url, 'http://127.0.0.1').searchParams.get('name') ?? '';
  const plain = basename(asked)
    .replaceAll(/[^\p{L}\p{N}._ -]/gu, '_')
    .slice(-NAME_CHARACTERS_MAX);
  return plain.replace(/^\.+/, '') || 'upload';
}
