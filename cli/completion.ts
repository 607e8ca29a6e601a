import type { Command } from 'commander';
import { type CommandEntry, commandTree, type OptionEntry, type OptionValue } from './command-tree.ts';
import type { Shell } from './shells.ts';

/** Returns the completion script of a shell for a program. */
export function completionScript(program: Command, shell: Shell): string {
  const tree = commandTree(program);
  const name = program.name();
  const head = `# Completion of ${name} for ${shell}, made by \`${name} completion ${shell}\`.\n`;
  switch (shell) {
    case 'bash':
      return head + bashScript(name, tree);
    case 'zsh':
      return `#compdef ${name}\n${head}${zshScript(name, tree)}`;
    case 'fish':
      return head + fishScript(name, tree);
    default:
      return shell satisfies never;
  }
}

const keyOf = ({ path }: CommandEntry): string => path.join(' ');
const namesOf = ({ long, short }: OptionEntry): readonly string[] => (short ? [short, long] : [long]);

/** Returns the description of an option for a menu: the text before the first `;`, `:` or `.`. */
const brief = (description: string): string => (/^.*?(?=[;:.](?:\s|$)|$)/.exec(description)?.[0] ?? '').trim();

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function bashScript(name: string, tree: readonly CommandEntry[]): string {
  const reply = (value: OptionValue): string => {
    if (value.kind === 'choices') return `COMPREPLY=($(compgen -W ${quote(value.choices.join(' '))} -- "$cur"))`;
    // Readline's default completion handles names with spaces.
    return value.kind === 'file' ? 'compopt -o default' : ':';
  };
  const values = tree.flatMap((command) =>
    command.options
      .filter((option) => option.value !== undefined)
      .map((option) => {
        const patterns = namesOf(option).map((flag) => quote(`${keyOf(command)}|${flag}`));
        return `    ${patterns.join('|')}) ${reply(option.value!)}; return ;;`;
      }),
  );
  const words = tree.map((command) => {
    const options = command.options.flatMap(namesOf).join(' ');
    const [first] = command.arguments;
    const rest =
      first === undefined
        ? `COMPREPLY=($(compgen -W ${quote(command.commands.join(' '))} -- "$cur"))`
        : reply(first.value);
    return `    ${quote(keyOf(command))}) options=${quote(options)}; [[ $cur == -* ]] || ${rest} ;;`;
  });
  const nested = tree.filter(({ path }) => path.length > 0).map((command) => quote(keyOf(command)));
  return `_${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command='' options='' i
  COMPREPLY=()
  # Bash takes --option=value for three words.
  [[ $cur == = ]] && cur='' || { [[ $prev == = ]] && prev=\${COMP_WORDS[COMP_CWORD-2]}; }
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ \${COMP_WORDS[i]} == -- ]] && return
    case "\${command:+$command }\${COMP_WORDS[i]}" in
    ${nested.join('|')}) command="\${command:+$command }\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$command|$prev" in
${values.join('\n')}
  esac
  case "$command" in
${words.join('\n')}
  esac
  [[ $cur == -* ]] && COMPREPLY=($(compgen -W "$options" -- "$cur"))
}
complete -F _${name} ${name}
`;
}

function zshScript(name: string, tree: readonly CommandEntry[]): string {
  const text = (value: string) => value.replace(/[\\:[\]]/g, '\\$&');
  const action = (value: OptionValue): string => {
    if (value.kind === 'choices') return `(${value.choices.join(' ')})`;
    return value.kind === 'file' ? '_files' : ' ';
  };
  const functionOf = ({ path }: CommandEntry) => ['', name, ...path].join('_');
  return `${[...tree]
    .reverse()
    .map((command) => {
      const specs = command.options.map((option) => {
        const names = namesOf(option);
        const excluded = names.length > 1 ? `(${names.join(' ')})` : '';
        const label = `[${text(brief(option.description))}]`;
        const value = option.value === undefined ? '' : `:value:${action(option.value)}`;
        // With `=`, zsh accepts the value after the sign or as a separate word.
        const flags = names.length > 1 ? `{${names.join(',')}}` : `${names[0]}${option.value === undefined ? '' : '='}`;
        return `    ${excluded === '' ? '' : quote(excluded)}${flags}${quote(`${label}${value}`)}`;
      });
      const rest = command.arguments.map(({ term, value }) => `    ${quote(`*:${text(term)}:${action(value)}`)}`);
      if (command.commands.length === 0) {
        return `${functionOf(command)}() {\n  _arguments -s \\\n${[...specs, ...rest.slice(0, 1)].join(' \\\n')}\n}`;
      }
      const inner = tree.filter(
        ({ path }) => path.length === command.path.length + 1 && path.join(' ').startsWith(keyOf(command)),
      );
      const list = inner.map(({ path, description }) => `    ${quote(`${path.at(-1)}:${brief(description)}`)}`);
      const cases = inner.map((each) => `      ${each.path.at(-1)}) ${functionOf(each)} ;;`);
      return `${functionOf(command)}() {
  local state line
  local -a commands=(
${list.join('\n')}
  )
  _arguments -C \\
${[...specs, "    '1:command:->command'", "    '*::argument:->argument'"].join(' \\\n')}
  case $state in
    command) _describe command commands ;;
    argument)
      case $line[1] in
${cases.join('\n')}
      esac ;;
  esac
}`;
    })
    .join('\n\n')}

_${name} "$@"
`;
}

function fishScript(name: string, tree: readonly CommandEntry[]): string {
  const lines = tree.flatMap((command) => {
    const { path, commands } = command;
    const seen = path.map((each) => `__fish_seen_subcommand_from ${each}`);
    const open = commands.length > 0 ? [`not __fish_seen_subcommand_from ${commands.join(' ')}`] : [];
    const condition = quote([...seen, ...open].join('; and '));
    const inner = tree.filter(
      (each) => each.path.length === path.length + 1 && path.every((one, i) => each.path[i] === one),
    );
    return [
      ...inner.map(
        (each) => `complete -c ${name} -n ${condition} -f -a ${each.path.at(-1)} -d ${quote(brief(each.description))}`,
      ),
      ...command.options.map((option) => {
        const short = option.short ? ` -s ${option.short.slice(1)}` : '';
        const flags = `${short} -l ${option.long.slice(2)}`;
        return `complete -c ${name} -n ${condition}${flags}${fishValue(option.value)} -d ${quote(brief(option.description))}`;
      }),
      ...command.arguments
        .slice(0, 1)
        .filter(({ value }) => value.kind === 'choices')
        .map(({ value }) => `complete -c ${name} -n ${condition}${fishValue(value).replace(' -x', ' -f')}`),
    ];
  });
  return `${lines.join('\n')}\n`;
}

function fishValue(value: OptionValue | undefined): string {
  if (value === undefined) return '';
  if (value.kind === 'choices') return ` -x -a ${quote(value.choices.join(' '))}`;
  return value.kind === 'file' ? ' -r -F' : ' -x';
}
