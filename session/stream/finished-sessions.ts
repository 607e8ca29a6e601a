import type { SessionCause } from '../../protocol/control/control-client-event.ts';
import type { PacketClasses } from '../../receiver/ledger.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';

/** Maximum number of rows: a peer can begin any number of sessions, by restarts or by streams of plain RTP. */
const ROWS_MAX = 64;

/** A session that is over: its transport and the reason for which it began, where these differ between sessions. */
export interface FinishedSession {
  readonly statistics: ReceiverStatistics;
  readonly transport?: 'udp' | 'tcp' | undefined;
  readonly cause?: SessionCause | undefined;
}

/** Statistics of the sessions of a run that are over. Beyond 64, the oldest of a transport are added up in its first row. */
export class FinishedSessions {
  readonly #rows: FinishedSession[] = [];
  #folded = 0;

  /** Oldest first. */
  get rows(): readonly ReceiverStatistics[] {
    return this.#rows.map(({ statistics }) => statistics);
  }

  /** Transport of each row, where there is a choice. */
  get transports(): readonly ('udp' | 'tcp')[] {
    return this.#rows.flatMap(({ transport = [] }) => transport);
  }

  /** Reason for which the first session of each row began, where there are several. */
  get causes(): readonly SessionCause[] {
    return this.#rows.flatMap(({ cause = [] }) => cause);
  }

  /** Number of sessions in these rows. */
  get count(): number {
    return this.#rows.length + this.#folded;
  }

  add(session: FinishedSession): void {
    this.#rows.push(session);
    if (this.#rows.length <= ROWS_MAX) return;
    // There are two transports: of three rows, two have the same.
    const laterIndex = this.#rows.findIndex((row, index) => this.#firstOf(row) < index);
    const later = this.#rows[laterIndex]!;
    const firstIndex = this.#firstOf(later);
    const first = this.#rows[firstIndex]!;
    this.#rows[firstIndex] = { ...first, statistics: sumOf(first.statistics, later.statistics) };
    this.#rows.splice(laterIndex, 1);
    this.#folded++;
  }

  /** Index of the first row with the transport of this one. */
  #firstOf({ transport }: FinishedSession): number {
    return this.#rows.findIndex((row) => row.transport === transport);
  }
}

/** Returns both sessions as one. What is no total, such as percentiles, is that of the later one. */
function sumOf(one: ReceiverStatistics, other: ReceiverStatistics): ReceiverStatistics {
  const { jitter, lateKeyDelay, roundTrip } = other;
  return {
    ...other,
    ...totals(one, other),
    ...{ jitter, roundTrip, lateKeyDelay: Math.max(one.lateKeyDelay, lateKeyDelay) },
    frames: { ...other.frames, ...totals(one.frames, other.frames) },
    packets: { ...other.packets, ...totals(one.packets, other.packets), recoveredInRound: rounds(one, other) },
  };
}

/** Returns the sums of the fields that are numbers. */
export function totals<Counts extends object>(one: Counts, other: Counts): Partial<Counts> {
  const entries = Object.entries(other) as [keyof Counts, unknown][];
  const numbers = entries.filter((entry): entry is [keyof Counts, number] => typeof entry[1] === 'number');
  return Object.fromEntries(numbers.map(([name, count]) => [name, count + Number(one[name])])) as Partial<Counts>;
}

const rounds = (one: ReceiverStatistics, other: ReceiverStatistics): PacketClasses['recoveredInRound'] =>
  other.packets.recoveredInRound.map((count, round) => count + (one.packets.recoveredInRound[round] ?? 0));
