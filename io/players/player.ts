import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { CodecName } from '../../protocol/codec/codecs.ts';
import type { Rotation } from '../../protocol/codec/nal/display-orientation.ts';

/** Sound beside pictures. */
export interface SoundTrack {
  readonly codecName: CodecName;
  /** Configuration of the decoder. */
  readonly parameterSets: readonly Uint8Array[];
}

/** Properties of the stream known before the first access unit. */
export interface Picture {
  /** Codec of the access units. */
  readonly codecName: CodecName;
  /** Configuration of the decoder of a codec of sound, which then is alone. */
  readonly parameterSets?: readonly Uint8Array[];
  readonly width: number;
  readonly height: number;
  /** Rotation clockwise that the player applies; none by default. */
  readonly rotation?: Rotation | undefined;
  /** Sound beside the pictures; `undefined` without. */
  readonly sound?: SoundTrack | undefined;
  /** Shown in the title bar of the window. */
  readonly title: string;
  /** Frames per second; `undefined`: unknown or variable. */
  readonly framesPerSecond?: number | undefined;
}

/** Exit of a player. */
export interface PlayerExit {
  /** Exit code; `null` after a signal. A code of 0 does not prove that a picture was shown. */
  readonly code: number | null;
  /** Signal that ended it; `null`: none. */
  readonly signal: NodeJS.Signals | null;
  /** Last line of its stderr; empty if there was none. */
  readonly lastErrorLine: string;
}

/** A window that shows access units as they arrive. */
export interface Player {
  readonly name: string;
  /**
   * Passes an access unit to the player. Never blocks and never throws. Playback starts at the first key frame, which
   * must carry its parameter sets. When the player reads too slowly, units are dropped up to a key frame and counted in
   * `dropped`. A unit that is `decodeOnly` is decoded and not shown.
   */
  write(unit: AccessUnit): void;
  /** Passes a unit of the sound to the player, on the timeline of the pictures. */
  writeSound(unit: AccessUnit): void;
  /** Number of access units dropped because the player read too slowly. */
  readonly dropped: number;
  /** Number of units of the sound dropped for the same reason. */
  readonly droppedSound: number;
  /** Resolves when the program has exited, on its own, by its user or by `close`. Never rejects. */
  readonly exited: Promise<PlayerExit>;
  /** Shows a text over the picture for three seconds, if the player can (mpv). */
  showText?(text: string): void;
  /** Stops the program: end of input, then SIGTERM, then SIGKILL. Resolves after its exit. Idempotent. */
  close(): Promise<void>;
}

/** Environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;
