import { setTimeout as sleep } from 'node:timers/promises';
import { libraryFunction } from './c-library.ts';

type WaitPid = (pid: number, status: null, options: number) => number;

/** sys/wait.h */
const WNOHANG = 1;
const POLL_MS = 10;

/**
 * For the first process of a namespace, when it has no children of its own to wait for any more: asks all others to
 * end, and waits until they have, for so long at most.
 */
export async function reapAll(graceMs: number): Promise<void> {
  const waitpid = libraryFunction<WaitPid>('int waitpid(int pid, int *status, int options)');
  if (process.pid !== 1 || !waitpid) return;
  try {
    process.kill(-1, 'SIGTERM');
  } catch {
    return; // there is nobody
  }
  for (const endAt = performance.now() + graceMs; performance.now() < endAt; ) {
    const pid = waitpid(-1, null, WNOHANG);
    if (pid < 0) return;
    if (pid === 0) await sleep(POLL_MS);
  }
}
