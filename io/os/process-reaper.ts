import { setTimeout as sleep } from 'node:timers/promises';
import { libraryFunction } from './c-library.ts';

type WaitPid = (pid: number, status: null, options: number) => number;

/** Constant of sys/wait.h. */
const WNOHANG = 1;
const POLL_MS = 10;

/**
 * For the first process of a namespace, once its own children have ended: asks all other processes to end and waits for
 * them.
 * @param graceMs time limit, milliseconds.
 */
export async function reapAll(graceMs: number): Promise<void> {
  const waitpid = libraryFunction<WaitPid>('int waitpid(int pid, int *status, int options)');
  if (process.pid !== 1 || !waitpid) return;
  try {
    process.kill(-1, 'SIGTERM');
  } catch {
    return; // no other process is left
  }
  for (const endAt = performance.now() + graceMs; performance.now() < endAt; ) {
    const pid = waitpid(-1, null, WNOHANG);
    if (pid < 0) return;
    if (pid === 0) await sleep(POLL_MS);
  }
}
