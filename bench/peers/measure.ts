import { join } from 'node:path';
import { Failure } from '../../io/os/failure.ts';
import { Programs } from '../programs.ts';
import { type Judgement, outcomeOf } from './outcome.ts';
import { loadNow, type RecordedRun } from './record.ts';
import type { PlannedRun } from './schedule.ts';
import { WORKLOAD_FRAMES_PER_SECOND } from './workload.ts';

export interface MeasureOptions extends PlannedRun {
  /** Duration that counts, without warm-up and tail, seconds. */
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** Folder for files of the processes. */
  readonly scratch: string;
  readonly judgement: Omit<Judgement, 'budgetMs'>;
}

const ATTEMPTS = 2;

/** Makes and evaluates one run. A run without output is repeated once; returns a message when that fails too. */
export async function measure(options: MeasureOptions): Promise<RecordedRun | string> {
  const { point, peer, seed, seconds, signal, judgement } = options;
  const name = `${point.name}-${peer.name}-${seed}`;
  const frames = judgement.warmUpFrames + seconds * WORKLOAD_FRAMES_PER_SECOND + judgement.tailFrames;
  let cause = '';
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const scratch = join(options.scratch, `${name}-${attempt}`);
    const programs = new Programs();
    try {
      const record = await peer.run({ programs, signal, point, seed, frames, scratch });
      // Partial frames are a result: a path with half the capacity may deliver no complete frame.
      if (record.releases.length === 0) throw new Failure('no output');
      const outcome = outcomeOf(record, { ...judgement, budgetMs: point.budgetMs });
      const { commands, mediaWay, relay, own } = record;
      return { point: point.name, peer: peer.name, seed, outcome, commands, mediaWay, relay, load: loadNow(), own };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      cause = error.message;
    } finally {
      await programs.stopAll();
    }
  }
  return `${peer.name} at ${point.name}, seed ${seed}: ${cause}`;
}
