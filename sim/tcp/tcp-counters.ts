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
