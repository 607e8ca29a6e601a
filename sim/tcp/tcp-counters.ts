/** What a connection's sending direction did. `segments` counts every transmission of data, pure acknowledgments not. */
export interface SendingCounters {
  readonly segments: number;
  /** Payload bytes of all transmissions, and of the retransmissions among them. */
  readonly bytes: number;
  readonly retransmittedBytes: number;
  readonly fastRetransmissions: number;
  readonly timeoutRetransmissions: number;
  /** Tail-loss probes: all, and those that repeated something. */
  readonly tailProbes: number;
  readonly tailRetransmissions: number;
  readonly windowProbes: number;
  /** Retransmission timeouts. */
  readonly timeouts: number;
  /** Retransmissions of which the receiver said that it had the bytes already. */
  readonly spuriousRetransmissions: number;
  /** Reductions of the window that were taken back. */
  readonly undone: number;
}

/** Counts what the sending direction does. */
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

  /** Whether it is a retransmission's: more duplicates than those are the path's doing. */
  noteDuplicate(): boolean {
    const { fastRetransmissions, timeoutRetransmissions, tailRetransmissions, spuriousRetransmissions } = this.#counts;
    if (spuriousRetransmissions >= fastRetransmissions + timeoutRetransmissions + tailRetransmissions) return false;
    this.#counts.spuriousRetransmissions++;
    return true;
  }
}
