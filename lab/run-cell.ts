import { assert } from '../protocol/base/assert.ts';
import { type Instant, instant, microseconds, milliseconds, seconds } from '../protocol/base/units.ts';
import { Link } from '../sim/link/link.ts';
import type { LinkCounters } from '../sim/link/link-counters.ts';
import { LiveFeed } from '../sim/synthetic-stream.ts';
import { budgetOf, type Cell, linkOf, shortestTransit } from './cell.ts';
import { type CellFiles, framesBefore, NO_FILES, openCellSource } from './cell-source.ts';
import { FrameTable } from './frame-table.ts';
import type { Machine } from './machine.ts';
import { enterDecodability } from './metrics/decodability.ts';
import { ObservedPath, type PathObserver } from './path-observer.ts';
import { isKernelStrategy } from './strategies.ts';
import { strategyBuilder } from './strategy-builders.ts';
import { summarizeCell } from './summarize.ts';
import type { SummaryRow } from './tables.ts';
import { TrafficMeter } from './traffic-meter.ts';

/** Result of a cell. */
export interface CellResult {
  readonly row: SummaryRow;
  readonly bursts: Bursts;
  readonly frames: FrameTable;
  /** Datagrams in both directions since the start, for cost accounting. */
  readonly datagrams: number;
}

/** Histogram of loss burst lengths, before and after recovery. */
export interface Bursts {
  readonly before: readonly (readonly [length: number, count: number])[];
  readonly after: readonly (readonly [length: number, count: number])[];
}

/** Start of the media, after the receiver is ready. */
export const START: Instant = instant(milliseconds(1));

/**
 * Runs one cell on the virtual clock: a pure function of the cell and of the files it refers to by hash.
 *
 * @param observers passive observers.
 * @param machine latencies of the end hosts; none when absent.
 */
export function runCell(
  cell: Cell,
  files: CellFiles = NO_FILES,
  observers: readonly PathObserver[] = [],
  machine?: Machine,
): CellResult {
  assert(!isKernelStrategy(cell.strategy), 'kernel strategies do not run on the virtual clock');
  const build = strategyBuilder(cell.strategy);
  const frames = new FrameTable();
  const measuredFrom = framesBefore(cell.source, files.media, cell.warmUpSeconds);
  const forward = linkOf(cell.forward, files.traces);
  const { release, seed, parameters } = cell;
  const budget = budgetOf(cell);
  const strategy = build(
    { budget, transitMin: shortestTransit(forward), release, seed, parameters, frames, machine },
    measuredFrom,
  );
  const traffic = new TrafficMeter(strategy.headerBytes, () => frames.length > measuredFrom);
  const allObservers = [traffic, strategy.observer, ...observers];
  const back = linkOf(cell.back, files.traces);
  const { headerBytes } = strategy;
  const links = {
    forward: new Link(forward, 'forward', { headerBytes, reports: 'queued' }),
    back: new Link(back, 'back', { headerBytes, reports: 'queued' }),
  };
  let lastCapturedAt = START;
  const feed = new LiveFeed({
    startAt: START,
    ...openCellSource(cell.source, files.media, strategy),
    deliver: (now, unit) => {
      lastCapturedAt = now;
      strategy.send(now, unit, frames.add(now, unit));
    },
    finish: () => strategy.finish(lastCapturedAt),
  });
  const frame = () => Math.max(0, frames.length - 1);
  const simulation = strategy.start({
    forward: new ObservedPath(links.forward, 'forward', allObservers, frame),
    back: new ObservedPath(links.back, 'back', allObservers, frame),
    scripts: [feed],
  });
  // In steps of one second, so that an imbalance is detected close to its cause.
  for (let at = seconds(1); ; at = microseconds(at + seconds(1))) {
    simulation.runUntil(instant(at));
    strategy.assertBalanced();
    const streaming = feed.pollTimeout() !== undefined;
    if (!streaming && (strategy.ended || at > lastCapturedAt + strategy.drain)) break;
  }
  const figures = strategy.conclude(simulation.now);
  for (const link of [links.forward, links.back]) assertConserved(link.counters);
  enterDecodability(frames);
  const row = summarizeCell(cell, {
    forward,
    back,
    frames,
    measuredFrom,
    figures,
    traffic,
    simulatedUs: simulation.now,
  });
  return {
    row,
    frames,
    bursts: { before: figures.burstsBefore, after: figures.burstsAfter },
    datagrams: links.forward.counters.offered + links.back.counters.offered,
  };
}

function assertConserved({ offered, duplicated, delivered, lost, overflowed, inFlight }: LinkCounters): void {
  assert(offered + duplicated === delivered + lost + overflowed + inFlight, 'a link conserves datagrams');
}
