import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addSendCommand } from '../../cli/send.ts';

function sendCommand(...words: string[]): Command {
  const program = new Command();
  addSendCommand(program);
  const [command] = program.commands;
  command!
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .parseOptions(words);
  return command!;
}

test.each(['--max-receivers', '--receivers'])('%s limits the receivers', (name) => {
  expect(sendCommand(name, '7').opts().maxReceivers).toBe(7);
  expect(sendCommand(`${name}=9`).opts().maxReceivers).toBe(9);
  expect(() => sendCommand(name, '0')).toThrow(`option '${name} <count>' argument '0' is invalid`);
});

test('the former name of --max-receivers is not in the help', () => {
  const help = sendCommand().helpInformation();
  expect(help).toContain('--max-receivers');
  expect(help).not.toMatch(/--receivers\b(?!-)/);
});
