import type { AtlasAxis } from './atlas-axes.ts';

/** Version of the folder of an atlas; a page refuses another one. */
export const ATLAS_FORMAT = 1;

/** Description of an atlas beside its table: what is needed to find a cell in it, and to reproduce one. */
export interface AtlasManifest {
  readonly format: number;
  /** Of dropframe, and of its code. */
  readonly version: string;
  readonly code: string;
  /** Rows and SHA-256 of the table. */
  readonly rows: number;
  readonly sha256: string;
  readonly axes: readonly AtlasAxis[];
  readonly stream: {
    readonly fps: number;
    readonly kbps: number;
    readonly keys: number;
    readonly seconds: number;
  };
  readonly until: number;
  readonly seedsMax: number;
  readonly tolerance: number;
  readonly strategies: readonly { readonly name: string; readonly color: string; readonly colorDark: string }[];
  /** Box and axis of each split, in turn (`AtlasTree`). */
  readonly splits: readonly number[];
}
