import { stdout } from 'node:process';
import { Argument, type Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('print the completion script of a shell')
    .addArgument(new Argument('<shell>', 'shell that runs the script').choices(SHELLS))
    .addHelpText(
      'after',
      `
Examples:
  dropframe completion bash >> ~/.bash_completion
  dropframe completion zsh > "\${fpath[1]}/_dropframe"
  dropframe completion fish > ~/.config/fish/completions/dropframe.fish`,
    )
    .action(async (shell: Shell) => {
      const [{ createProgram }, { completionScript }] = await Promise.all([
        import('./program.ts'),
        import('./completion.ts'),
      ]);
      stdout.write(completionScript(await createProgram(), shell));
    });
}
