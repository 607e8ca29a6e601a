/**
 * Loaded before a program that is started with `--expose-gc` and a channel: answers each message with the memory in use
 * after garbage collection, and keeps the program alive for no longer than it would live.
 */

/** Memory in use, megabytes. */
export interface MemoryInUse {
  /** Heap and external buffers, after garbage collection. */
  readonly heap: number;
  readonly resident: number;
}

const collect = (globalThis as { gc?: () => void }).gc;
process.on('message', () => {
  // Twice, because the first pass only starts to release external buffers.
  collect?.();
  collect?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send?.({ heap: (heapUsed + external) / 1e6, resident: rss / 1e6 } satisfies MemoryInUse);
});
process.channel?.unref();
