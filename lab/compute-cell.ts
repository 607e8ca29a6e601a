import { now } from '../io/os/clock.ts';
import { elapsed, inMilliseconds } from '../protocol/base/units.ts';
import { PathCapture } from '../session/relay/path-capture.ts';
import type { Cell } from './cell.ts';
import type { CellFiles } from './cell-source.ts';
import { runCell } from './run-cell.ts';
import { hashesOf, makeAttachments, packetLogFor } from './store/cell-attachments.ts';
import type { Attachment, FinishedCell } from './store/cell-store.ts';

/** Initial message to a worker thread. */
export interface WorkerSetting {
  readonly files: CellFiles;
  readonly code: string;
}

export interface WorkOrder {
  readonly id: string;
  readonly cell: Cell;
  readonly attachments: readonly Attachment[];
}

export interface WorkProduct {
  readonly id: string;
  readonly finished: FinishedCell;
  readonly attachments: ReadonlyMap<Attachment, Uint8Array>;
}

/** IP protocol numbers. */
const TCP = 6;
const UDP = 17;

/** Runs a cell and produces the requested attachments. */
export function computeCell(order: WorkOrder, { files, code }: WorkerSetting): WorkProduct {
  const { id, cell, attachments: asked } = order;
  const packets = packetLogFor(cell, asked);
  const capture = asked.includes('capture.pcapng')
    ? new PathCapture(cell.strategy.startsWith('tcp-') ? TCP : UDP)
    : undefined;
  const began = now();
  const result = runCell(
    cell,
    files,
    [packets, capture].filter((observer) => observer !== undefined),
  );
  const cost = { wallMs: Math.round(inMilliseconds(elapsed(began, now()))), datagrams: result.datagrams };
  const { frames, row, bursts, flows, second, sound, soundUnits } = result;
  const attachments = makeAttachments(cell, asked, { frames, soundUnits, packets, capture: capture?.bytes() });
  return {
    id,
    finished: {
      ...{ id, code, row, bursts, cost },
      ...(flows && { flows }),
      ...(second && { second }),
      ...(sound && { sound }),
      attachments: hashesOf(attachments),
    },
    attachments,
  };
}
