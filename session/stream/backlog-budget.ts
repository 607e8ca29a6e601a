/** A connection that may be slow. */
export interface Backlog {
  /** Bytes that wait for it. */
  readonly unsentBytes: number;
}

/** Limit for one connection, bytes: 6 s of a stream of 20 Mb/s. */
const BYTES_MAX = 16_000_000;
/** Limit for all connections of a sender together, bytes: a second of 64 receivers of 8 Mb/s. In memory it is up to three times as much. */
const TOTAL_BYTES_MAX = 64_000_000;

/**
 * Bytes that wait for the slow connections of a sender. A peer names the delay that it accepts, up to a minute; without
 * a limit for all of them, as many peers as there are places, none of which reads, would fill the memory.
 */
export class BacklogBudget {
  readonly #bytesMax: number;
  readonly #totalBytesMax: number;
  readonly #backlogs = new Set<Backlog>();

  constructor({ bytesMax = BYTES_MAX, totalBytesMax = TOTAL_BYTES_MAX } = {}) {
    this.#bytesMax = bytesMax;
    this.#totalBytesMax = totalBytesMax;
  }

  add(backlog: Backlog): void {
    this.#backlogs.add(backlog);
  }

  delete(backlog: Backlog): void {
    this.#backlogs.delete(backlog);
  }

  /** True when nothing should be added to this backlog: it is too long, or all are and it has more than an equal share. */
  isExceeded(backlog: Backlog): boolean {
    const own = backlog.unsentBytes;
    if (own === 0) return false;
    if (own > this.#bytesMax) return true;
    if (own <= this.#totalBytesMax / Math.max(1, this.#backlogs.size)) return false;
    let total = 0;
    for (const { unsentBytes } of this.#backlogs) total += unsentBytes;
    return total > this.#totalBytesMax;
  }
}
