/**
 * Counters of a connection's sending direction. `segments` counts all transmissions of data, without pure
 * acknowledgments.
 */
export interface SendingCounters {
  readonly segments: number;
  /** Payload bytes of all transmissions; `retransmittedBytes` is the part of retransmissions. */
  readonly bytes: number;
  readonly retransmittedBytes: number;
  readonly fastRetransmissions: number;
  readonly timeoutRetransmissions: number;
  /** Tail loss probes, and those among them that retransmitted a segment. */
  readonly tailProbes: number;
  readonly tailRetransmissions: number;
  readonly windowProbes: number;
  /** Retransmission timeouts. */
  readonly timeouts: number;
  /** Retransmissions reported as duplicates by the receiver. */
  readonly spuriousRetransmissions: number;
  /** Window reductions that were undone. */
  readonly undone: number;
}

/** Counts the events of the sending direction. */
export class SendingTally {
  readonly #counts = {
    segments: 0,
    bytes: 0,
    retransmittedBytes: 0,
    fastRetransmissions: 0,
    timeoutRetransmissions: 0,
    tailProbes: 0,
    tailRetransmissions: 0,
    windowProbes: 0,
    timeouts: 0,
    spuriousRetransmissions: 0,
  };

  get counts(): Omit<SendingCounters, 'undone'> {
    return this.#counts;
  }

  noteSent(bytes: number, isRepeated: boolean): void {
    this.#counts.segments++;
    this.#counts.bytes += bytes;
    if (isRepeated) this.#counts.retransmittedBytes += bytes;
  }

  noteRetransmission(afterTimeout: boolean): void {
    if (afterTimeout) this.#counts.timeoutRetransmissions++;
    else this.#counts.fastRetransmissions++;
  }

  noteTailProbe(isRepeated: boolean): void {
    this.#counts.tailProbes++;
    if (isRepeated) this.#counts.tailRetransmissions++;
  }

  noteWindowProbe(): void {
    this.#counts.windowProbes++;
  }

  noteTimeout(): void {
    this.#counts.timeouts++;
  }

  /**
   * Counts a reported duplicate; returns false when it cannot stem from a retransmission, but from duplication on the
   * path.
   */
  noteDuplicate(): boolean {
    const { fastRetransmissions, timeoutRetransmissions, tailRetransmissions, spuriousRetransmissions } = this.#counts;
    if (spuriousRetransmissions >= fastRetransmissions + timeoutRetransmissions + tailRetransmissions) return false;
    this.#counts.spuriousRetransmissions++;
    return true;
  }
}
