import { type Instant, later, type Microseconds, microseconds, milliseconds } from '../base/units.ts';

/**
 * A finding about the media path: `suspect` after a short silence, once in each silence; `silent` after a long one on a
 * living control connection, once in each silence.
 */
export type PathFinding = 'suspect' | 'silent';

const TICK: Microseconds = milliseconds(100);
/** A stream of three frames a second and more is never silent for so long by itself; a needless proof costs 176 bytes. */
const SUSPECT_AFTER: Microseconds = milliseconds(400);
const SILENT_AFTER: Microseconds = milliseconds(2_000);
/** The control connection is alive when bytes arrive on it this long after the last datagram. */
const CONTROL_ALIVE_AFTER: Microseconds = milliseconds(500);

/**
 * Compares the two channels of a session over UDP: datagrams that stop while the control connection is alive show a
 * fault of the path, such as a NAT that assigned another port. Silence is counted in ticks, each at most twice its
 * length, so that a suspended process does not take its own pause for the path's.
 */
export class PathWatch {
  #tickAt: Instant;
  #tickedAt: Instant;
  #silence = microseconds(0);
  #heard = false;
  #heardEver = false;
  #controlAlive = false;
  #suspected = false;
  #found = false;

  constructor(now: Instant) {
    this.#tickedAt = now;
    this.#tickAt = later(now, TICK);
  }

  /** True when any datagram of the session has arrived. */
  get heardEver(): boolean {
    return this.#heardEver;
  }

  /** A datagram of the session has arrived, either media or an address-proof reply. */
  handlePacket(): void {
    this.#heard = true;
    this.#heardEver = true;
  }

  /** Something has arrived on the control connection. */
  handleControl(): void {
    if (this.#silence >= CONTROL_ALIVE_AFTER) this.#controlAlive = true;
  }

  /** Begins a new silence: datagrams were not expected until now. */
  restart(now: Instant): void {
    this.#tickedAt = now;
    this.#tickAt = later(now, TICK);
    this.#reset();
  }

  handleTimeout(now: Instant): PathFinding | undefined {
    if (now < this.#tickAt) return undefined;
    const elapsed = Math.min(now - this.#tickedAt, 2 * TICK);
    this.#tickedAt = now;
    this.#tickAt = later(now, TICK);
    if (this.#heard) {
      this.#reset();
      return undefined;
    }
    this.#silence = microseconds(this.#silence + elapsed);
    if (this.#silence >= SUSPECT_AFTER && !this.#suspected) {
      this.#suspected = true;
      return 'suspect';
    }
    if (this.#silence < SILENT_AFTER || !this.#controlAlive || this.#found) return undefined;
    this.#found = true;
    return 'silent';
  }

  pollTimeout(): Instant {
    return this.#tickAt;
  }

  #reset(): void {
    this.#silence = microseconds(0);
    this.#heard = false;
    this.#controlAlive = false;
    this.#suspected = false;
    this.#found = false;
  }
}
