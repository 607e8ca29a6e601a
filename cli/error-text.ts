import { stderr } from 'node:process';
import { Log } from '../io/os/log.ts';
import { hasColors } from '../io/os/terminal-colors.ts';

/** Writes the error that ends a command: the program, the cause, the remedy; with `--json` as a line of the log. */
export function writeError(message: string, argv: readonly string[]): void {
  const end = argv.indexOf('--');
  const json = argv.slice(0, end < 0 ? undefined : end).includes('--json');
  new Log({ level: 'error', json, color: hasColors(stderr) }).error(message);
}

/** Rewrites a message of commander in the form of ours: one line, option and value first. */
export function usageErrorText(message: string): string {
  const [, suggestion] = /\n\(Did you mean (.*)\)\s*$/.exec(message) ?? [];
  const plain = message
    .replace(/\n\(Did you mean .*\)\s*$/, '')
    .replace(/^error: /, '')
    .replace(/^option '(.*?)' argument '(.*)' is invalid\. /s, (_, flags: string, value: string) => {
      return `${flags.replace(/^-\w, /, '').split(' ')[0]} '${value}': `;
    })
    .replace(/^command-argument value '(.*)' is invalid for argument '.*?'\. /s, (_, value: string) => `'${value}': `);
  const meant = suggestion === undefined ? '' : `; did you mean ${suggestion}`;
  return `${plain.replace(/\s+/g, ' ').trim()}${meant} (see --help)`;
}
