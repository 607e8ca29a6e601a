import { parentPort, workerData } from 'node:worker_threads';
import { computeCell, type WorkerSetting, type WorkOrder } from './compute-cell.ts';

/** Worker thread that runs cells. */
const setting = workerData as WorkerSetting;

parentPort?.on('message', (order: WorkOrder) => {
  try {
    const product = computeCell(order, setting);
    // Attachments are transferred, not copied.
    const buffers = [...product.attachments.values()].map((content) => content.buffer as ArrayBuffer);
    parentPort?.postMessage(product, buffers);
  } catch (error) {
    parentPort?.postMessage({ id: order.id, failure: (error as Error).message });
  }
});
