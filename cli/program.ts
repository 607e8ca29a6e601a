import { Command } from 'commander';
import { HELP_OPTION } from './option-groups.ts';
import { packageVersion } from './version.ts';

/** Adds a command. `declareAll` redeclares the whole command line, for a command that describes it. */
type Declaration = (program: Command, declareAll: () => Promise<Command>) => void;

interface Declared {
  readonly group: string;
  readonly load: () => Promise<Declaration>;
}

const STREAM = 'Streams:';
const NETWORK = 'Networks and experiments:';
const MACHINE = 'Machine and shell:';

/** Each command's options, in the order in which --help lists the commands. */
const DECLARATIONS: Readonly<Record<string, Declared>> = {
  send: { group: STREAM, load: async () => (await import('./send.ts')).addSendCommand },
  receive: { group: STREAM, load: async () => (await import('./receive.ts')).addReceiveCommand },
  demo: { group: STREAM, load: async () => (await import('./demo.ts')).addDemoCommand },
  link: { group: NETWORK, load: async () => (await import('./link.ts')).addLinkCommand },
  lab: { group: NETWORK, load: async () => (await import('./lab.ts')).addLabCommand },
  doctor: { group: MACHINE, load: async () => (await import('./doctor.ts')).addDoctorCommand },
  completion: { group: MACHINE, load: async () => (await import('./completion-command.ts')).addCompletionCommand },
};

/**
 * Declares the command line.
 *
 * @param name of the only command that is needed; all are declared for any other name, and for none.
 */
export async function createProgram(name?: string): Promise<Command> {
  const program = new Command('dropframe')
    .description(
      'Live video over UDP with application-level sequencing and recovery, and a laboratory to compare it with TCP.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption(...HELP_OPTION)
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false })
    .exitOverride();
  const named = name !== undefined && Object.hasOwn(DECLARATIONS, name) ? [DECLARATIONS[name]!] : undefined;
  const declared = named ?? Object.values(DECLARATIONS);
  const loaded = await Promise.all(declared.map(async ({ group, load }) => ({ group, add: await load() })));
  for (const { group, add } of loaded) {
    program.commandsGroup(group);
    add(program, createProgram);
  }
  program.commandsGroup(MACHINE).helpCommand('help [command]', 'print the help of a command');
  overrideExits(program);
  return program;
}

/** Makes a command and its subcommands throw instead of exiting the process. */
function overrideExits(command: Command): void {
  command.exitOverride();
  for (const inner of command.commands) overrideExits(inner);
}
