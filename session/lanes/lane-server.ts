import { readReadyMadeTrace } from '../../io/ready-made-traces.ts';
import { LanePage, type RunPageScenario } from '../../io/web-server/lane-page.ts';
import type { PageInvitation, PageListen } from '../../io/web-server/network-entrance.ts';
import type { PageFolders } from '../../io/web-server/page-files.ts';
import { LaneShow } from './lane-show.ts';
import type { LaneShowOptions } from './lane-show-options.ts';

export interface LaneServerOptions extends Omit<LaneShowOptions, 'readTrace'> {
  /** TCP port; 0: any free port; `undefined`: 7080, or any free port where that is taken. */
  readonly pagePort: number | undefined;
  /** Address for other devices; default: this machine only. */
  readonly pageListen?: PageListen | undefined;
  /** Runs a scenario file in the laboratory, with its output in a folder; resolves with the path of the report. */
  readonly runScenario: RunPageScenario;
  /** Folders of the page's files, for tests. */
  readonly folders?: PageFolders;
}

/** The demo server: the lanes, and the page that shows them on this machine and, with `pageListen`, on other devices. */
export class LaneServer extends LaneShow {
  readonly #page: LanePage;

  static async open(options: LaneServerOptions): Promise<LaneServer> {
    let show: LaneServer | undefined;
    const page = await LanePage.open({
      port: options.pagePort,
      listen: options.pageListen,
      log: (message) => options.log.debug(message),
      onCommand: (command, reply) => show?.handleCommand(command, reply),
      greeting: () => show?.greeting() ?? [],
      summary: () => show?.summary,
      capture: (lane) => show?.captureFile(lane),
      onScenario: options.runScenario,
      onKeyFrameNeeded: (lane) => show?.requestKeyFrame(lane),
      onUpload: async (upload) => await show?.playUpload(upload),
      ...(options.folders && { folders: options.folders }),
    });
    show = new LaneServer(options, page);
    return show;
  }

  private constructor(options: LaneServerOptions, page: LanePage) {
    // A page can name bundled traces only, no files.
    super({ ...options, readTrace: readReadyMadeTrace }, page);
    this.#page = page;
  }

  get url(): string {
    return this.#page.url;
  }

  /** Addresses for other devices; `undefined` when the page is for this machine only. */
  get invitation(): PageInvitation | undefined {
    return this.#page.invitation;
  }

  get viewers(): number {
    return this.#page.viewers;
  }
}
