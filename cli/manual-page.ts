import type { Command } from 'commander';
import { type CommandEntry, commandTree, type OptionEntry } from './command-tree.ts';

/** Returns the manual page of a program, section 1, in the macros of man(7). */
export function manualPage(program: Command, version: string): string {
  const [top, ...commands] = commandTree(program) as [CommandEntry, ...CommandEntry[]];
  const name = program.name();
  const lines = [
    `.TH ${name.toUpperCase()} 1 "" "${name} ${version}" "User Commands"`,
    // No hyphenation and no stretched lines: options and addresses are copied from here.
    '.nh',
    '.ad l',
    '.SH NAME',
    `${name} \\- ${roff(top.description)}`,
    '.SH SYNOPSIS',
    ...commands.filter(({ commands }) => commands.length === 0).flatMap(({ usage }) => [`.B ${roff(usage)}`, '.br']),
    '.SH DESCRIPTION',
    `${roff(top.description)} Each command has its own options; \\fB${name}\\fR \\fIcommand\\fR \\fB\\-\\-help\\fR prints them too.`,
    '.SH OPTIONS',
    ...top.options.flatMap(optionLines),
    '.SH COMMANDS',
    ...commands.flatMap((command) => commandLines(name, command)),
    '.SH ENVIRONMENT',
    ...tagged('FFMPEG_PATH', 'Path of ffmpeg.'),
    ...tagged('NO_COLOR', 'No colors, if it is set and not empty.'),
    ...tagged('DROPFRAME_DEBUG', 'Prints the stack of an unexpected error, if it is set.'),
    '.SH EXIT STATUS',
    ...tagged('0', 'Success.'),
    ...tagged('1', 'The run failed.'),
    ...tagged('2', 'Usage error.'),
    ...tagged('3', 'A tool is missing.'),
    ...tagged('130', 'Ended at once by a signal.'),
  ];
  return `${lines.join('\n')}\n`;
}

function commandLines(name: string, command: CommandEntry): readonly string[] {
  const groups = new Map<string, OptionEntry[]>();
  for (const option of command.options) groups.set(option.group, [...(groups.get(option.group) ?? []), option]);
  return [
    `.SS ${roff(`${name} ${command.path.join(' ')}`)}`,
    `.B ${roff(command.usage)}`,
    '.PP',
    roff(`${command.description.charAt(0).toUpperCase()}${command.description.slice(1)}.`),
    ...command.arguments.flatMap(({ term, description }) => tagged(`<${term}>`, description)),
    ...[...groups].flatMap(([group, options]) => ['.PP', `.I ${roff(group)}`, ...options.flatMap(optionLines)]),
    ...(command.after === '' ? [] : ['.PP', '.nf', ...command.after.split('\n').map(roff), '.fi']),
  ];
}

function optionLines({ flags, description, facts }: OptionEntry): readonly string[] {
  return tagged(flags, `${description}${facts === '' ? '' : ` ${facts}`}`);
}

const tagged = (term: string, text: string): readonly string[] => ['.TP', `.B ${roff(term)}`, roff(text)];

/** Text without meaning for roff: `\` and `-` are literal, and so are `.` and `'` at the start of a line. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&');
}
