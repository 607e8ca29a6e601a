import type { AccessUnit, Importance } from '../protocol/access-unit.ts';
import { assert } from '../protocol/base/assert.ts';
import { type Instant, instant } from '../protocol/base/units.ts';
import { FRAME_OUTCOMES, type FrameOutcome, type FrameRecord, MECHANISMS, type Mechanism } from './tables.ts';

const TYPES: readonly Importance[] = ['key', 'reference', 'discardable'];
const ROWS_AT_FIRST = 1_024;

/** Columns of instants, where `NaN` means never. */
const TIMES = ['capturedAt', 'sentAt', 'completeAt', 'decodableAt', 'renderedAt', 'lossSeenAt'] as const;
/** An instant of a frame in the table. */
export type FrameTime = (typeof TIMES)[number];

/** Frames of one cell in columns, about 80 bytes per frame. An instant of `NaN` means never. */
export class FrameTable {
  readonly #times: Record<FrameTime, Float64Array>;
  #type = new Uint8Array(ROWS_AT_FIRST);
  #bytes = new Uint32Array(ROWS_AT_FIRST);
  #packets = new Uint32Array(ROWS_AT_FIRST);
  #mechanism = new Uint8Array(ROWS_AT_FIRST);
  #class = new Uint8Array(ROWS_AT_FIRST);
  #length = 0;

  constructor() {
    this.#times = Object.fromEntries(TIMES.map((time) => [time, new Float64Array(ROWS_AT_FIRST)])) as Record<
      FrameTime,
      Float64Array
    >;
  }

  /** Builds a table from records for tests; missing fields default to never, none or zero. */
  static of(records: readonly Partial<FrameRecord>[]): FrameTable {
    const table = new FrameTable();
    for (const record of records) {
      const row = table.#append(record.type ?? 'reference', record.bytes ?? 0, instant(record.capturedAt ?? 0));
      table.#packets[row] = record.packets ?? 0;
      for (const time of TIMES) {
        if (time !== 'capturedAt') table.#times[time][row] = record[time] ?? Number.NaN;
      }
      if (record.mechanism) table.setMechanism(row, record.mechanism);
      table.setClass(row, record.class ?? (record.completeAt == null ? 'neverArrived' : 'onTime'));
    }
    return table;
  }

  get length(): number {
    return this.#length;
  }

  /** Adds a captured frame, initially classified as never arrived. @returns its row. */
  add(now: Instant, unit: AccessUnit): number {
    let bytes = 0;
    for (const part of unit.parts) bytes += part.length;
    const row = this.#append(unit.importance, bytes, now);
    this.setClass(row, 'neverArrived');
    return row;
  }

  time(row: number, time: FrameTime): number {
    return this.#times[time][row]!;
  }

  setTime(row: number, time: FrameTime, at: Instant): void {
    // Some receiver deadlines have fractions of a microsecond.
    this.#times[time][row] = Math.round(at);
  }

  type(row: number): Importance {
    return TYPES[this.#type[row]!]!;
  }

  bytes(row: number): number {
    return this.#bytes[row]!;
  }

  packets(row: number): number {
    return this.#packets[row]!;
  }

  setPackets(row: number, packets: number): void {
    this.#packets[row] = packets;
  }

  class(row: number): FrameOutcome {
    return FRAME_OUTCOMES[this.#class[row]!]!;
  }

  setClass(row: number, value: FrameOutcome): void {
    this.#class[row] = FRAME_OUTCOMES.indexOf(value);
  }

  mechanism(row: number): Mechanism {
    return MECHANISMS[this.#mechanism[row]!]!;
  }

  setMechanism(row: number, value: Mechanism): void {
    this.#mechanism[row] = MECHANISMS.indexOf(value);
  }

  /** Returns a row as a record. */
  record(row: number): FrameRecord {
    assert(row < this.#length, 'the row must exist');
    const at = (time: FrameTime): number | null => {
      const value = this.time(row, time);
      return Number.isNaN(value) ? null : value;
    };
    return {
      frame: row,
      type: this.type(row),
      bytes: this.bytes(row),
      packets: this.packets(row),
      capturedAt: this.time(row, 'capturedAt'),
      sentAt: at('sentAt'),
      completeAt: at('completeAt'),
      decodableAt: at('decodableAt'),
      renderedAt: at('renderedAt'),
      lossSeenAt: at('lossSeenAt'),
      mechanism: this.mechanism(row),
      class: this.class(row),
    };
  }

  #append(type: Importance, bytes: number, capturedAt: Instant): number {
    const row = this.#length++;
    if (row === this.#type.length) this.#grow();
    this.#type[row] = TYPES.indexOf(type);
    this.#bytes[row] = bytes;
    for (const time of TIMES) this.#times[time][row] = Number.NaN;
    this.#times.capturedAt[row] = capturedAt;
    return row;
  }

  #grow(): void {
    const rows = this.#type.length * 2;
    for (const time of TIMES) this.#times[time] = widened(this.#times[time], new Float64Array(rows));
    this.#type = widened(this.#type, new Uint8Array(rows));
    this.#bytes = widened(this.#bytes, new Uint32Array(rows));
    this.#packets = widened(this.#packets, new Uint32Array(rows));
    this.#mechanism = widened(this.#mechanism, new Uint8Array(rows));
    this.#class = widened(this.#class, new Uint8Array(rows));
  }
}

/** Copies the values into a larger array. */
export function widened<Column extends Float64Array | Uint32Array | Uint8Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
