import { assert } from '../../protocol/base/assert.ts';
import { SIMULATED_START } from '../../sim/simulated-stream.ts';
import { budgetOf, type Cell, linkOf } from '../cell.ts';
import { type CellFiles, framesBefore } from '../cell-source.ts';
import { FrameTable } from '../frame-table.ts';
import { MediaPacketTable } from '../media-packet-table.ts';
import { enterDecodability } from '../metrics/decodability.ts';
import type { PathObserver } from '../path-observer.ts';
import type { CellResult } from '../run-cell.ts';
import { SegmentTable } from '../segment-table.ts';
import { isKernelStrategy, simulatedTwin } from '../strategies.ts';
import { summarize } from '../summarize.ts';
import { TCP_HEADER_BYTES } from '../tcp-strategy.ts';
import { TrafficMeter } from '../traffic-meter.ts';
import { UDP_HEADER_BYTES } from '../udp-strategy.ts';
import { type EndResult, type Receipt, unitsOf } from './end-order.ts';
import type { PathEvent } from './path-record.ts';

/** At one instant: a frame is handed over, enters the path, leaves it, and is read. */
const CAPTURED = 0;
const ON_THE_PATH = 1;
const READ = 2;

interface Step {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/**
 * Makes of what was seen at the two ends and on the path between them the same tables and figures as of a simulated
 * cell: the same observers are shown the same kinds of events, in the order in which they happened.
 */
export function measuredCell(
  cell: Cell,
  files: CellFiles,
  seen: { readonly result: EndResult; readonly path: readonly PathEvent[] },
  observers: readonly PathObserver[] = [],
): CellResult {
  const { result, path } = seen;
  assert(isKernelStrategy(cell.strategy), 'the others are simulated');
  const overTcp = simulatedTwin(cell.strategy).startsWith('tcp-');
  const frames = new FrameTable();
  const measuredFrom = framesBefore(cell.source, files.media, cell.warmUpSeconds);
  const counting = () => frames.length > measuredFrom;
  const { initialSequence } = SIMULATED_START;
  const media = overTcp ? undefined : new MediaPacketTable(frames, { measuredFrom, initialSequence });
  const segments = overTcp ? new SegmentTable(counting) : undefined;
  const traffic = new TrafficMeter(overTcp ? TCP_HEADER_BYTES : UDP_HEADER_BYTES, counting);
  const looking = [traffic, media ?? segments!, ...observers];
  const { kind, media: packed } = { kind: cell.source.kind, media: files.media };
  const next = unitsOf(cell, kind === 'file' ? packed.get((cell.source as { sha256: string }).sha256) : undefined);
  const givenUp = new Set(result.givenUp);

  const steps: Step[] = [];
  for (const [index, { at, taken }] of result.captured.entries()) {
    const capture = () => {
      const unit = next();
      assert(unit !== undefined, 'both ends have the same source');
      const row = frames.add(at - result.zero, unit);
      if (overTcp) frames.setMechanism(row, 'transport');
      if (!taken || givenUp.has(index)) frames.setClass(row, 'refused');
      else media?.addFrame(row);
    };
    steps.push({ at: at - result.zero, order: CAPTURED, run: capture });
  }
  for (const { at, kind: what, direction, datagram, fate } of path) {
    const show = () => {
      for (const observer of looking) {
        if (what === 'sent') observer.onSent(at, direction, datagram, fate);
        else observer.onDelivered(at, direction, datagram);
      }
    };
    steps.push({ at, order: ON_THE_PATH, run: show });
  }
  const enter = (receipt: Receipt) => {
    const at = receipt.at - result.zero;
    if (receipt.kind === 'complete') return complete(cell, frames, receipt.frame, at);
    if (receipt.kind === 'dropped') return media?.drop(at, receipt.frame, receipt.cause);
    media?.release(at, receipt.frame, { fate: receipt.fate, completeAt: receipt.completeAt - result.zero });
  };
  for (const receipt of result.receipts) {
    steps.push({ at: receipt.at - result.zero, order: READ, run: () => enter(receipt) });
  }
  // Stable: what one clock puts at one instant stays as it was told.
  steps.sort((one, other) => one.at - other.at || one.order - other.order);
  for (const step of steps) step.run();

  const figures = media ? media.conclude() : segments!.conclude(result.duplicatesReported);
  enterDecodability(frames);
  const row = summarize(cell, {
    forward: linkOf(cell.forward, files.traces),
    back: linkOf(cell.back, files.traces),
    frames,
    measuredFrom,
    figures,
    traffic,
    simulatedUs: result.endedAt - result.zero,
  });
  return {
    row,
    frames,
    bursts: { before: figures.burstsBefore, after: figures.burstsAfter },
    datagrams: path.filter(({ kind: what }) => what === 'sent').length,
  };
}

/** As over the modelled TCP: a frame in time is shown when it is due, or at once; a late one when it comes. */
function complete(cell: Cell, frames: FrameTable, row: number, at: number): void {
  const due = frames.time(row, 'capturedAt') + budgetOf(cell);
  frames.setTime(row, 'completeAt', at);
  frames.setTime(row, 'renderedAt', cell.release === 'asap' ? at : Math.max(due, at));
  frames.setClass(row, at <= due ? 'onTime' : 'late');
}
