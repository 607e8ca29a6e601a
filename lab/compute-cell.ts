import { now } from '../io/clock.ts';
import type { Cell } from './cell.ts';
import type { CellFiles } from './cell-source.ts';
import type { Attachment, FinishedCell } from './cell-store.ts';
import { FRAME_COLUMNS } from './columns.ts';
import { datagramKind } from './datagram-kind.ts';
import { eventLog } from './event-log.ts';
import { PACKET_COLUMNS, PacketLog, type PacketRecord } from './packet-log.ts';
import { parquet } from './parquet.ts';
import { PathCapture } from './path-capture.ts';
import { runCell } from './run-cell.ts';
import { sha256 } from './sealed-json.ts';
import type { FrameRecord } from './tables.ts';

/** What a thread is given once. */
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

/** What IP calls TCP and UDP. */
const TCP = 6;
const UDP = 17;

/** Runs a cell and makes of it all that was asked for. */
export function computeCell(order: WorkOrder, { files, code }: WorkerSetting): WorkProduct {
  const { id, cell, attachments: asked } = order;
  const wants = (kind: Attachment) => asked.includes(kind);
  const packets =
    wants('packets.parquet') || wants('events.qlog') ? new PacketLog(datagramKind(cell.strategy)) : undefined;
  const capture = wants('capture.pcapng') ? new PathCapture(cell.strategy.startsWith('tcp-') ? TCP : UDP) : undefined;
  const began = now();
  const result = runCell(
    cell,
    files,
    [packets, capture].filter((observer) => observer !== undefined),
  );
  const cost = { wallMs: Math.round((now() - began) / 1_000), datagrams: result.datagrams };
  const attachments = new Map<Attachment, Uint8Array>();
  if (wants('frames.parquet')) {
    const rows = Array.from({ length: result.frames.length }, (_, row) => result.frames.record(row));
    attachments.set('frames.parquet', parquet<FrameRecord>(FRAME_COLUMNS, rows));
  }
  const records: readonly PacketRecord[] = packets?.records ?? [];
  if (wants('packets.parquet')) attachments.set('packets.parquet', parquet<PacketRecord>(PACKET_COLUMNS, records));
  if (wants('events.qlog')) attachments.set('events.qlog', eventLog(cell, result.frames, records));
  if (capture) attachments.set('capture.pcapng', capture.bytes());
  const hashes = Object.fromEntries([...attachments].map(([kind, content]) => [kind, sha256(content)]));
  const { row, bursts } = result;
  return { id, finished: { id, code, row, bursts, cost, attachments: hashes }, attachments };
}
