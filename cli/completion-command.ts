import { stdout } from 'node:process';
import { Argument, type Command } from 'commander';
import { SHELLS, type Shell } from './shells.ts';

/** @param declareAll declares the command line that the script completes. */
export function addCompletionCommand(program: Command, declareAll: () => Promise<Command>): void {
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
      const { completionScript } = await import('./completion.ts');
      stdout.write(completionScript(await declareAll(), shell));
    });
}
