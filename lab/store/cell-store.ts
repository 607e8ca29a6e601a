import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, copyFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { causeOf, Failure } from '../../io/os/failure.ts';
import type { Measurement as KernelMeasurement } from '../measured/measurement.ts';
import type { Bursts } from '../run-cell.ts';
import type { SummaryRow } from '../tables.ts';
import { buildAtomically, makeDirectory, writeAtomically } from './atomic-file.ts';
import { SUMMARY_COLUMNS } from './columns.ts';
import { parseParquet } from './parquet.ts';
import { readSealedJson, sealedJson, sha256 } from './sealed-json.ts';

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
  /** What was made with it, by the SHA-256 of each file: what lies there from another time is not its own. */
  readonly attachments: { readonly [Kind in Attachment]?: string };
}

/** More than the row of a cell, one file each beside it. */
export const ATTACHMENTS = ['frames.parquet', 'packets.parquet', 'events.qlog', 'capture.pcapng'] as const;

export type Attachment = (typeof ATTACHMENTS)[number];

const CELL_FILE = /^([0-9a-f]{64})\.json$/;

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
    const cell = readSealedJson<FinishedCell>(text);
    const whole = cell?.id === id && cell.attachments && Object.keys(SUMMARY_COLUMNS).every((name) => name in cell.row);
    return whole ? cell : 'damaged';
  }

  /** Attachments first: where the cell is, they are. */
  async write(cell: FinishedCell, attachments: ReadonlyMap<Attachment, Uint8Array>): Promise<void> {
    for (const [kind, content] of attachments) await writeAtomically(this.attachment(cell.id, kind), content);
    await writeAtomically(this.#path(cell.id), sealedJson(cell));
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

  /** Whether a file beside a cell is there, and the one that was written. */
  async isWhole(id: string, kind: Attachment | Measurement, expected: string): Promise<boolean> {
    const hash = createHash('sha256');
    try {
      for await (const chunk of createReadStream(this.attachment(id, kind))) hash.update(chunk as Uint8Array);
    } catch {
      return false;
    }
    return hash.digest('hex') === expected;
  }

  /**
   * The rows of a table beside a cell.
   * @param expected its SHA-256; `undefined`: the cell was made without it.
   * @throws {Failure} when it is not there or not that: which file, and what to do.
   */
  async table<Row extends object>(
    id: string,
    kind: Attachment | Measurement,
    expected: string | undefined,
  ): Promise<Row[]> {
    const path = this.attachment(id, kind);
    const damaged = (why: string, cause?: unknown) =>
      new Failure(`${path} is damaged (${why}): the same run again makes it anew`, 1, { cause });
    let content: Uint8Array;
    try {
      content = await readFile(path);
    } catch (error) {
      throw damaged(causeOf(error), error);
    }
    if (sha256(content) !== expected) throw damaged('it is not what was written with its cell');
    return parseParquet<Row>(content);
  }

  /** Takes over what another store has whole and this one has not. @returns how many files. */
  async adopt(other: CellStore): Promise<number> {
    const theirs = new Set(await readdir(other.#directory).catch(() => []));
    let adopted = 0;
    for (const name of theirs) {
      const id = CELL_FILE.exec(name)?.[1];
      if (id === undefined) continue;
      const names: string[] = [];
      if (typeof (await this.read(id)) === 'string') {
        const cell = await other.read(id);
        if (typeof cell === 'string') continue;
        names.push(...Object.keys(cell.attachments).map((kind) => `${id}.${kind}`), name);
      }
      if (!(await this.has(id, 'quality.json'))) names.push(`${id}.quality.parquet`, `${id}.quality.json`);
      // In this order: where a cell is, what belongs to it is there as well.
      for (const file of names.filter((each) => theirs.has(each))) {
        await buildAtomically(join(this.#directory, file), (temporary) =>
          copyFile(join(other.#directory, file), temporary),
        );
        adopted++;
      }
    }
    return adopted;
  }

  #path(id: string): string {
    return join(this.#directory, `${id}.json`);
  }
}
