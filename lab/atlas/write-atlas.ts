import { join } from 'node:path';
import { assert } from '../../protocol/base/assert.ts';
import { type AtlasPoint, placeOf } from '../../protocol/page/atlas-axes.ts';
import type { AtlasRow } from '../../protocol/page/atlas-cell.ts';
import { ATLAS_FORMAT, type AtlasManifest } from '../../protocol/page/atlas-manifest.ts';
import { type AtlasTree, pointKey } from '../../protocol/page/atlas-tree.ts';
import { strategyStyles } from '../report/strategy-style.ts';
import { writeAtomically } from '../store/atomic-file.ts';
import { codeFingerprint } from '../store/code-fingerprint.ts';
import type { ColumnKind } from '../store/columns.ts';
import { parquet } from '../store/parquet.ts';
import { sha256 } from '../store/sealed-json.ts';
import type { OpenAtlas } from './atlas.ts';
import { ATLAS_MANIFEST, ATLAS_TABLE } from './atlas-files.ts';
import { missingCorners } from './refinement.ts';

/** Columns of atlas.parquet, in order. */
export const ATLAS_COLUMNS: { readonly [Name in keyof AtlasRow]-?: ColumnKind } = {
  loss: 'real',
  burst: 'real',
  rttMs: 'real',
  jitterMs: 'real',
  budgetMs: 'real',
  rateKbps: 'real',
  strategy: 'text',
  standing: 'text',
  seeds: 'whole',
  frames: 'whole',
  framesInTime: 'whole',
  inTime: 'real',
  low: 'real',
  high: 'real',
  overhead: 'real',
  leastOverhead: 'real',
  leastOf: 'text',
  limitInTime: 'real',
};

/** Digits of shares and ratios in the table: finer than any interval, and a table of half the size. */
const DIGITS = 6;
const rounded = (value: number | null): number | null => (value === null ? null : Number(value.toFixed(DIGITS)));

/** Returns the rows of an atlas, by point and strategy: an order that does not tell when a point was computed. */
export function atlasRows({ setting, log }: Pick<OpenAtlas, 'setting' | 'log'>, tree: AtlasTree): readonly AtlasRow[] {
  const points = [...missingCorners(tree, tree.leaves(), () => false)].sort(inOrder);
  return points.flatMap((point) => {
    const { loss, burst, rtt, jitter, budget, rate } = placeOf(setting.axes, point);
    const cells = log.at(pointKey(point));
    assert(cells !== undefined, 'a point of the tree must be computed');
    return cells.map((cell) => ({
      ...{ loss, burst, rttMs: rtt, jitterMs: jitter, budgetMs: budget, rateKbps: rate },
      ...cell,
      inTime: rounded(cell.inTime)!,
      low: rounded(cell.low)!,
      high: rounded(cell.high)!,
      overhead: rounded(cell.overhead),
      leastOverhead: rounded(cell.leastOverhead),
      limitInTime: rounded(cell.limitInTime),
    }));
  });
}

function inOrder(one: AtlasPoint, other: AtlasPoint): number {
  const axis = one.findIndex((at, index) => at !== other[index]);
  return axis < 0 ? 0 : one[axis]! - other[axis]!;
}

/** Writes table and manifest. @returns rows and bytes of the table. */
export async function writeAtlas(
  atlas: OpenAtlas,
  tree: AtlasTree,
  version: string,
): Promise<{ readonly rows: number; readonly table: Uint8Array; readonly manifest: AtlasManifest }> {
  const { directory, setting } = atlas;
  const rows = atlasRows(atlas, tree);
  const table = parquet(ATLAS_COLUMNS, rows);
  await writeAtomically(join(directory, ATLAS_TABLE), table);
  const { axes, stream, until, seedsMax, tolerance } = setting;
  const manifest: AtlasManifest = {
    ...{ format: ATLAS_FORMAT, version, code: codeFingerprint(), rows: rows.length, sha256: sha256(table) },
    ...{ axes, stream, until, seedsMax, tolerance },
    strategies: strategyStyles(setting.strategies).map(({ name, color, colorDark }) => ({ name, color, colorDark })),
    splits: tree.splits.flatMap(({ box, axis }) => [box, axis]),
  };
  await writeAtomically(join(directory, ATLAS_MANIFEST), `${JSON.stringify(manifest)}\n`);
  return { rows: rows.length, table, manifest };
}
