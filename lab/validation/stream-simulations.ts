import { assert } from '../../protocol/base/assert.ts';
import type { Cell } from '../cell.ts';
import type { CellResult } from '../cell-result.ts';
import { NO_FILES } from '../cell-source.ts';
import type { FrameTable } from '../frame-table.ts';
import type { PathObserver } from '../path-observer.ts';
import { runCell } from '../run-cell.ts';
import type { StrategyName } from '../strategies.ts';
import type { StrategyParameters } from '../strategy.ts';
import { type Estimate, estimateRatio } from './estimate.ts';

/** Simulations with our sender and receiver as in the laboratory. A trial is a frame. */

/** A stream of equal frames. */
export interface Experiment {
  readonly strategy: StrategyName;
  readonly forward: string;
  readonly back: string;
  readonly framesPerSecond: number;
  /** Media packets per frame. */
  readonly packets: number;
  /** 1: every frame is a key frame. */
  readonly keyInterval?: number;
  readonly budgetMs: number;
  readonly redundancy?: number;
  /** Further parameters of the strategy. */
  readonly parameters?: StrategyParameters;
  readonly release?: 'deadline' | 'asap';
}

/** Payload per packet, bytes; small when a frame is one packet, which is cheaper. */
const PACKET_BYTES = 1_100;
const SINGLE_BYTES = 200;
/** Warm-up frames, until round trip and fastest transit are known. */
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
  assert(tcp || result.frames.packets(0) === packets, 'a frame must have the number of packets of the experiment');
  return result;

  function cellOf(): Cell {
    return {
      strategy,
      parameters: { ...experiment.parameters, ...(redundancy !== undefined && { redundancy }) },
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

/** Mean of a per-frame figure; frames with `undefined` are excluded. */
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

/** Fraction of frames missing or undecodable at their deadline. */
export const missedShare = (experiment: Experiment, seed: number, trials: number): Estimate =>
  meanOverFrames(experiment, (frames, row) => (isInTime(frames, row) ? 0 : 1), seed, trials);

function isInTime(frames: FrameTable, row: number): boolean {
  const outcome = frames.class(row);
  return outcome === 'onTime' || outcome === 'recovered';
}

/** Bytes of retransmissions and repair packets relative to the source. */
export function repairOverhead(experiment: Experiment, seed: number, trials: number): number {
  const { row } = runExperiment(experiment, seed, trials);
  return (row.bytesRetransmission + row.bytesRepair) / row.bytesSource;
}
