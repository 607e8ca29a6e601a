import { parentPort, workerData } from 'node:worker_threads';
import { type CheckOrder, type CheckSetting, carryOut } from './run-checks.ts';

/** A thread that runs checks, one after the other. */
const setting = workerData as CheckSetting;

parentPort?.on('message', (order: CheckOrder) => {
  try {
    parentPort?.postMessage(carryOut(order, setting));
  } catch (error) {
    parentPort?.postMessage({ id: order.id, failure: (error as Error).message });
  }
});
