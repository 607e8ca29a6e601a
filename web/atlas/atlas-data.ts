import { parquetReadObjects } from 'hyparquet';
import { type AtlasAxis, type AtlasPoint, axisValues } from '../../protocol/page/atlas-axes.ts';
import type { AtlasRow } from '../../protocol/page/atlas-cell.ts';
import { ATLAS_FORMAT, type AtlasManifest } from '../../protocol/page/atlas-manifest.ts';
import { AtlasTree, pointKey } from '../../protocol/page/atlas-tree.ts';

/** Rows of all strategies at a point, the most frames in time first. */
export type PointRows = readonly AtlasRow[];

/** An atlas in memory. */
export interface Atlas {
  readonly manifest: AtlasManifest;
  readonly tree: AtlasTree;
  readonly points: ReadonlyMap<string, PointRows>;
}

/** @throws {Error} when the files do not belong together. */
export async function readAtlas(found: unknown, table: ArrayBuffer): Promise<Atlas> {
  const manifest = found as AtlasManifest;
  if (manifest?.format !== ATLAS_FORMAT) throw new Error('atlas.json is of another version: compute the atlas again');
  const rows = (await parquetReadObjects({ file: table })) as unknown as AtlasRow[];
  if (rows.length !== manifest.rows) {
    throw new Error(`atlas.parquet has ${rows.length} cells, but atlas.json says ${manifest.rows}: compute it again`);
  }
  const { axes } = manifest;
  const splits = Array.from({ length: manifest.splits.length / 2 }, (_, index) => {
    return { box: manifest.splits[2 * index]!, axis: manifest.splits[2 * index + 1]! };
  });
  return { manifest, tree: new AtlasTree(axes, splits), points: pointsOf(axes, rows) };
}

function pointsOf(axes: readonly AtlasAxis[], rows: readonly AtlasRow[]): ReadonlyMap<string, PointRows> {
  const positions = axes.map((axis) => new Map(axisValues(axis).map((value, at) => [value, at])));
  const points = new Map<string, AtlasRow[]>();
  for (const row of rows) {
    const values = [row.loss, row.burst, row.rttMs, row.jitterMs, row.budgetMs, row.rateKbps];
    const key = pointKey(values.map((value, axis) => positions[axis]!.get(value) ?? -1));
    const counted = { ...row, ...countsOf(row) };
    const those = points.get(key);
    if (those) those.push(counted);
    else points.set(key, [counted]);
  }
  const costOf = ({ overhead }: AtlasRow) => overhead ?? Number.POSITIVE_INFINITY;
  for (const those of points.values()) {
    those.sort((one, other) => other.inTime - one.inTime || costOf(one) - costOf(other));
  }
  return points;
}

/** Integers of a Parquet table are 64 bits long. */
const countsOf = ({ seeds, frames, framesInTime }: AtlasRow) => ({
  seeds: Number(seeds),
  frames: Number(frames),
  framesInTime: Number(framesInTime),
});

/** Returns the computed point that is nearest to a position, and its rows. */
export function nearestPoint({ tree, points }: Atlas, position: AtlasPoint): { point: AtlasPoint; rows: PointRows } {
  const point = tree.nearestCorner(position);
  const rows = points.get(pointKey(point));
  if (!rows) throw new Error('atlas.parquet lacks a point of atlas.json: compute the atlas again');
  return { point, rows };
}

/** The cheapest of the strategies that have the most frames in time, or cannot be told from the best. */
export function cheapestOfBest(rows: PointRows): { readonly row: AtlasRow; readonly tied: number } {
  const best = rows.filter(({ standing }) => standing !== 'behind');
  const row = best.reduce((one, other) => ((other.overhead ?? 1e9) < (one.overhead ?? 1e9) ? other : one));
  return { row, tied: best.length };
}
