import type { Instant } from '../protocol/base/units.ts';
import type { Direction } from '../sim/direction.ts';
import type { DatagramFate, DecidedFate } from '../sim/link/datagram-fate.ts';
import type { PathObserver } from './path-observer.ts';
import type { ColumnKind } from './store/columns.ts';

/** One datagram of a cell. Times in microseconds of the virtual clock. */
export interface PacketRecord {
  readonly direction: Direction;
  /** Index in this direction, from 0. */
  readonly datagram: number;
  /** Type of datagram: `media`, `retransmission`, `repair`, `control`, …. */
  readonly kind: string;
  /** Size without UDP and IP headers, bytes. */
  readonly bytes: number;
  readonly sentAt: number;
  /** First arrival; `null` when it was lost or corrupted. */
  readonly arrivedAt: number | null;
  readonly fate: DatagramFate;
}

export const PACKET_COLUMNS: { readonly [Name in keyof PacketRecord]-?: ColumnKind } = {
  direction: 'text',
  datagram: 'whole',
  kind: 'text',
  bytes: 'whole',
  sentAt: 'whole',
  arrivedAt: 'whole',
  fate: 'text',
};

/** Records every datagram of a cell; used only on request. */
export class PacketLog implements PathObserver {
  readonly records: { -readonly [Name in keyof PacketRecord]: PacketRecord[Name] }[] = [];
  readonly #kindOf: (direction: Direction, datagram: Uint8Array) => string;
  readonly #underway = new Map<Uint8Array, number>();
  readonly #count = { forward: 0, back: 0 };

  constructor(kindOf: (direction: Direction, datagram: Uint8Array) => string) {
    this.#kindOf = kindOf;
  }

  onSent(now: Instant, direction: Direction, datagram: Uint8Array, fate: DatagramFate): void {
    if (fate !== 'lost' && fate !== 'overflowed') this.#underway.set(datagram, this.records.length);
    this.records.push({
      direction,
      datagram: this.#count[direction]++,
      kind: this.#kindOf(direction, datagram),
      bytes: datagram.length,
      // Some send times have fractions of a microsecond.
      sentAt: Math.round(now),
      arrivedAt: null,
      fate,
    });
  }

  onDecided(_now: Instant, _direction: Direction, datagram: Uint8Array, fate: DecidedFate): void {
    const place = this.#underway.get(datagram);
    if (place === undefined) return;
    this.records[place]!.fate = fate;
    if (fate === 'lost' || fate === 'overflowed') this.#underway.delete(datagram);
  }

  onDelivered(now: Instant, _direction: Direction, datagram: Uint8Array): void {
    const place = this.#underway.get(datagram);
    if (place === undefined) return;
    this.#underway.delete(datagram);
    this.records[place]!.arrivedAt = Math.round(now);
  }
}
