import type { Cell } from '../cell.ts';
import { datagramKind } from '../datagram-kind.ts';
import { eventLog } from '../event-log.ts';
import type { FrameTable } from '../frame-table.ts';
import { PACKET_COLUMNS, PacketLog, type PacketRecord } from '../packet-log.ts';
import type { FrameRecord } from '../tables.ts';
import type { Attachment } from './cell-store.ts';
import { FRAME_COLUMNS } from './columns.ts';
import { parquet } from './parquet.ts';
import { sha256 } from './sealed-json.ts';

/** Returns a packet log when a requested attachment needs one. */
export function packetLogFor(cell: Cell, asked: readonly Attachment[]): PacketLog | undefined {
  const wanted = asked.includes('packets.parquet') || asked.includes('events.qlog');
  return wanted ? new PacketLog(datagramKind(cell.strategy)) : undefined;
}

/** Observations of a finished cell. */
interface CellObservations {
  readonly frames: FrameTable;
  readonly soundUnits: FrameTable | undefined;
  readonly packets: PacketLog | undefined;
  readonly capture: Uint8Array | undefined;
}

/** Builds the requested attachments of a cell. */
export function makeAttachments(
  cell: Cell,
  asked: readonly Attachment[],
  { frames, soundUnits, packets, capture }: CellObservations,
): ReadonlyMap<Attachment, Uint8Array> {
  const records: readonly PacketRecord[] = packets?.records ?? [];
  const make: Readonly<Record<Attachment, () => Uint8Array | undefined>> = {
    'frames.parquet': () => tableOf(frames),
    'sound.parquet': () => soundUnits && tableOf(soundUnits),
    'packets.parquet': () => parquet<PacketRecord>(PACKET_COLUMNS, records),
    'events.qlog': () => eventLog(cell, frames, records),
    'capture.pcapng': () => capture,
  };
  const attachments = new Map<Attachment, Uint8Array>();
  for (const kind of asked) {
    const content = make[kind]();
    if (content) attachments.set(kind, content);
  }
  return attachments;
}

function tableOf(frames: FrameTable): Uint8Array {
  const rows = Array.from({ length: frames.length }, (_, row) => frames.record(row));
  return parquet<FrameRecord>(FRAME_COLUMNS, rows);
}

/** SHA-256 of each attachment, which identifies the files of a cell. */
export const hashesOf = (attachments: ReadonlyMap<Attachment, Uint8Array>) =>
  Object.fromEntries([...attachments].map(([kind, content]) => [kind, sha256(content)]));
