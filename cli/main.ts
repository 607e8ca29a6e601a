import { stderr, stdout } from 'node:process';
import { Command, CommanderError } from 'commander';
import { Failure } from '../io/os/failure.ts';
import { reduceGcFrequency } from '../io/os/gc-frequency.ts';
import { addDemoCommand } from './demo.ts';
import { addDoctorCommand } from './doctor.ts';
import { INTERRUPTED, Interrupted } from './interrupt.ts';
import { addLabCommand } from './lab.ts';
import { addLinkCommand } from './link.ts';
import { addReceiveCommand } from './receive.ts';
import { addSendCommand } from './send.ts';
import { packageVersion } from './version.ts';

const USAGE = 2;

/** Reports an unexpected error in one line (with its stack if DROPFRAME_DEBUG is set) and exits. */
function unforeseen(error: unknown): never {
  stderr.write(`dropframe: ${(error as Error)?.message ?? error}\n`);
  if (process.env.DROPFRAME_DEBUG) stderr.write(`${(error as Error)?.stack}\n`);
  process.exit(1);
}

/** Makes a command and its subcommands throw instead of exiting the process. */
function overrideExits(command: Command): void {
  command.exitOverride();
  for (const inner of command.commands) overrideExits(inner);
}

export async function main(argv: readonly string[]): Promise<number> {
  process.on('uncaughtException', unforeseen);
  process.on('unhandledRejection', unforeseen);
  // A closed stdout stops the run like a signal.
  stdout.on('error', () => process.emit('SIGTERM'));
  reduceGcFrequency();
  const program = new Command('dropframe')
    .description(
      'Live video over UDP with application-level sequencing and recovery, and a laboratory to compare it with TCP.',
    )
    .version(packageVersion())
    .showHelpAfterError('(see --help)')
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false })
    .exitOverride();
  addSendCommand(program);
  addReceiveCommand(program);
  addDemoCommand(program);
  addLinkCommand(program);
  addLabCommand(program);
  addDoctorCommand(program);
  overrideExits(program);
  try {
    await program.parseAsync(argv as string[]);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    if (error instanceof Interrupted) {
      stderr.write(`dropframe: ${error.message}\n`);
      return INTERRUPTED;
    }
    if (error instanceof Failure) {
      stderr.write(`dropframe: ${error.message}\n`);
      return error.exitCode;
    }
    return unforeseen(error);
  }
}
