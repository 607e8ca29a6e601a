import type { ChildProcess, SpawnOptions } from 'node:child_process';

/** Starts a program. Node's module for this is loaded by the first one, as most receivers start none. */
export const spawn = (program: string, args: readonly string[], options: SpawnOptions): ChildProcess =>
  process.getBuiltinModule('node:child_process').spawn(program, args, options);
