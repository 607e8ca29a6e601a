import { stderr, stdout } from 'node:process';
import { Command, CommanderError } from 'commander';
import { causeOf, Failure } from '../io/os/failure.ts';
import { reduceGcFrequency } from '../io/os/gc-frequency.ts';
import { ownCommandLine, refuseUndecodable } from './encoded-arguments.ts';
import { usageErrorText, writeError } from './error-text.ts';
import { INTERRUPTED, Interrupted } from './interrupt.ts';
import { packageVersion } from './version.ts';

const USAGE = 2;

type Declaration = (program: Command) => void;

/** Each command's options, in the order in which --help lists the commands. */
const DECLARATIONS: Readonly<Record<string, () => Promise<Declaration>>> = {
  send: async () => (await import('./send.ts')).addSendCommand,
  receive: async () => (await import('./receive.ts')).addReceiveCommand,
  demo: async () => (await import('./demo.ts')).addDemoCommand,
  link: async () => (await import('./link.ts')).addLinkCommand,
  lab: async () => (await import('./lab.ts')).addLabCommand,
  doctor: async () => (await import('./doctor.ts')).addDoctorCommand,
};

/** The command that is named; all of them for --help, --version, and names that are no command. */
function declarationsFor(name: string | undefined): Promise<readonly Declaration[]> {
  const named = name !== undefined && Object.hasOwn(DECLARATIONS, name) ? [DECLARATIONS[name]!] : undefined;
  return Promise.all((named ?? Object.values(DECLARATIONS)).map((load) => load()));
}

/** Reports an unexpected error in one line (with its stack if DROPFRAME_DEBUG is set) and exits. */
function unforeseen(error: unknown): never {
  writeError(causeOf(error), process.argv);
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
    .configureOutput({ outputError: (message) => writeError(usageErrorText(message), argv) })
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false })
    .exitOverride();
  for (const add of await declarationsFor(argv[2])) add(program);
  overrideExits(program);
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
