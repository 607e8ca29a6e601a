import type { AccessUnit } from '../../protocol/access-unit.ts';
import { CLOCK_RATE, ticks } from '../../protocol/base/units.ts';
import { Failure } from '../os/failure.ts';
import type { MediaSource } from './media-source.ts';

/** Source in place of an encoder that keeps failing. */
export interface Fallback {
  readonly source: MediaSource;
  /** Media time of its zero, seconds. */
  readonly startSeconds: number;
}

/** Opens the fallback source at about this position, seconds, at this bit rate, bits per second, where it is encoded. */
export type OpenFallback = (fromSeconds: number, bitrate: number) => Promise<Fallback>;

/** Sources in place of an encoder that keeps failing: each takes over from the one before it. */
export class Fallbacks {
  readonly #openers: readonly OpenFallback[];
  readonly #warn: (message: string) => void;
  #source: MediaSource | undefined;
  #closed = false;

  /** @param openers the preferred source first. */
  constructor(openers: readonly OpenFallback[], warn: (message: string) => void) {
    this.#openers = openers;
    this.#warn = warn;
  }

  /**
   * The access units from the first key frame at or behind `place` on, 90 kHz.
   *
   * @param cause says why the encoder was given up, for the warning.
   * @throws {Failure} of the last source, when none works; one that says `cause` when there is none.
   */
  async *units(place: number, bitrate: number, cause: string): AsyncGenerator<AccessUnit> {
    let failure = new Failure(`${cause}, and no fallback is available`);
    let why = cause;
    let next = place;
    for (const open of this.#openers) {
      try {
        const fallback = await this.#open(open, next, bitrate);
        if (fallback === undefined) return;
        this.#warn(`${why}: ${textOf(fallback)}`);
        for await (const unit of unitsOf(fallback, next)) {
          next = unit.timestamp + 1;
          yield unit;
        }
        return;
      } catch (error) {
        if (this.#closed) return;
        if (!(error instanceof Failure)) throw error;
        failure = error;
        why = error.message;
        await this.#source?.close();
      }
    }
    throw failure;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#source?.close();
  }

  /** `undefined` when it was closed meanwhile. */
  async #open(open: OpenFallback, place: number, bitrate: number): Promise<Fallback | undefined> {
    this.#source = undefined;
    const fallback = await open(place / CLOCK_RATE, bitrate);
    this.#source = fallback.source;
    if (!this.#closed) return fallback;
    await fallback.source.close();
    return undefined;
  }
}

function textOf({ source }: Fallback): string {
  const how = source.description.mode === 'copy' ? 'it is copied from its next key frame on' : 'ffmpeg continues';
  return `${how}, and the bit rate no longer adapts`;
}

async function* unitsOf({ source, startSeconds }: Fallback, place: number): AsyncGenerator<AccessUnit> {
  const offset = startSeconds * CLOCK_RATE;
  let entered = false;
  for await (const unit of source.units()) {
    const timestamp = ticks(Math.round(unit.timestamp + offset));
    const decodeTimestamp = ticks(Math.round(unit.decodeTimestamp + offset));
    entered ||= unit.importance === 'key' && decodeTimestamp >= place;
    if (entered) yield { ...unit, timestamp, decodeTimestamp };
  }
}
