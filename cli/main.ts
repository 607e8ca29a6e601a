import { stderr, stdout } from 'node:process';
import { CommanderError } from 'commander';
import { causeOf, Failure } from '../io/os/failure.ts';
import { reduceGcFrequency } from '../io/os/gc-frequency.ts';
import { ownCommandLine, refuseUndecodable } from './encoded-arguments.ts';
import { usageErrorText, writeError } from './error-text.ts';
import { INTERRUPTED, Interrupted } from './interrupt.ts';
import { createProgram } from './program.ts';

const USAGE = 2;

/** Reports an unexpected error in one line (with its stack if DROPFRAME_DEBUG is set) and exits. */
function unforeseen(error: unknown): never {
  writeError(causeOf(error), process.argv);
  if (process.env.DROPFRAME_DEBUG) stderr.write(`${(error as Error)?.stack}\n`);
  process.exit(1);
}

export async function main(argv: readonly string[]): Promise<number> {
  process.on('uncaughtException', unforeseen);
  process.on('unhandledRejection', unforeseen);
  // A closed stdout stops the run like a signal.
  stdout.on('error', () => process.emit('SIGTERM'));
  reduceGcFrequency();
  const program = await createProgram(argv[2]);
  const outputError = (message: string) => writeError(usageErrorText(message), argv);
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
    command.configureOutput({ outputError });
  }
  try {
    refuseUndecodable(argv, ownCommandLine);
    await program.parseAsync(argv as string[]);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    if (error instanceof Interrupted) {
      writeError(error.message, argv);
      return INTERRUPTED;
    }
    if (error instanceof Failure) {
      writeError(error.message, argv);
      return error.exitCode;
    }
    return unforeseen(error);
  }
}
