import type { PacketClasses } from '../../receiver/ledger.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';

/** Maximum number of rows: a peer that sends to a port of plain RTP can begin any number of streams. */
const ROWS_MAX = 64;

/** Statistics of the sessions of a run that are over. Beyond 64, the oldest are added up in the first row. */
export class FinishedSessions {
  readonly #rows: ReceiverStatistics[] = [];
  #folded = 0;

  /** Oldest first. */
  get rows(): readonly ReceiverStatistics[] {
    return this.#rows;
  }

  /** Number of sessions in these rows. */
  get count(): number {
    return this.#rows.length + this.#folded;
  }

  add(statistics: ReceiverStatistics): void {
    this.#rows.push(statistics);
    if (this.#rows.length <= ROWS_MAX) return;
    this.#rows.splice(0, 2, sumOf(this.#rows[0]!, this.#rows[1]!));
    this.#folded++;
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

/** Sums of the fields that are numbers. */
function totals<Counts extends object>(one: Counts, other: Counts): Partial<Counts> {
  const entries = Object.entries(other) as [keyof Counts, unknown][];
  const numbers = entries.filter((entry): entry is [keyof Counts, number] => typeof entry[1] === 'number');
  return Object.fromEntries(numbers.map(([name, count]) => [name, count + Number(one[name])])) as Partial<Counts>;
}

const rounds = (one: ReceiverStatistics, other: ReceiverStatistics): PacketClasses['recoveredInRound'] =>
  other.packets.recoveredInRound.map((count, round) => count + (one.packets.recoveredInRound[round] ?? 0));
