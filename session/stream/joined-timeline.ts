import { type AccessUnit, shifted } from '../../protocol/access-unit.ts';
import { type Ticks, ticks } from '../../protocol/base/units.ts';

/** Gap between two sessions: one frame at 30 frames per second. */
const SESSION_GAP: Ticks = ticks(3_000);

/** Units that are in order among themselves: pictures as they are shown, pictures as they are recorded, sound. */
type JoinedStream = 'shown' | 'recorded' | 'sound';

/**
 * Joins the media time of successive sessions, so that players and files see one stream. All streams of a session are
 * moved by the same, or they would be out of step.
 */
export class JoinedTimeline {
  #base: Ticks | undefined;
  /** Latest decode time so far, of whichever stream. */
  #end: Ticks | undefined;
  /** Time of the last unit of each stream. */
  readonly #last = new Map<JoinedStream, Ticks>();
  /** Streams that have begun in this session. */
  readonly #begun = new Set<JoinedStream>();

  /** True after the first picture shown. */
  get started(): boolean {
    return this.#last.has('shown');
  }

  /** Starts another session with the next unit. */
  begin(): void {
    this.#base = undefined;
    this.#begun.clear();
  }

  /** Returns a unit with its time on the joined timeline. */
  shift(unit: AccessUnit, stream: JoinedStream): AccessUnit {
    let base = this.#base ?? ticks(this.#end === undefined ? 0 : this.#end + SESSION_GAP - unit.decodeTimestamp);
    // Sound is decoded as soon as it comes, which may be in another order than it is played.
    const time = stream === 'sound' ? unit.timestamp : unit.decodeTimestamp;
    const last = this.#last.get(stream);
    if (last !== undefined && !this.#begun.has(stream)) {
      // A stream may begin before that whose unit came first, as a mended picture does, but not in the session before.
      base = ticks(Math.max(base, last + SESSION_GAP - time));
    }
    this.#base = base;
    this.#begun.add(stream);
    this.#last.set(stream, ticks(time + base));
    this.#end = ticks(Math.max(this.#end ?? Number.NEGATIVE_INFINITY, unit.decodeTimestamp + base));
    return shifted(unit, base);
  }
}
