import type { AtlasAxis } from './atlas-axes.ts';

/** Version of the folder of an atlas; a page refuses another one. */
export const ATLAS_FORMAT = 1;

/** The terms of an atlas: its space, its stream, and the precision of its cells. */
export interface AtlasTerms {
  readonly axes: readonly AtlasAxis[];
  readonly stream: {
    readonly fps: number;
    readonly kbps: number;
    readonly keys: number;
    /** Length of a run, with its warm-up. */
    readonly seconds: number;
  };
  /** Half the width of the interval at which a cell takes no further seeds, a share of the frames; most seeds. */
  readonly until: number;
  readonly seedsMax: number;
  /** Difference of shares of frames in time that refinement resolves. */
  readonly tolerance: number;
}

/** Description of an atlas beside its table: what is needed to find a cell in it, and to reproduce one. */
export interface AtlasManifest extends AtlasTerms {
  readonly format: number;
  /** Of dropframe, and of its code. */
  readonly version: string;
  readonly code: string;
  /** Rows and SHA-256 of the table. */
  readonly rows: number;
  readonly sha256: string;
  readonly strategies: readonly { readonly name: string; readonly color: string; readonly colorDark: string }[];
  /** Box and axis of each split, in turn (`AtlasTree`). */
  readonly splits: readonly number[];
}
