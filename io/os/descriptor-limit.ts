import { readFileSync } from 'node:fs';

/** Limit of the files and sockets that this process may have open; `Infinity` where the system does not say it. */
export function descriptorLimit(): number {
  try {
    const soft = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft && soft !== 'unlimited' ? Number(soft) : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
