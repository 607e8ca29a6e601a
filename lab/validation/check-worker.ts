import { parentPort, workerData } from 'node:worker_threads';
import { type CheckOrder, type CheckSetting, executeCheck } from './run-checks.ts';

/** Worker thread that runs checks. */
const setting = workerData as CheckSetting;

parentPort?.on('message', (order: CheckOrder) => {
  try {
    parentPort?.postMessage(executeCheck(order, setting));
  } catch (error) {
    parentPort?.postMessage({ id: order.id, failure: (error as Error).message });
  }
});
