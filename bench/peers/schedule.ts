import type { BenchPoint } from '../point.ts';
import { BenchInterrupted } from '../programs.ts';
import type { Peer } from './peer.ts';

/** One planned run. */
export interface PlannedRun {
  readonly point: BenchPoint;
  readonly peer: Peer;
  readonly seed: number;
}

/**
 * Plans seed by seed and point by point, with the programs next to each other, so that machine load affects them alike.
 */
export function planOf(points: readonly BenchPoint[], peers: readonly Peer[], seeds: number): PlannedRun[] {
  return Array.from({ length: seeds }, (_, index) => index + 1).flatMap((seed) =>
    points.flatMap((point) => peers.map((peer) => ({ point, peer, seed }))),
  );
}

/** Processes a list with several workers. Ends with the first failure, after all workers have stopped. */
export async function workThrough<T>(
  items: readonly T[],
  jobs: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  let failure: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined && !failure; item = queue.shift()) {
      try {
        await work(item);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  if (!failure) return;
  throw (failure.error as Error).name === 'AbortError' ? new BenchInterrupted() : failure.error;
}

/** Formats `12 of 75 runs, about 18 min to go`. */
export function scheduleProgressText(done: number, of: number, elapsedMs: number): string {
  const head = `${done} of ${of} runs`;
  if (done === 0) return head;
  const leftMs = (elapsedMs / done) * (of - done);
  return `${head}, about ${leftMs < 90_000 ? `${Math.ceil(leftMs / 1e3)} s` : `${Math.round(leftMs / 6e4)} min`} to go`;
}
