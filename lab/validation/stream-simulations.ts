import { assert } from '../../protocol/base/assert.ts';
import type { Cell } from '../cell.ts';
import { NO_FILES } from '../cell-source.ts';
import type { FrameTable } from '../frame-table.ts';
import type { PathObserver } from '../path-observer.ts';
import { type CellResult, runCell } from '../run-cell.ts';
import type { StrategyName } from '../strategies.ts';
import { type Estimate, estimateRatio } from './estimate.ts';

/** Simulations with our own sender and receiver, as the laboratory runs them: a trial is a frame. */

/** A stream of frames that are all alike. */
export interface Experiment {
  readonly strategy: StrategyName;
  readonly forward: string;
  readonly back: string;
  readonly framesPerSecond: number;
  /** Media packets of each frame. */
  readonly packets: number;
  /** 1: every frame stands alone. */
  readonly keyInterval?: number;
  readonly budgetMs: number;
  readonly redundancy?: number;
  readonly release?: 'deadline' | 'asap';
}

/** Of each packet but the last, bytes; small where a frame is one packet, as that is cheaper. */
const PACKET_BYTES = 1_100;
const SINGLE_BYTES = 200;
/** Frames before those that count: the round trip is known, and the fastest way. */
const WARM_UP_FRAMES = 400;

export function runExperiment(
  experiment: Experiment,
  seed: number,
  frames: number,
  observers: readonly PathObserver[] = [],
): CellResult {
  const { strategy, framesPerSecond: fps, packets, keyInterval = 1, budgetMs, redundancy } = experiment;
  const bytes = packets === 1 ? SINGLE_BYTES : packets * PACKET_BYTES;
  const result = runCell(cellOf(), NO_FILES, observers);
  const tcp = strategy.startsWith('tcp-');
  assert(tcp || result.frames.packets(0) === packets, 'a frame is as many packets as the experiment says');
  return result;

  function cellOf(): Cell {
    return {
      strategy,
      parameters: redundancy === undefined ? {} : { redundancy },
      source: {
        kind: 'synthetic',
        fps,
        kbps: (bytes * fps) / 125,
        keyInterval,
        keyFrameRatio: 1,
        frames: frames + WARM_UP_FRAMES,
      },
      forward: `${experiment.forward} seed=${seed}`,
      back: `${experiment.back} seed=${seed}`,
      budgetMs,
      warmUpSeconds: WARM_UP_FRAMES / fps,
      release: experiment.release ?? 'deadline',
      seed,
    };
  }
}

/** The mean of a figure of each frame that counts; a frame of which it is `undefined` is left out. */
export function meanOverFrames(
  experiment: Experiment,
  figure: (frames: FrameTable, row: number) => number | undefined,
  seed: number,
  trials: number,
): Estimate {
  const { frames } = runExperiment(experiment, seed, trials);
  let row = WARM_UP_FRAMES;
  return estimateRatio(trials, (size) => {
    let [sum, count] = [0, 0];
    for (const end = Math.min(row + size, frames.length); row < end; row++) {
      const value = figure(frames, row);
      if (value === undefined) continue;
      sum += value;
      count++;
    }
    return [sum, count];
  });
}

/** The share of frames that were not there, or could not be decoded, when they were due. */
export const missedShare = (experiment: Experiment, seed: number, trials: number): Estimate =>
  meanOverFrames(experiment, (frames, row) => (isThere(frames, row) ? 0 : 1), seed, trials);

function isThere(frames: FrameTable, row: number): boolean {
  const outcome = frames.class(row);
  return outcome === 'onTime' || outcome === 'recovered';
}

/** What it took beyond the source's own bytes in retransmissions and repair packets. */
export function repairOverhead(experiment: Experiment, seed: number, trials: number): number {
  const { row } = runExperiment(experiment, seed, trials);
  return (row.bytesRetransmission + row.bytesRepair) / row.bytesSource;
}
