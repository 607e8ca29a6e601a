import { Failure } from '../../io/os/failure.ts';
import type { MediaSource, Playlist, SourcePass } from '../../io/sources/media-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';

/** Pictures and sound of a source. */
export interface RoundMedia {
  readonly units: (pass?: SourcePass) => AsyncIterable<AccessUnit>;
  readonly sound?: ((pass?: SourcePass) => AsyncIterable<AccessUnit>) | undefined;
}

/** Returns what a broadcast needs of a source. */
export function broadcastMedia(source: MediaSource): RoundMedia & Pick<MediaSource, 'playlist' | 'startSeconds'> {
  const { sound, playlist, startSeconds } = source;
  return {
    units: (pass) => source.units(pass),
    sound: sound && ((pass) => sound.units(pass)),
    ...{ playlist, startSeconds },
  };
}

/** One pass over a source. */
export interface PlayedRound extends RoundMedia {
  /** Number of passes over the whole playlist before this one. */
  readonly cycle: number;
}

export interface PlayOrderOptions {
  /** The source itself, which is first in each cycle of the playlist. */
  readonly first: RoundMedia;
  readonly playlist: Playlist | undefined;
  readonly loop: boolean;
  /** Called when an entry of the playlist cannot be opened or read, or has no pictures; the next one follows. */
  readonly onSkipped: ((error: unknown) => void) | undefined;
}

type Opened = Awaited<ReturnType<Playlist['open']>>;

/** The media of a broadcast, round after round: a source once or repeated, or the entries of a playlist in turn. */
export class PlayOrder {
  readonly #options: PlayOrderOptions;
  /** Entries that are open: the one that is read, and that before it, whose sound may not have been read to its end. */
  readonly #opened: Opened[] = [];
  #next = 0;
  /** Entries since the last one that had a unit. */
  #fruitless = 0;
  #error: unknown;
  #closed = false;

  constructor(options: PlayOrderOptions) {
    this.#options = options;
  }

  /**
   * Returns the media of the next round; `undefined` after the last one.
   * @throws {unknown} the last error, when no entry of a whole cycle has had a unit.
   */
  async next(): Promise<PlayedRound | undefined> {
    const { first, playlist, loop, onSkipped } = this.#options;
    const length = playlist?.length ?? 1;
    while (!this.#closed) {
      const index = this.#next++;
      if (this.#fruitless++ >= length) {
        if (this.#error === undefined) return undefined;
        throw this.#error;
      }
      if (index >= length && !loop) return undefined;
      await this.#closeBut(1);
      const cycle = Math.floor(index / length);
      if (index % length === 0) return { ...passOf(first, { isRepeat: cycle > 0 }), cycle };
      try {
        const media = await this.#open(index % length);
        return media && { ...media, cycle };
      } catch (error) {
        this.#error = error;
        onSkipped?.(error);
      }
    }
    return undefined;
  }

  /** The round has had a unit. */
  succeed(): void {
    this.#fruitless = 0;
  }

  /** The round has ended without a unit. */
  skipEmpty(): void {
    const { playlist } = this.#options;
    if (playlist) return this.skip(new Failure(`entry ${((this.#next - 1) % playlist.length) + 1} has no pictures`));
    if (this.#next > 1) this.#error = new Failure('it had pictures, and has none when it is read again');
  }

  /** Goes on with the next entry of a playlist after an error. @throws {unknown} the error, where there is no playlist. */
  skip(error: unknown): void {
    if (!this.#options.playlist) throw error;
    this.#error = error;
    this.#options.onSkipped?.(error);
  }

  /** Closes the entries that are open; the source itself remains. */
  close(): void {
    this.#closed = true;
    void this.#closeBut(0);
  }

  async #open(index: number): Promise<RoundMedia | undefined> {
    const entry = await this.#options.playlist!.open(index);
    this.#opened.push(entry);
    if (this.#closed) await this.#closeBut(0);
    const { sound } = entry;
    return this.#closed ? undefined : { units: () => entry.units(), sound: sound && (() => sound.units()) };
  }

  async #closeBut(kept: number): Promise<void> {
    const over = this.#opened.splice(0, Math.max(0, this.#opened.length - kept));
    await Promise.all(over.map((entry) => entry.close()));
  }
}

const passOf = ({ units, sound }: RoundMedia, pass: SourcePass): RoundMedia => ({
  units: () => units(pass),
  sound: sound && (() => sound(pass)),
});
