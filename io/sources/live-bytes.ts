import type { Readable } from 'node:stream';

/** Bytes of a live input. */
export interface LiveBytes {
  readonly source: Readable;
  readonly stop: () => void;
  /** Returns true once the input is known to have sound, which the bytes leave out. */
  readonly leavesOutSound?: (() => boolean) | undefined;
  /** Returns why the bytes ended, as far as it is known. */
  readonly cause?: (() => Promise<string | undefined>) | undefined;
}
