import { readFileSync } from 'node:fs';
import { stderr, stdout } from 'node:process';
import { Command, CommanderError } from 'commander';
import { collectSeldom } from '../io/collection.ts';
import { Failure } from '../io/failure.ts';
import { addDemoCommand } from './demo.ts';
import { addDoctorCommand } from './doctor.ts';
import { addLinkCommand } from './link.ts';
import { addReceiveCommand } from './receive.ts';
import { addSendCommand } from './send.ts';

const USAGE = 2;

function version(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version;
    } catch {
      // Compiled files lie one folder deeper than their sources.
    }
  }
  return 'unknown';
}

/** Whatever goes wrong in a corner that nobody foresaw is one line as well, and an end with nothing left running. */
function unforeseen(error: unknown): never {
  stderr.write(`dropframe: ${(error as Error)?.message ?? error}\n`);
  if (process.env.DROPFRAME_DEBUG) stderr.write(`${(error as Error)?.stack}\n`);
  process.exit(1);
}

export async function main(argv: readonly string[]): Promise<number> {
  process.on('uncaughtException', unforeseen);
  process.on('unhandledRejection', unforeseen);
  // Nobody reads stdout any more: the run ends as if it had been asked to.
  stdout.on('error', () => process.emit('SIGTERM'));
  collectSeldom();
  const program = new Command('dropframe')
    .description('Live video over UDP with app-level sequencing, a TCP control channel beside it, and what it costs.')
    .version(version())
    .showHelpAfterError('(--help tells more)')
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false })
    .exitOverride();
  addSendCommand(program);
  addReceiveCommand(program);
  addDemoCommand(program);
  addLinkCommand(program);
  addDoctorCommand(program);
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync(argv as string[]);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    if (error instanceof Failure) {
      stderr.write(`dropframe: ${error.message}\n`);
      return error.exitCode;
    }
    return unforeseen(error);
  }
}
