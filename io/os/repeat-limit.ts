import { elapsed, type Instant, later, type Microseconds, microseconds, seconds } from '../../protocol/base/units.ts';

/** Time between the first two messages of a kind; it doubles with each one that follows, up to the longest. */
const INTERVAL_FIRST: Microseconds = seconds(10);
const INTERVAL_LONGEST: Microseconds = seconds(600);
/** Kinds remembered; the oldest is forgotten. */
const KINDS_MAX = 64;

interface Kind {
  nextAt: Instant;
  interval: Microseconds;
  withheld: number;
}

/** Admits messages of one kind at growing intervals. Messages that differ in plain numbers are of one kind. */
export class RepeatLimit {
  readonly #kinds = new Map<string, Kind>();

  /** @returns the number of messages of its kind withheld since the last one admitted; `undefined`: withhold this too. */
  admit(now: Instant, message: string): number | undefined {
    const key = kindOf(message);
    const kind = this.#kinds.get(key);
    if (kind === undefined) {
      if (this.#kinds.size >= KINDS_MAX) this.#kinds.delete(this.#kinds.keys().next().value!);
      this.#kinds.set(key, { nextAt: later(now, INTERVAL_FIRST), interval: INTERVAL_FIRST, withheld: 0 });
      return 0;
    }
    if (now < kind.nextAt) {
      kind.withheld++;
      return undefined;
    }
    const { withheld } = kind;
    // A kind that has been quiet for the longest interval is logged again.
    const quiet = elapsed(kind.nextAt, now) > INTERVAL_LONGEST;
    kind.interval = quiet ? INTERVAL_FIRST : microseconds(Math.min(kind.interval * 2, INTERVAL_LONGEST));
    kind.nextAt = later(now, kind.interval);
    kind.withheld = 0;
    return withheld;
  }
}

/** The message without its plain numbers; those of names, addresses and versions stay. */
const kindOf = (message: string): string => message.replace(/(?<![\w.:/@-])\d+(?:\.\d+)?(?![\w.:/@-]*\w)/g, '#');
