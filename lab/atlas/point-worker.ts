import { parentPort, workerData } from 'node:worker_threads';
import type { AtlasPoint } from '../../protocol/page/atlas-axes.ts';
import type { AtlasCell } from '../../protocol/page/atlas-cell.ts';
import { computePoint } from './atlas-cells.ts';
import type { AtlasSetting } from './atlas-setting.ts';

/** Order of a worker thread: a point. */
export interface PointOrder {
  readonly id: string;
  readonly point: AtlasPoint;
}

export interface PointProduct extends PointOrder {
  readonly cells: readonly AtlasCell[];
}

/** Worker thread that runs the points of an atlas. */
const setting = workerData as AtlasSetting;

parentPort?.on('message', ({ id, point }: PointOrder) => {
  try {
    parentPort?.postMessage({ id, point, cells: computePoint(setting, point) } satisfies PointProduct);
  } catch (error) {
    parentPort?.postMessage({ id, failure: (error as Error).message });
  }
});
