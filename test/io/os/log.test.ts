import { expect, test } from 'vitest';
import { Log, logLevel } from '../../../io/os/log.ts';
import { type Instant, instant } from '../../../protocol/base/units.ts';

function diary(options: {
  level: 'error' | 'warn' | 'info' | 'debug';
  json?: boolean;
  color?: boolean;
  clock?: () => Instant;
}) {
  const lines: string[] = [];
  return { lines, log: new Log({ ...options, write: (line) => lines.push(line) }) };
}

test('omits messages below its level', () => {
  const { lines, log } = diary({ level: 'warn' });
  log.error('one');
  log.warn('two');
  log.info('three');
  log.debug('four');
  expect(lines).toEqual(['dropframe: one\n', 'dropframe: warning: two\n']);
});

test('withholds repeated warnings and says how many, unless it is verbose', () => {
  let at = 0;
  const clock = () => instant(at);
  const [short, verbose] = [diary({ level: 'info', clock }), diary({ level: 'debug', clock })];
  for (; at <= 10_000_000; at += 5_000_000) {
    for (const { log } of [short, verbose]) log.warn(`stalled for ${at / 1_000} ms`, { peer: 'x' });
  }
  expect(short.lines).toEqual([
    'dropframe: warning: stalled for 0 ms peer=x\n',
    'dropframe: warning: stalled for 10000 ms peer=x repeated=1\n',
  ]);
  expect(verbose.lines).toHaveLength(3);
});

test('colors the level of errors and warnings where there are colors', () => {
  const { lines, log } = diary({ level: 'info', color: true });
  log.error('one');
  log.warn('two');
  log.info('three');
  expect(lines).toEqual(['\x1b[31;1mdropframe: \x1b[0mone\n', '\x1b[33mdropframe: warning: \x1b[0mtwo\n', 'three\n']);
});

test('appends fields to the message, quoted if they contain spaces', () => {
  const { lines, log } = diary({ level: 'info' });
  log.info('joined', { peer: '127.0.0.1', name: 'a b', lost: 3, missing: undefined });
  expect(lines).toEqual(['joined peer=127.0.0.1 name="a b" lost=3\n']);
});

test('keeps the message in a JSON line even if a field has its name', () => {
  const { lines, log } = diary({ level: 'info', json: true });
  log.warn('real', { message: 'forged', lost: 3 });
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] as string)).toMatchObject({ level: 'warn', message: 'real', lost: 3 });
});

test('logs errors only when quiet, details when verbose; quiet wins', () => {
  expect(logLevel({ quiet: true, verbose: true })).toBe('error');
  expect(logLevel({ quiet: false, verbose: true })).toBe('debug');
  expect(logLevel({ quiet: false, verbose: false })).toBe('info');
});
