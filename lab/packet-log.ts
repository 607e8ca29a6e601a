import type { Instant } from '../protocol/base/instant.ts';
import type { Direction } from '../sim/direction.ts';
import type { Fate } from '../sim/link/link.ts';
import type { PathObserver } from './path-observer.ts';
import type { ColumnKind } from './store/columns.ts';

/** One datagram of one cell. Times are microseconds of the virtual clock. */
export interface PacketRecord {
  readonly direction: Direction;
  /** 0, 1, 2 … in the order in which it entered this way. */
  readonly datagram: number;
  /** What it is to its strategy, such as `media`, `retransmission`, `repair`, `control`. */
  readonly kind: string;
  /** Beneath UDP or IP: without the headers of those. */
  readonly bytes: number;
  readonly sentAt: number;
  /** When it came, the first time if twice; `null`: it did not, or not as it was sent. */
  readonly arrivedAt: number | null;
  readonly fate: Fate;
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

/** Writes down every datagram: for the cells of which that was asked. */
export class PacketLog implements PathObserver {
  readonly records: { -readonly [Name in keyof PacketRecord]: PacketRecord[Name] }[] = [];
  readonly #kindOf: (direction: Direction, datagram: Uint8Array) => string;
  readonly #underway = new Map<Uint8Array, number>();
  readonly #count = { forward: 0, back: 0 };

  constructor(kindOf: (direction: Direction, datagram: Uint8Array) => string) {
    this.#kindOf = kindOf;
  }

  onSent(now: Instant, direction: Direction, datagram: Uint8Array, fate: Fate): void {
    if (fate === 'carried' || fate === 'duplicated') this.#underway.set(datagram, this.records.length);
    this.records.push({
      direction,
      datagram: this.#count[direction]++,
      kind: this.#kindOf(direction, datagram),
      bytes: datagram.length,
      // Some instants of the receiver lie between two microseconds.
      sentAt: Math.round(now),
      arrivedAt: null,
      fate,
    });
  }

  onDelivered(now: Instant, _direction: Direction, datagram: Uint8Array): void {
    const place = this.#underway.get(datagram);
    if (place === undefined) return;
    this.#underway.delete(datagram);
    this.records[place]!.arrivedAt = Math.round(now);
  }
}
