import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, copyFile, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { causeOf, Failure } from '../../io/os/failure.ts';
import type { Bursts } from '../cell-result.ts';
import type { FlowTables } from '../flows/flow-tables.ts';
import type { Measurement } from '../measured/measurement.ts';
import type { SecondPathFigures } from '../paths/second-path.ts';
import type { SoundFigures } from '../sound/sound-figures.ts';
import type { SummaryRow } from '../tables.ts';
import { buildAtomically, makeDirectory, writeAtomically } from './atomic-file.ts';
import { SUMMARY_COLUMNS } from './columns.ts';
import { parseParquet } from './parquet.ts';
import { readSealedJson, sealedJson, sha256 } from './sealed-json.ts';

/** A finished cell, as stored. */
export interface FinishedCell {
  readonly id: string;
  /** Fingerprint of the code that computed it; results of other code are not reused. */
  readonly code: string;
  readonly row: SummaryRow;
  readonly bursts: Bursts;
  /** Rows and rates of a cell with flows; `row` is the first of the rows. */
  readonly flows?: FlowTables;
  /** Figures of the second path of a cell that has one. */
  readonly second?: SecondPathFigures;
  /** Figures of the sound of a cell that has it. */
  readonly sound?: SoundFigures;
  /** Computing cost; not part of any answer. */
  readonly cost: { readonly wallMs: number; readonly datagrams: number };
  /** Conditions of a cell measured in real time. */
  readonly measurement?: Measurement;
  /** SHA-256 of each attachment; a file with another hash belongs to another run. */
  readonly attachments: { readonly [Kind in Attachment]?: string };
}

/** Optional files of a cell, one per kind. */
export const ATTACHMENTS = [
  'frames.parquet',
  'sound.parquet',
  'packets.parquet',
  'events.qlog',
  'capture.pcapng',
] as const;

export type Attachment = (typeof ATTACHMENTS)[number];

const CELL_FILE = /^([0-9a-f]{64})\.json$/;

/** Quality measurements of a finished cell, stored in the same folder. */
export type QualityFile = 'quality.json' | 'quality.parquet';

/**
 * Folder of finished cells, named by the hash of their inputs. A simulated cell gives the same file on every machine.
 */
export class CellStore {
  readonly #directory: string;

  /** @param directory folder of the answer; cells are in its subfolder `cells`. */
  constructor(directory: string) {
    this.#directory = join(directory, 'cells');
  }

  get directory(): string {
    return this.#directory;
  }

  async prepare(): Promise<void> {
    await makeDirectory(this.#directory);
  }

  /** @returns the cell, or why it cannot be read. */
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

  /** Writes attachments first, so an existing cell has its attachments. */
  async write(cell: FinishedCell, attachments: ReadonlyMap<Attachment, Uint8Array>): Promise<void> {
    for (const [kind, content] of attachments) await writeAtomically(this.attachment(cell.id, kind), content);
    await writeAtomically(this.#path(cell.id), sealedJson(cell));
  }

  attachment(id: string, kind: Attachment | QualityFile): string {
    return join(this.#directory, `${id}.${kind}`);
  }

  async has(id: string, kind: Attachment | QualityFile): Promise<boolean> {
    return access(this.attachment(id, kind)).then(
      () => true,
      () => false,
    );
  }

  /** True when a file of a cell exists and has the expected SHA-256. */
  async isWhole(id: string, kind: Attachment | QualityFile, expected: string): Promise<boolean> {
    const hash = createHash('sha256');
    try {
      for await (const chunk of createReadStream(this.attachment(id, kind))) hash.update(chunk as Uint8Array);
    } catch {
      return false;
    }
    return hash.digest('hex') === expected;
  }

  /**
   * Reads a table of a cell.
   *
   * @param expected its SHA-256; `undefined` when the cell was computed without it.
   * @throws {Failure} when the file is missing or differs, with a remedy.
   */
  async table<Row extends object>(
    id: string,
    kind: Attachment | QualityFile,
    expected: string | undefined,
  ): Promise<Row[]> {
    const path = this.attachment(id, kind);
    const damaged = (why: string, cause?: unknown) =>
      new Failure(`${path} is damaged (${why}); run the same command again to rewrite it`, 1, { cause });
    let content: Uint8Array;
    try {
      content = await readFile(path);
    } catch (error) {
      throw damaged(causeOf(error), error);
    }
    if (sha256(content) !== expected) throw damaged('its hash does not match the cell');
    return parseParquet<Row>(content);
  }

  /**
   * Imports cells from another store that are missing here.
   * @returns the number of files.
   * @throws {Failure} at the first cell that other code than that of the cells here has computed.
   */
  async adopt(other: CellStore): Promise<number> {
    const theirs = new Set(await readdir(other.#directory).catch(() => []));
    let code = await this.#code();
    let adopted = 0;
    for (const name of theirs) {
      const id = CELL_FILE.exec(name)?.[1];
      if (id === undefined) continue;
      const names: string[] = [];
      if (typeof (await this.read(id)) === 'string') {
        const cell = await other.read(id);
        if (typeof cell === 'string') continue;
        code ??= cell.code;
        if (cell.code !== code) {
          const problem = 'has cells of another version of dropframe; compute them again with one version';
          throw new Failure(`${dirname(other.#directory)} ${problem}`);
        }
        names.push(...Object.keys(cell.attachments).map((kind) => `${id}.${kind}`), name);
      }
      if (!(await this.has(id, 'quality.json'))) names.push(`${id}.quality.parquet`, `${id}.quality.json`);
      // In this order, so an existing cell has its files.
      for (const file of names.filter((each) => theirs.has(each))) {
        await buildAtomically(join(this.#directory, file), (temporary) =>
          copyFile(join(other.#directory, file), temporary),
        );
        adopted++;
      }
    }
    return adopted;
  }

  /** Code that has computed the first cell here; `undefined` without cells. */
  async #code(): Promise<string | undefined> {
    for (const name of await readdir(this.#directory).catch(() => [])) {
      const id = CELL_FILE.exec(name)?.[1];
      const cell = id === undefined ? 'missing' : await this.read(id);
      if (typeof cell !== 'string') return cell.code;
    }
    return undefined;
  }

  #path(id: string): string {
    return join(this.#directory, `${id}.json`);
  }
}
