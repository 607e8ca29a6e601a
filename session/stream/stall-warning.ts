import type { Log } from '../../io/os/log.ts';
import {
  elapsed,
  type Instant,
  inMilliseconds,
  instant,
  type Microseconds,
  microseconds,
  milliseconds,
  seconds,
} from '../../protocol/base/units.ts';

/** Total duration of stalls below which there is no warning. */
const STALL_MIN: Microseconds = milliseconds(200);
const WARNING_INTERVAL: Microseconds = seconds(5);

/** Rate-limited warning about a source that is too slow, which stalls at every picture. */
export class StallWarning {
  readonly #log: Log;
  #stalled: Microseconds = microseconds(0);
  #warnedAt: Instant = instant(Number.NEGATIVE_INFINITY);

  constructor(log: Log) {
    this.#log = log;
  }

  /** Takes a stall of the stream, and warns when enough has accumulated since the last warning. */
  add(now: Instant, late: Microseconds): void {
    this.#stalled = microseconds(this.#stalled + late);
    if (this.#stalled < STALL_MIN || elapsed(this.#warnedAt, now) < WARNING_INTERVAL) return;
    this.#log.warn(
      `the stream stalled for ${Math.round(inMilliseconds(this.#stalled))} ms recently: the source or the machine is ` +
        'too slow; a smaller picture, a lower --bitrate or frame rate may help',
    );
    this.#stalled = microseconds(0);
    this.#warnedAt = now;
  }
}
