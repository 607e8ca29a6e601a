import { assert } from '../../protocol/base/assert.ts';
import { type Instant, instant, microseconds } from '../../protocol/base/units.ts';
import { IP_HEADER_BYTES, UDP_IP_HEADER_BYTES } from '../../protocol/ip-packet.ts';
import { SIMULATED_START } from '../../sim/simulated-stream.ts';
import { budgetOf, type Cell, linkOf, shortestTransit } from '../cell.ts';
import type { CellResult } from '../cell-result.ts';
import { type CellFiles, framesBefore } from '../cell-source.ts';
import { FrameTable } from '../frame-table.ts';
import { MediaPacketTable } from '../media-packet-table.ts';
import { enterDecodability } from '../metrics/decodability.ts';
import type { PathObserver } from '../path-observer.ts';
import { SegmentTable } from '../segment-table.ts';
import { isKernelStrategy, simulatedTwin } from '../strategies.ts';
import { summarizeCell } from '../summarize.ts';
import { TrafficMeter } from '../traffic-meter.ts';
import { type CapturedFrame, type EndResult, type Receipt, sourceOf } from './end-order.ts';
import type { PathEvent } from './path-record.ts';

/** Order of events at the same instant: capture, path, reading. */
const CAPTURED = 0;
const ON_THE_PATH = 1;
const READ = 2;

interface Step {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/**
 * Builds the tables and figures of a simulated cell from the observations of a measured one, by replaying the events to
 * the same observers in order.
 */
export function measuredCell(
  cell: Cell,
  files: CellFiles,
  observed: { readonly result: EndResult; readonly path: readonly PathEvent[] },
  observers: readonly PathObserver[] = [],
): CellResult {
  const { result, path } = observed;
  assert(isKernelStrategy(cell.strategy), 'a measured strategy must be a kernel strategy');
  const overTcp = simulatedTwin(cell.strategy).startsWith('tcp-');
  const frames = new FrameTable();
  const measuredFrom = framesBefore(cell.source, files.media, cell.warmUpSeconds);
  const counting = () => frames.length > measuredFrom;
  const { initialSequence } = SIMULATED_START;
  const sendableFor = microseconds(budgetOf(cell) - shortestTransit(linkOf(cell.forward, files.traces)));
  const media = overTcp ? undefined : new MediaPacketTable(frames, { measuredFrom, initialSequence, sendableFor });
  const segments = overTcp ? new SegmentTable(counting) : undefined;
  const traffic = new TrafficMeter(overTcp ? IP_HEADER_BYTES : UDP_IP_HEADER_BYTES, counting);
  const allObservers = [traffic, media ?? segments!, ...observers];
  const { kind, media: packed } = { kind: cell.source.kind, media: files.media };
  const units = kind === 'file' ? packed.get((cell.source as { sha256: string }).sha256) : undefined;
  let guidance: CapturedFrame['guidance'] = { keyFrame: false };
  const { next } = sourceOf(cell, units, {
    get targetBitrate() {
      return guidance.targetBitrate;
    },
    takeKeyFrameRequest: () => guidance.keyFrame,
  });
  const givenUp = new Set(result.givenUp);

  const steps: Step[] = [];
  for (const [index, { at, taken, guidance: before }] of result.captured.entries()) {
    const capture = () => {
      guidance = before;
      const unit = next();
      assert(unit !== undefined, 'the source must have a unit for each captured frame');
      const row = frames.add(instant(at - result.zero), unit);
      if (overTcp) frames.setMechanism(row, 'transport');
      if (!taken || givenUp.has(index)) frames.setClass(row, 'refused');
      else media?.addFrame(row);
    };
    steps.push({ at: at - result.zero, order: CAPTURED, run: capture });
  }
  for (const { at, kind: what, direction, datagram, fate } of path) {
    const show = () => {
      for (const observer of allObservers) {
        if (what === 'sent') observer.onSent(at, direction, datagram, fate);
        else observer.onDelivered(at, direction, datagram);
      }
    };
    steps.push({ at, order: ON_THE_PATH, run: show });
  }
  const replayReceipt = (receipt: Receipt) => {
    const at = instant(receipt.at - result.zero);
    if (receipt.kind === 'complete') return complete(cell, frames, receipt.frame, at);
    if (receipt.kind === 'dropped') return media?.drop(at, receipt.frame, receipt.cause);
    media?.release(at, receipt.frame, { class: receipt.class, completeAt: instant(receipt.completeAt - result.zero) });
  };
  for (const receipt of result.receipts) {
    steps.push({ at: receipt.at - result.zero, order: READ, run: () => replayReceipt(receipt) });
  }
  // Stable sort: events at one instant keep their recorded order.
  steps.sort((one, other) => one.at - other.at || one.order - other.order);
  for (const step of steps) step.run();

  const figures = media ? media.conclude() : segments!.conclude(result.duplicatesReported);
  enterDecodability(frames);
  const row = summarizeCell(cell, {
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

/** As in the modelled TCP: a frame in time is displayed at its deadline (or at once), a late one on arrival. */
function complete(cell: Cell, frames: FrameTable, row: number, at: Instant): void {
  const due = frames.time(row, 'capturedAt') + budgetOf(cell);
  frames.setTime(row, 'completeAt', at);
  frames.setTime(row, 'renderedAt', cell.release === 'asap' ? at : instant(Math.max(due, at)));
  frames.setClass(row, at <= due ? 'onTime' : 'late');
}
