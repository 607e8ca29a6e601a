import { access, copyFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { causeOf, Failure } from '../io/failure.ts';
import { buildAtomically, makeDirectory, writeAtomically } from './atomic-file.ts';
import { SUMMARY_COLUMNS } from './columns.ts';
import type { Measurement as KernelMeasurement } from './kernel/measurement.ts';
import { readParquet } from './parquet.ts';
import type { Bursts } from './run-cell.ts';
import type { SummaryRow } from './tables.ts';

/** A finished cell as it is kept. */
export interface FinishedCell {
  readonly id: string;
  /** Of the code that ran it: a cell of other code is not taken for this one's. */
  readonly code: string;
  readonly row: SummaryRow;
  readonly bursts: Bursts;
  /** What it took: not part of any answer. */
  readonly cost: { readonly wallMs: number; readonly datagrams: number };
  /** Of a cell that was measured in real time: under which conditions. */
  readonly measurement?: KernelMeasurement;
}

/** More than the row of a cell, one file each beside it. */
export const ATTACHMENTS = ['frames.parquet', 'packets.parquet', 'events.qlog', 'capture.pcapng'] as const;

export type Attachment = (typeof ATTACHMENTS)[number];

/** What is measured of a cell that is finished, beside it as well. */
export type Measurement = 'quality.json' | 'quality.parquet';

/**
 * Finished cells in a folder, by the hash of what was asked: to run one twice, here or on another machine, gives the
 * same file.
 */
export class CellStore {
  readonly #directory: string;

  /** @param directory of the answer; the cells are in a folder in it. */
  constructor(directory: string) {
    this.#directory = join(directory, 'cells');
  }

  get directory(): string {
    return this.#directory;
  }

  async prepare(): Promise<void> {
    await makeDirectory(this.#directory);
  }

  /** @returns the cell, or why there is none: it is not there, or its file is damaged. */
  async read(id: string): Promise<FinishedCell | 'missing' | 'damaged'> {
    let text: string;
    try {
      text = await readFile(this.#path(id), 'utf8');
    } catch {
      return 'missing';
    }
    try {
      const cell = JSON.parse(text, revive) as FinishedCell;
      const whole =
        cell.id === id && cell.row.cell === id && Object.keys(SUMMARY_COLUMNS).every((name) => name in cell.row);
      return whole ? cell : 'damaged';
    } catch {
      return 'damaged';
    }
  }

  /** Attachments first: where the cell is, they are. */
  async write(cell: FinishedCell, attachments: ReadonlyMap<Attachment, Uint8Array>): Promise<void> {
    for (const [kind, content] of attachments) await writeAtomically(this.attachment(cell.id, kind), content);
    await writeAtomically(this.#path(cell.id), `${JSON.stringify(cell, replace)}\n`);
  }

  attachment(id: string, kind: Attachment | Measurement): string {
    return join(this.#directory, `${id}.${kind}`);
  }

  async has(id: string, kind: Attachment | Measurement): Promise<boolean> {
    return access(this.attachment(id, kind)).then(
      () => true,
      () => false,
    );
  }

  /** The rows of a table beside a cell. @throws {Failure} when it is not there or damaged: which file, and what to do. */
  async table<Row extends object>(id: string, kind: Attachment | Measurement): Promise<Row[]> {
    const path = this.attachment(id, kind);
    try {
      return await readParquet<Row>(path);
    } catch (error) {
      const why = `${path} is damaged (${causeOf(error)})`;
      throw new Failure(`${why}: remove it and run the same again, which makes it anew`, 1, { cause: error });
    }
  }

  /** Takes over what another store has and this one has not. @returns how many files. */
  async adopt(other: CellStore): Promise<number> {
    const mine = new Set(await readdir(this.#directory).catch(() => []));
    let adopted = 0;
    for (const name of await readdir(other.#directory).catch(() => [])) {
      if (mine.has(name) || !/^[0-9a-f]{64}\.[a-z.]+$/.test(name)) continue;
      await buildAtomically(join(this.#directory, name), (temporary) =>
        copyFile(join(other.#directory, name), temporary),
      );
      adopted++;
    }
    return adopted;
  }

  #path(id: string): string {
    return join(this.#directory, `${id}.json`);
  }
}

/** JSON has no infinity. */
const replace = (_name: string, value: unknown): unknown => (value === Number.POSITIVE_INFINITY ? 'inf' : value);
const revive = (_name: string, value: unknown): unknown => (value === 'inf' ? Number.POSITIVE_INFINITY : value);
