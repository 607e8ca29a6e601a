import type { Playlist } from '../../io/sources/media-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';

/** Pictures and sound of one pass over a source. */
export interface RoundMedia {
  readonly units: () => AsyncIterable<AccessUnit>;
  readonly sound?: (() => AsyncIterable<AccessUnit>) | undefined;
}

export interface PlayOrderOptions {
  /** The source itself, which is first in each round of the playlist. */
  readonly first: RoundMedia;
  readonly playlist: Playlist | undefined;
  readonly loop: boolean;
  /** Called when an entry of the playlist cannot be opened; the next one follows. */
  readonly onSkipped: ((error: unknown) => void) | undefined;
}

type Opened = Awaited<ReturnType<Playlist['open']>>;

/** The media of a broadcast, round after round: a source once or repeated, or the entries of a playlist in turn. */
export class PlayOrder {
  readonly #options: PlayOrderOptions;
  /** Entries that are open: the one that is read, and that before it, whose sound may not have been read to its end. */
  readonly #opened: Opened[] = [];
  #next = 0;
  #closed = false;

  constructor(options: PlayOrderOptions) {
    this.#options = options;
  }

  /** Returns the media of the next round; `undefined` after the last one. */
  async next(): Promise<RoundMedia | undefined> {
    const { first, playlist, loop, onSkipped } = this.#options;
    const length = playlist?.length ?? 1;
    while (!this.#closed) {
      const index = this.#next++;
      if (index >= length && !loop) return undefined;
      await this.#closeBut(1);
      if (index % length === 0) return first;
      try {
        return await this.#open(index % length);
      } catch (error) {
        onSkipped?.(error);
      }
    }
    return undefined;
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
