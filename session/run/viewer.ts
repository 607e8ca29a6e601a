import { Failure } from '../../io/os/failure.ts';
import type { Log } from '../../io/os/log.ts';
import {
  findPlayers,
  hasDisplay,
  openPlayer,
  type PlayerKind,
  preferredPlayer,
  requirePlayer,
} from '../../io/players/open-player.ts';
import type { PlayerExit } from '../../io/players/player.ts';
import { openInBrowser } from '../../io/web-server/browser-opener.ts';
import type { PageListen } from '../../io/web-server/network-entrance.ts';
import { printInvitation } from '../../io/web-server/page-invitation.ts';
import type { Page } from '../../io/web-server/page-server.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import type { PageCommand, PageDescription, PageStatistics } from '../../protocol/page/page-message.ts';
import type { SoundAnnouncement } from '../stream/client.ts';
import type { UnitUse } from './outlet.ts';
import { writePageSound } from './page-sound.ts';

/** Player that shows a stream: a program, a page in the browser, the first one found (`auto`), or none. */
export type PlayChoice = 'auto' | PlayerKind | 'browser' | 'none';

/** End of a player that this program did not end. */
export interface ViewerEnd {
  /** Event description, one line. */
  readonly text: string;
  /** True when the player failed, false when its user closed it. */
  readonly failed: boolean;
}

/** A display of the stream: a player's window or a page. */
export interface Viewer {
  readonly name: string;
  readonly url?: string;
  write(unit: AccessUnit, how: UnitUse): void;
  statistics(record: PageStatistics): void;
  /** Announces the stream of another session, whatever it is; absent where a viewer shows one kind of stream only. */
  describe?(stream: ViewedStream): void;
  /** Resolves when the window has closed: by the user, or by a failure. Never for a page. */
  readonly ended: Promise<ViewerEnd>;
  close(): Promise<void>;
}

/** How a viewer is told about a stream. */
export interface ViewedStream {
  readonly description: PageDescription;
  /** Codec of the stream. */
  readonly codecName: CodecName;
  /** Configuration of the decoder of a stream of sound alone. */
  readonly parameterSets: readonly Uint8Array[];
  /** The sound, beside the pictures or alone; `undefined` without. */
  readonly sound: SoundAnnouncement | undefined;
}

export interface ViewerOptions extends ViewedStream {
  readonly play: Exclude<PlayChoice, 'none'>;
  readonly pagePort: number | undefined;
  readonly pageListen?: PageListen | undefined;
  readonly openBrowser: boolean;
  readonly log: Log;
  readonly onCommand: (command: PageCommand) => void;
}

/** Fails early with the error that `openViewer` would raise once the stream has started. */
export async function checkViewable(
  play: PlayChoice,
  { pageListen }: Pick<ViewerOptions, 'pageListen'>,
): Promise<void> {
  if (pageListen && play !== 'auto' && play !== 'browser') {
    throw new Failure(`--page-listen requires a page: omit --play ${play}, or use --play browser`, 2);
  }
  if (play === 'mpv' || play === 'ffplay' || play === 'vlc') await requirePlayer(play);
}

/**
 * Opens the requested viewer; `auto` uses the best player found, or a page without a player or display, or with an
 * address for other devices.
 */
export async function openViewer(options: ViewerOptions): Promise<Viewer> {
  const { play, log } = options;
  const kind = play === 'auto' ? await preferredKind(options) : play;
  if (kind === 'browser') return await pageViewer(options);
  try {
    return await playerViewer(kind, options);
  } catch (error) {
    if (play !== 'auto') throw error;
    log.warn(`${kind} could not be started; a page shows the stream instead: ${(error as Error).message}`);
    return await pageViewer(options);
  }
}

async function preferredKind({ pageListen }: ViewerOptions): Promise<Exclude<PlayChoice, 'auto' | 'none'>> {
  if (pageListen) return 'browser';
  return preferredPlayer(await findPlayers(process.env), { browser: hasDisplay(process.env) });
}

async function playerViewer(kind: PlayerKind, options: ViewerOptions): Promise<Viewer> {
  const { description, codecName, parameterSets, sound: announced, log } = options;
  const isAlone = codecByName(codecName).mediaType === 'audio';
  const sound = isAlone ? undefined : announced;
  const player = await openPlayer(kind, { ...description, codecName, ...(isAlone && { parameterSets }), sound });
  let closing = false;
  return {
    name: player.name,
    write: (unit, { isSound }) => (isSound && !isAlone ? player.writeSound(unit) : player.write(unit)),
    statistics: () => {},
    ended: player.exited.then((exit) => (closing ? new Promise<ViewerEnd>(() => {}) : viewerEnd(player.name, exit))),
    close: async () => {
      closing = true;
      warnOfDrops(player.name, player, log);
      await player.close();
    },
  };
}

/** Says what a viewer did not get because it read too slowly. */
function warnOfDrops(
  name: string,
  { dropped, droppedSound }: { readonly dropped: number; readonly droppedSound: number },
  log: Log,
): void {
  const parts = [
    ...(dropped > 0 ? [`${dropped} frames`] : []),
    ...(droppedSound > 0 ? [`${droppedSound} units of sound`] : []),
  ];
  if (parts.length > 0) log.warn(`${name} was too slow: ${parts.join(' and ')} were dropped`);
}

/** Signals by which a user or a desktop ends a program. */
const CLOSING_SIGNALS: ReadonlySet<string> = new Set(['SIGTERM', 'SIGINT', 'SIGHUP']);
/** Exit codes after a window was closed: mpv has 4 for a quit by key or signal, ffplay 123. */
const CLOSED_CODES: ReadonlySet<number> = new Set([0, 4, 123]);

/** Distinguishes a player that was closed from one that failed. */
export function viewerEnd(name: string, { code, signal, lastErrorLine }: PlayerExit): ViewerEnd {
  const said = lastErrorLine === '' ? '' : ` (${lastErrorLine})`;
  if (signal !== null) {
    if (CLOSING_SIGNALS.has(signal)) return { text: `${name} was closed by ${signal}`, failed: false };
    return { text: `${name} was killed by ${signal}${said}`, failed: true };
  }
  if (code === null || CLOSED_CODES.has(code)) return { text: `${name} was closed`, failed: false };
  return { text: `${name} failed with exit code ${code}${said}`, failed: true };
}

async function pageViewer(options: ViewerOptions): Promise<Viewer> {
  const { description, pagePort: port, pageListen: listen, openBrowser, log, onCommand } = options;
  // Loaded on demand: it adds a tenth of a second to the start.
  const { openPage } = await import('../../io/web-server/page-server.ts');
  const page: Page = await openPage({ port, listen, description, log: (message) => log.debug(message), onCommand });
  log.info(`watch at ${page.url}`);
  if (page.invitation) await printInvitation(page.invitation, log);
  if (openBrowser) openInBrowser(page.url);
  let { sound } = options;
  return {
    name: 'page',
    url: page.url,
    write: (unit, { decodeOnly, isSound }) => {
      if (isSound) writePageSound(page, unit, sound);
      else page.write(decodeOnly ? { ...unit, decodeOnly } : unit);
    },
    statistics: (record) => page.statistics(record),
    describe: (next) => {
      sound = next.sound;
      page.describe(next.description);
    },
    ended: new Promise(() => {}),
    close: async () => {
      warnOfDrops('the page', page, log);
      await page.close();
    },
  };
}
