import type { Command } from 'commander';

/** Kind of a value, which determines the suggestions of a shell. */
export type OptionValue =
  | { readonly kind: 'choices'; readonly choices: readonly string[] }
  | { readonly kind: 'file' }
  /** Any other value: an address, a number, a text. */
  | { readonly kind: 'other' };

export interface OptionEntry {
  readonly long: string;
  readonly short: string | undefined;
  readonly flags: string;
  readonly description: string;
  /** Choices and default, as in --help. */
  readonly facts: string;
  /** `undefined` for a switch. */
  readonly value: OptionValue | undefined;
  readonly group: string;
}

export interface CommandEntry {
  /** Names from the program on, such as `['lab', 'run']`; empty for the program. */
  readonly path: readonly string[];
  readonly description: string;
  readonly usage: string;
  readonly options: readonly OptionEntry[];
  readonly arguments: readonly { readonly term: string; readonly description: string; readonly value: OptionValue }[];
  readonly commands: readonly string[];
  /** Help text after the options: examples and explanations. */
  readonly after: string;
}

/** Returns a command and its subcommands as data, for output other than --help. */
export function commandTree(command: Command, path: readonly string[] = []): readonly CommandEntry[] {
  const helper = command.createHelp();
  const inner = helper.visibleCommands(command).filter((each) => each.name() !== 'help');
  return [
    {
      path,
      description: command.description(),
      usage: helper.commandUsage(command),
      options: helper.visibleOptions(command).map((option) => ({
        long: option.long ?? option.flags,
        short: option.short,
        flags: helper.optionTerm(option),
        description: option.description,
        facts: helper.optionDescription(option).slice(option.description.length).trim(),
        value: option.required || option.optional ? valueFor(option.flags, option.argChoices) : undefined,
        group: option.helpGroupHeading ?? 'Options:',
      })),
      arguments: command.registeredArguments.map((argument) => ({
        term: helper.argumentTerm(argument),
        description: helper.argumentDescription(argument),
        value: valueFor(`<${argument.name()}>`, argument.argChoices),
      })),
      commands: inner.map((each) => each.name()),
      after: afterHelp(command),
    },
    ...inner.flatMap((each) => commandTree(each, [...path, each.name()])),
  ];
}

/** Names of values and arguments that are files or folders. */
const FILES = /<(file|folder|path|input|scenario|url|others|command)>/;

function valueFor(flags: string, choices: readonly string[] | undefined): OptionValue {
  if (choices) return { kind: 'choices', choices };
  return { kind: FILES.test(flags) && !flags.startsWith('--to') ? 'file' : 'other' };
}

/** Text of `addHelpText('after', …)`, which commander keeps in the listeners of an event. */
function afterHelp(command: Command): string {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  (command as unknown as NodeJS.EventEmitter).emit('afterHelp', { error: false, command, write });
  return text.trim();
}
