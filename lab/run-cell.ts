import { assert } from '../protocol/base/assert.ts';
import { instant, microseconds, seconds } from '../protocol/base/units.ts';
import { ParallelPaths } from '../sim/parallel-paths.ts';
import { budgetOf, type Cell, linkOf } from './cell.ts';
import type { CellResult } from './cell-result.ts';
import { type CellFiles, NO_FILES } from './cell-source.ts';
import { runFlowCell } from './flows/run-flow-cell.ts';
import { HOSTS, type Machine } from './machine.ts';
import { MediaRun, type OpenPictures, START } from './media-run.ts';
import type { PathObserver } from './path-observer.ts';
import { CellPath } from './paths/cell-path.ts';
import { secondPathFigures, transitOfCell } from './paths/second-path.ts';
import { summarizeCellSound } from './sound/summarize-sound.ts';
import { isKernelStrategy } from './strategies.ts';
import { summarizeCell } from './summarize.ts';
import { TrafficMeter } from './traffic-meter.ts';

/**
 * Runs one cell on the virtual clock: a pure function of the cell and of the files it refers to by hash.
 *
 * @param observers passive observers.
 * @param machine latencies of the end hosts in place of the cell's profile.
 */
export const runCell = (
  cell: Cell,
  files: CellFiles = NO_FILES,
  observers: readonly PathObserver[] = [],
  machine: Machine | undefined = HOSTS[cell.host ?? 'ideal'],
): CellResult => runCellOfPictures(cell, files, { observers, machine });

/** `runCell`, where `openPictures` opens pictures of the caller in place of those that the cell's source describes. */
export function runCellOfPictures(
  cell: Cell,
  files: CellFiles,
  {
    observers = [],
    machine = HOSTS[cell.host ?? 'ideal'],
    openPictures,
  }: {
    readonly observers?: readonly PathObserver[];
    readonly machine?: Machine | undefined;
    readonly openPictures?: OpenPictures;
  },
): CellResult {
  assert(!isKernelStrategy(cell.strategy), 'kernel strategies must not run on the virtual clock');
  if (cell.flows) return runFlowCell(cell, cell.flows, files);
  const forward = linkOf(cell.forward, files.traces);
  const back = linkOf(cell.back, files.traces);
  const second = cell.second && {
    forward: linkOf(cell.second.forward, files.traces),
    back: linkOf(cell.second.back, files.traces),
  };
  const { strategy, parameters, source, warmUpSeconds, release, seed } = cell;
  const run = new MediaRun({
    strategy,
    parameters,
    source,
    files: files.media,
    startsAt: START,
    warmUpSeconds,
    budget: budgetOf(cell),
    transitMin: transitOfCell(cell, forward, second?.forward),
    release,
    seed,
    machine,
    openPictures,
  });
  const { headerBytes } = run.strategy;
  const allObservers = [...run.observers, ...observers];
  const onPath = { headerBytes, observers: allObservers, frame: () => run.frame };
  const first = new CellPath({ forward, back }, onPath);
  const secondTraffic = new TrafficMeter(headerBytes, () => run.frames.length > run.measuredFrom);
  const other = second && new CellPath(second, { ...onPath, observers: [...allObservers, secondTraffic] });
  const simulation = run.strategy.start({
    forward: other ? new ParallelPaths(first.forward, other.forward) : first.forward,
    back: other ? new ParallelPaths(first.back, other.back) : first.back,
    scripts: run.feeds,
  });
  // In steps of one second, so that an imbalance is detected close to its cause.
  for (let at = seconds(1); ; at = microseconds(at + seconds(1))) {
    simulation.runUntil(instant(at));
    run.strategy.assertBalanced();
    if (run.isOver(instant(at))) break;
  }
  const figures = run.conclude(simulation.now);
  for (const path of [first, ...(other ? [other] : [])]) path.assertConserved();
  const { frames, measuredFrom, traffic, sound } = run;
  const soundBytes = sound?.bytes ?? 0;
  const observations = { forward, back, frames, measuredFrom, figures, traffic, soundBytes };
  const row = summarizeCell(cell, { ...observations, simulatedUs: simulation.now });
  const pictures = { row, pictures: frames, picturesFrom: measuredFrom };
  return {
    row,
    ...(cell.second && { second: secondPathFigures(cell.second, secondTraffic) }),
    ...(sound && {
      sound: summarizeCellSound({ ...sound.observations, figures: run.strategy.concludeSound() }, pictures),
      soundUnits: sound.units,
    }),
    frames,
    bursts: { before: figures.burstsBefore, after: figures.burstsAfter },
    datagrams: first.datagrams + (other?.datagrams ?? 0),
  };
}
