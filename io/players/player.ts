import type { AccessUnit } from '../../protocol/access-unit.ts';

/** What a player is told about the picture before the first access unit comes. */
export interface Picture {
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** Shown in the window's title bar. */
  readonly title: string;
  /** `undefined`: not known or not constant. */
  readonly framesPerSecond?: number | undefined;
}

/** How a player ended. */
export interface PlayerExit {
  /** `null`: ended by a signal, ours or another's. An exit code proves nothing about a picture. */
  readonly code: number | null;
  /** The last line it wrote to stderr; empty if it said nothing. */
  readonly lastWords: string;
}

/** A window that shows access units as they come. */
export interface Player {
  readonly name: string;
  /**
   * Never blocks and never throws. It shows from the first keyframe on, and that must bring its parameter sets; what
   * a player that has stopped reading cannot take is dropped up to a keyframe and counted in `dropped`.
   */
  write(unit: AccessUnit): void;
  /** Access units not passed on because the player read too slowly. */
  readonly dropped: number;
  /** Resolves when the program has ended, by itself, by its user or by `close`. Never rejects. */
  readonly exited: Promise<PlayerExit>;
  /** Draws text over the picture for three seconds, where the player can (mpv). */
  showText?(text: string): void;
  /** Ends the program: end of input, then SIGTERM, then SIGKILL. Resolves when it is gone. May be called twice. */
  close(): Promise<void>;
}

/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;
