/** A program of a row, and when the next one starts. */
export interface Step {
  /** `dropframe` is this program. `{port}`, `{other}` (two free even ports, also as `{port}+1`) and `{folder}` are replaced. */
  readonly command: string;
  /** Text in its output after which the next program starts; default: after a second. */
  readonly ready?: RegExp;
}

/** Outcome test of a row. */
export type Measure =
  /** Packets of each stream of a file that the row writes, as ffprobe counts them; at least these are expected. */
  | { readonly kind: 'file'; readonly path: string; readonly pictures: number; readonly sounds?: number }
  /** Frames of a summary of `dropframe receive`: this share of them is expected whole and in time. */
  | { readonly kind: 'summary'; readonly share: number; readonly repaired?: true }
  /** Output of the last program: text for the table, with the first group of the pattern in place of `{}`. */
  | { readonly kind: 'output'; readonly good: RegExp; readonly text: string; readonly otherwise: string };

/** A line of the table: programs that are run, or the reason for which they cannot be. */
export interface InteropRow {
  readonly program: string;
  /** Command that tells the version, without its option; default: the program. */
  readonly versionOf?: string;
  readonly direction: 'from us' | 'to us';
  readonly protocol: string;
  readonly recovery: string;
  readonly codec: string;
  /** Started in order; the row ends with the last one. */
  readonly steps: readonly Step[];
  readonly measure?: Measure;
  /** Why it cannot be run by this script; it names the test that does, where there is one. */
  readonly notRun?: string;
}
