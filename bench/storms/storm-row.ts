/** One attack, and what it meets. */
export interface StormRow {
  readonly kind: string;
  /** Addresses that attack, each a network of its own. */
  readonly networks: number;
  readonly family: 4 | 6;
  /** False: the sender runs with `--insecure`. */
  readonly secure: boolean;
  readonly protocol: 'dropframe' | 'rist' | 'rtp';
}

/** Effect of an attack. */
export interface StormOutcome {
  /** Frames of the well-behaved receiver, and those of them that were not shown in time. */
  readonly frames: number;
  readonly lost: number;
  readonly sessions: number;
  /** Connections, requests or datagrams that the attackers made. */
  readonly made: number;
  /** CPU time of the sender for each second, milliseconds. */
  readonly processorMs: number;
  /** Resident memory of the sender at the end. */
  readonly megabytes: number;
  /** Time in which another receiver starts, joins and shows a frame during the attack; `undefined` when it did not within 15 s. */
  readonly joinedMs?: number | undefined;
  /** True when the sender has ended. */
  readonly ended: boolean;
}
