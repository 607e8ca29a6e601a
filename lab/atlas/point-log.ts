import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { causeOf, Failure } from '../../io/os/failure.ts';
import type { AtlasPoint } from '../../protocol/page/atlas-axes.ts';
import type { AtlasCell } from '../../protocol/page/atlas-cell.ts';
import { pointKey } from '../../protocol/page/atlas-tree.ts';
import { readSealedJson, sealedJson } from '../store/sealed-json.ts';

const LOG = 'points.jsonl';

interface LoggedPoint {
  readonly point: AtlasPoint;
  readonly cells: readonly AtlasCell[];
}

/**
 * Points that were computed, one line each, in the order in which they were finished. A line begins with the SHA-256 of
 * the rest: a line that a killed process left half written, or that was damaged, is ignored and its point computed again.
 */
export class PointLog {
  readonly #path: string;
  readonly #points = new Map<string, readonly AtlasCell[]>();
  #file: FileHandle | undefined;
  /** Written before the next line, to end a line that was cut off. */
  #before = '';

  constructor(directory: string) {
    this.#path = join(directory, LOG);
  }

  /** Reads the log. @returns the number of lines that are ignored. */
  async read(): Promise<number> {
    const text = await readFile(this.#path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw new Failure(`cannot read ${this.#path}: ${causeOf(error)}`);
    });
    const lines = text.split(/(?<=\n)/).filter((line) => line.trim() !== '');
    let ignored = 0;
    for (const line of lines) {
      const logged = readSealedJson<LoggedPoint>(line);
      if (logged) this.#points.set(pointKey(logged.point), logged.cells);
      else ignored++;
    }
    if (text !== '' && !text.endsWith('\n')) this.#before = '\n';
    return ignored;
  }

  get size(): number {
    return this.#points.size;
  }

  has(key: string): boolean {
    return this.#points.has(key);
  }

  at(key: string): readonly AtlasCell[] | undefined {
    return this.#points.get(key);
  }

  /** @throws {Failure} when it cannot be written, for example on a full disk. */
  async add(point: AtlasPoint, cells: readonly AtlasCell[]): Promise<void> {
    try {
      this.#file ??= await open(this.#path, 'a');
      // In one call, so that lines of two processes do not mix.
      await this.#file.appendFile(this.#before + sealedJson({ point, cells } satisfies LoggedPoint));
      this.#before = '';
    } catch (error) {
      throw new Failure(`cannot write ${this.#path}: ${causeOf(error)}; finished points are kept`, 1, { cause: error });
    }
    this.#points.set(pointKey(point), cells);
  }

  async close(): Promise<void> {
    await this.#file?.close().catch(() => {});
    this.#file = undefined;
  }

  static async remove(directory: string): Promise<void> {
    await rm(join(directory, LOG), { force: true });
  }
}
