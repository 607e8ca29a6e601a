import { expect, test } from 'vitest';
import { Log, logLevel } from '../../../io/os/log.ts';

function diary(options: { level: 'error' | 'warn' | 'info' | 'debug'; json?: boolean; color?: boolean }) {
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
