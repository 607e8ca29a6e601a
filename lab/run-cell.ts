import { assert } from '../protocol/base/assert.ts';
import { instant, microseconds, seconds } from '../protocol/base/units.ts';
import { Link } from '../sim/link/link.ts';
import { assertConserved } from '../sim/link/link-counters.ts';
import { budgetOf, type Cell, linkOf, shortestTransit } from './cell.ts';
import type { CellResult } from './cell-result.ts';
import { type CellFiles, NO_FILES } from './cell-source.ts';
import { runFlowCell } from './flows/run-flow-cell.ts';
import { HOSTS, type Machine } from './machine.ts';
import { MediaRun, START } from './media-run.ts';
import { ObservedPath, type PathObserver } from './path-observer.ts';
import { summarizeCellSound } from './sound/summarize-sound.ts';
import { isKernelStrategy } from './strategies.ts';
import { summarizeCell } from './summarize.ts';

/**
 * Runs one cell on the virtual clock: a pure function of the cell and of the files it refers to by hash.
 *
 * @param observers passive observers.
 * @param machine latencies of the end hosts in place of the cell's profile.
 */
export function runCell(
  cell: Cell,
  files: CellFiles = NO_FILES,
  observers: readonly PathObserver[] = [],
  machine: Machine | undefined = HOSTS[cell.host ?? 'ideal'],
): CellResult {
  assert(!isKernelStrategy(cell.strategy), 'kernel strategies must not run on the virtual clock');
  if (cell.flows) return runFlowCell(cell, cell.flows, files);
  const forward = linkOf(cell.forward, files.traces);
  const back = linkOf(cell.back, files.traces);
  const { strategy, parameters, source, warmUpSeconds, release, seed } = cell;
  const run = new MediaRun({
    strategy,
    parameters,
    source,
    files: files.media,
    startsAt: START,
    warmUpSeconds,
    budget: budgetOf(cell),
    transitMin: shortestTransit(forward),
    release,
    seed,
    machine,
  });
  const { headerBytes } = run.strategy;
  const links = {
    forward: new Link(forward, 'forward', { headerBytes, reports: 'queued' }),
    back: new Link(back, 'back', { headerBytes, reports: 'queued' }),
  };
  const allObservers = [...run.observers, ...observers];
  const simulation = run.strategy.start({
    forward: new ObservedPath(links.forward, 'forward', allObservers, () => run.frame),
    back: new ObservedPath(links.back, 'back', allObservers, () => run.frame),
    scripts: run.feeds,
  });
  // In steps of one second, so that an imbalance is detected close to its cause.
  for (let at = seconds(1); ; at = microseconds(at + seconds(1))) {
    simulation.runUntil(instant(at));
    run.strategy.assertBalanced();
    if (run.isOver(instant(at))) break;
  }
  const figures = run.conclude(simulation.now);
  for (const link of [links.forward, links.back]) assertConserved(link.counters);
  const { frames, measuredFrom, traffic, sound } = run;
  const soundBytes = sound?.bytes ?? 0;
  const observations = { forward, back, frames, measuredFrom, figures, traffic, soundBytes };
  const row = summarizeCell(cell, { ...observations, simulatedUs: simulation.now });
  const pictures = { row, pictures: frames, picturesFrom: measuredFrom };
  return {
    row,
    ...(sound && {
      sound: summarizeCellSound({ ...sound.observations, figures: run.strategy.concludeSound() }, pictures),
      soundUnits: sound.units,
    }),
    frames,
    bursts: { before: figures.burstsBefore, after: figures.burstsAfter },
    datagrams: links.forward.counters.offered + links.back.counters.offered,
  };
}
