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

/** Whatever goes wrong in a corner that nobody foresaw is one line as well, and an end with nothing left running. */
function unforeseen(error: unknown): never {
  stderr.write(`dropframe: ${(error as Error)?.message ?? error}\n`);
  if (process.env.DROPFRAME_DEBUG) stderr.write(`${(error as Error)?.stack}\n`);
  process.exit(1);
}

/** Commands of commands as well: none of them ends the process on its own. */
function overrideExits(command: Command): void {
  command.exitOverride();
  for (const inner of command.commands) overrideExits(inner);
}

export async function main(argv: readonly string[]): Promise<number> {
  process.on('uncaughtException', unforeseen);
  process.on('unhandledRejection', unforeseen);
  // Nobody reads stdout any more: the run ends as if it had been asked to.
  stdout.on('error', () => process.emit('SIGTERM'));
  reduceGcFrequency();
  const program = new Command('dropframe')
    .description('Live video over UDP with app-level sequencing, a TCP control channel beside it, and what it costs.')
    .version(packageVersion())
    .showHelpAfterError('(--help tells more)')
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
