import { Command, InvalidArgumentError, Option } from 'commander';
import { expect, test } from 'vitest';
import { usageErrorText } from '../../cli/error-text.ts';
import { readLatency } from '../../cli/options.ts';
import { dropframe } from './dropframe-process.ts';

/** Parses arguments with commander. @returns its message in our form. */
function errorOf(...args: readonly string[]): string {
  let text = '';
  const command = new Command('x')
    .argument('<url>', '', (url) => {
      if (url === 'no') throw new InvalidArgumentError('expected an address');
      return url;
    })
    .addOption(new Option('-l, --latency <ms>').argParser(readLatency))
    .addOption(new Option('--play <where>').choices(['mpv', 'none']))
    .configureOutput({ outputError: (message) => (text = usageErrorText(message)) })
    .exitOverride();
  expect(() => command.parse(args, { from: 'user' })).toThrow();
  return text;
}

test('a usage error is one line that begins with the option and its value', () => {
  expect(errorOf('a', '--latency', 'x\ny')).toMatch(
    /^--latency 'x y': expected milliseconds from 0 to \d+.* \(see --help\)$/,
  );
  expect(errorOf('a', '--play', 'vcl')).toBe("--play 'vcl': Allowed choices are mpv, none. (see --help)");
  expect(errorOf('no')).toBe("'no': expected an address (see --help)");
  expect(errorOf()).toBe("missing required argument 'url' (see --help)");
});

test('a misspelled option gets the most similar one as a suggestion, on the same line', () => {
  expect(errorOf('a', '--latancy', '5')).toBe("unknown option '--latancy'; did you mean --latency? (see --help)");
});

test.each([
  { args: ['reveive'], message: "unknown command 'reveive'; did you mean receive? (see --help)", code: 2 },
  { args: ['send', '/no/such'], message: 'cannot open /no/such: there is no such file or directory', code: 1 },
])(
  '`dropframe $args.0` ends with one line in the form of all errors, with --json as a line of the log',
  async ({ args, message, code }) => {
    const [text, json] = [dropframe(...args), dropframe(...args, '--json')];
    expect(await Promise.all([text.ended, json.ended])).toEqual([code, code]);
    expect(text.output.stderr).toBe(`dropframe: ${message}\n`);
    expect(JSON.parse(json.output.stderr)).toMatchObject({ level: 'error', message });
  },
);
