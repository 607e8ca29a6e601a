import { readdir, statfs } from 'node:fs/promises';
import { causeOf, Failure } from '../../io/os/failure.ts';
import type { Cell } from '../cell.ts';
import { rateOf, secondsOf } from '../cell-source.ts';
import type { GridCell } from '../grid.ts';
import type { ScenarioOutput } from '../scenario.ts';
import type { CellStore } from './cell-store.ts';

/** Upper ends of what was measured, bytes: a cell's file, and its rows in the summaries. */
const CELL_BYTES = 4_000;
const ROW_BYTES = 2_000;
/** Beside its cell, and as much again in the table of all. */
const FRAME_BYTES = 60;
const PACKET_BYTES = 30;
const EVENT_BYTES = 220;
const CAPTURE_OVERHEAD_BYTES = 64;
/** A slot's row, and the streams that ffmpeg is given for as long as it takes. */
const SLOT_BYTES = 24;
const STREAMS = 8;
/** A media datagram's payload, and how many datagrams of all kinds there are to each. */
const PAYLOAD_BYTES = 1_150;
const DATAGRAMS_EACH = 1.7;

interface Wanted {
  readonly output: ScenarioOutput;
  /** Whose cells have logs and captures. */
  readonly firstSeed: number;
}

/** How much more the answer may take, bytes: cells that are there take no more. */
export async function bytesNeeded(
  cells: readonly GridCell[],
  { output, firstSeed }: Wanted,
  store: CellStore,
): Promise<number> {
  const there = new Set(await readdir(store.directory).catch(() => []));
  const isSeen = output.quality || output.video;
  let largest = 0;
  let bytes = 0;
  for (const { id, cell } of cells) {
    const { gathered, beside } = sizesOf(cell, { output, firstSeed });
    bytes += gathered;
    if (!there.has(`${id}.json`)) bytes += beside;
    if (isSeen && cell.source.kind === 'file') largest = Math.max(largest, cell.source.bytes);
  }
  return bytes + STREAMS * largest;
}

/** What lies beside a cell, and what of it goes into the tables of all, bytes. */
function sizesOf({ source, seed }: Cell, { output, firstSeed }: Wanted) {
  const payload = (secondsOf(source) * rateOf(source)) / 8;
  const datagrams = DATAGRAMS_EACH * Math.max(source.frames, payload / PAYLOAD_BYTES);
  const isSeen = (output.quality || output.video) && source.kind === 'file';
  const slots = isSeen ? source.frames * SLOT_BYTES : 0;
  const frames = source.frames * FRAME_BYTES;
  const packets = output.packets ? datagrams * PACKET_BYTES : 0;
  let beside = CELL_BYTES + packets + slots;
  if (output.frames || isSeen) beside += frames;
  if (output.qlog && seed === firstSeed) beside += datagrams * 2 * EVENT_BYTES;
  if (output.pcapng && seed === firstSeed)
    beside += 2 * (payload * DATAGRAMS_EACH + datagrams * CAPTURE_OVERHEAD_BYTES);
  return { gathered: ROW_BYTES + packets + (output.frames ? frames + slots : 0), beside };
}

/** @throws {Failure} when there is no room for so many bytes. */
export async function checkRoom(directory: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory).catch((error) => {
    throw new Failure(`cannot tell how much room there is in ${directory}: ${causeOf(error)}`);
  });
  const free = bavail * bsize;
  if (bytes <= free) return;
  throw new Failure(
    `the answer may take ${sizeText(bytes)} and ${directory} has ${sizeText(free)} left: ` +
      'ask for fewer cells, or without frames, packets, logs and captures',
    2,
  );
}

/** Three digits tell two sizes apart that matter. */
const sizeText = (bytes: number): string =>
  bytes < 1e6
    ? `${Math.round(bytes / 1e3)} kB`
    : bytes < 1e11
      ? `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`
      : `${Math.round(bytes / 1e9)} GB`;
