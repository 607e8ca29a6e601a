import type { Log } from '../../io/os/log.ts';
import type { TemporaryFolder } from '../../io/os/temporary-folder.ts';
import type { MediaSource } from '../../io/sources/media-source.ts';
import type { Importance } from '../../protocol/access-unit.ts';
import type { LaneAnnouncement, LaneSettings } from '../../protocol/page/lane-message.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { TraceReader } from '../../sim/link/loss/loss-words.ts';
import type { KernelTcpSource } from './kernel-tcp.ts';

/** Windows that show the lanes: those of a page, or of workers in one. */
export interface LaneStage {
  picture(importance: Importance, lane: number, message: Uint8Array): void;
  /** Sends a frame of a lane's sound. */
  sound(message: Uint8Array): void;
  /** Takes over a new order of the lanes. @param places place before of each lane; `undefined` for a new one. */
  arrange(places: readonly (number | undefined)[]): void;
  announce(announcement: LaneAnnouncement): void;
  close(): Promise<void>;
}

/** A file of the user's, to be shown on the lanes. */
export interface NewFile {
  /** Name on the user's side. */
  readonly name: string;
  readonly path: string;
  /** Folder of the file; the show removes it once the file is no longer played. */
  readonly folder: TemporaryFolder;
}

export interface LaneShowOptions {
  /** First source, and its name. */
  readonly source: { readonly name: string; readonly media: MediaSource };
  /** Other inputs that a page may select, by name. */
  readonly inputs: ReadonlyMap<string, string>;
  readonly openInput: (input: string) => Promise<MediaSource>;
  /**
   * Opens an input for the lanes that follow the path: a source with `adaptive`, or the reason why there is none, in one
   * line. Absent: no lane can follow.
   */
  readonly openFollowed?: (input: string) => Promise<MediaSource | string>;
  /** Gives lanes the TCP of the machine's kernel. Absent: no lane can use it. */
  readonly kernelTcp?: KernelTcpSource | undefined;
  readonly lanes: readonly LaneSettings[];
  readonly link: LinkSpecification;
  readonly loop: boolean;
  readonly log: Pick<Log, 'error' | 'warn' | 'info' | 'debug'>;
  /** Reads a trace that a link of the page names. */
  readonly readTrace: TraceReader;
  /** Command that starts the server, as typed in a shell: a page names it once the server has gone. */
  readonly command?: string;
  /** Called when a user presses Stop, or at the end of the source. */
  readonly onEnd: () => void;
}
