import { readdir, statfs } from 'node:fs/promises';
import { causeOf, Failure } from '../../io/os/failure.ts';
import type { Cell } from '../cell.ts';
import { rateOf, secondsOf } from '../cell-source.ts';
import type { GridCell } from '../grid.ts';
import type { ScenarioOutput } from '../scenario.ts';
import type { CellStore } from './cell-store.ts';

/** Upper estimates from measurements, bytes: a cell's file, and its rows in the summaries. */
const CELL_BYTES = 4_000;
const ROW_BYTES = 2_000;
/** Per frame, packet, event and captured packet: next to the cell, and again in the merged table. */
const FRAME_BYTES = 60;
const PACKET_BYTES = 30;
const EVENT_BYTES = 220;
const CAPTURE_OVERHEAD_BYTES = 64;
/** Size of a slot's row, and number of temporary streams for ffmpeg. */
const SLOT_BYTES = 24;
const STREAMS = 8;
/** Payload of a media datagram, bytes, and datagrams of all kinds per media datagram. */
const PAYLOAD_BYTES = 1_150;
const DATAGRAMS_EACH = 1.7;

interface OutputSizes {
  readonly output: ScenarioOutput;
  /** The seed whose cells have event logs and captures. */
  readonly firstSeed: number;
}

/** Estimated additional size of the answer, bytes. Existing cells need no more space. */
export async function bytesNeeded(
  cells: readonly GridCell[],
  { output, firstSeed }: OutputSizes,
  store: CellStore,
): Promise<number> {
  const existing = new Set(await readdir(store.directory).catch(() => []));
  const hasVideo = output.quality || output.video;
  let largest = 0;
  let bytes = 0;
  for (const { id, cell } of cells) {
    const { gathered, beside } = sizesOf(cell, { output, firstSeed });
    bytes += gathered;
    if (!existing.has(`${id}.json`)) bytes += beside;
    if (hasVideo && cell.source.kind === 'file') largest = Math.max(largest, cell.source.bytes);
  }
  return bytes + STREAMS * largest;
}

/** Sizes of a cell's own files, and of its part in the merged tables, bytes. */
function sizesOf({ source, seed }: Cell, { output, firstSeed }: OutputSizes) {
  const payload = (secondsOf(source) * rateOf(source)) / 8;
  const datagrams = DATAGRAMS_EACH * Math.max(source.frames, payload / PAYLOAD_BYTES);
  const hasVideo = (output.quality || output.video) && source.kind === 'file';
  const slots = hasVideo ? source.frames * SLOT_BYTES : 0;
  const frames = source.frames * FRAME_BYTES;
  const packets = output.packets ? datagrams * PACKET_BYTES : 0;
  let beside = CELL_BYTES + packets + slots;
  if (output.frames || hasVideo) beside += frames;
  if (output.qlog && seed === firstSeed) beside += datagrams * 2 * EVENT_BYTES;
  if (output.pcapng && seed === firstSeed)
    beside += 2 * (payload * DATAGRAMS_EACH + datagrams * CAPTURE_OVERHEAD_BYTES);
  return { gathered: ROW_BYTES + packets + (output.frames ? frames + slots : 0), beside };
}

/** @throws {Failure} when the disk has less free space. */
export async function checkRoom(directory: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory).catch((error) => {
    throw new Failure(`cannot determine the free space of ${directory}: ${causeOf(error)}`);
  });
  const free = bavail * bsize;
  if (bytes <= free) return;
  throw new Failure(
    `the answer may need ${sizeText(bytes)}, but ${directory} has ${sizeText(free)} free; ` +
      'use fewer cells, or fewer outputs (frames, packets, qlog, pcapng)',
    2,
  );
}

/** Formats a size with about three digits. */
const sizeText = (bytes: number): string =>
  bytes < 1e6
    ? `${Math.round(bytes / 1e3)} kB`
    : bytes < 1e11
      ? `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`
      : `${Math.round(bytes / 1e9)} GB`;
