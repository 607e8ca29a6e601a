import { type Command, CommanderError, InvalidArgumentError } from 'commander';

/**
 * Parses a command line into the program, which must have `exitOverride` set.
 * @returns the exit code when there is nothing to run: help was asked for, or an argument is invalid.
 */
export function parseCommandLine(program: Command, argv: readonly string[]): number | undefined {
  try {
    program.exitOverride().parse(argv as string[]);
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}

/** Reads a positive whole number. @throws {InvalidArgumentError} for any other text. */
export function readCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError('expected a positive whole number');
}
