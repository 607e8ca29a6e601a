import { basename, relative } from 'node:path';

const PLAIN = /^[\w@%+=:,./-]+$/;

/**
 * Returns the command that started this process, as typed in a shell.
 * @param argv that of the process: node, script, arguments.
 * @param env environment of the process; npm names the script that it runs.
 * @param folder working directory, to which the script's path is relative.
 */
export function typedCommand(
  [, script = 'dropframe', ...words]: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  folder = process.cwd(),
): string {
  const typed = words.map((word) => (PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`));
  switch (env.npm_lifecycle_event) {
    // The script itself names the command `demo`.
    case 'start':
      return typed.length > 1 ? `npm start -- ${typed.slice(1).join(' ')}` : 'npm start';
    case 'dropframe':
      return `npm run dropframe -- ${typed.join(' ')}`;
    default:
      return `${basename(script) === 'dropframe' ? 'dropframe' : `node ${relative(folder, script)}`} ${typed.join(' ')}`;
  }
}
