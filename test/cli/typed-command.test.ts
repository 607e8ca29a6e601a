import { expect, test } from 'vitest';
import { typedCommand } from '../../cli/typed-command.ts';

test.each([
  [['demo'], 'start', 'npm start'],
  [['demo', '--link', 'loss=9% delay=5ms'], 'start', "npm start -- --link 'loss=9% delay=5ms'"],
  [['demo', "it's.mp4"], 'dropframe', "npm run dropframe -- demo 'it'\\''s.mp4'"],
  [['demo', 'film.mp4'], undefined, 'node bin/dropframe.js demo film.mp4'],
])('names %j under the npm script %s as %s', (words, script, command) => {
  const argv = ['node', '/home/me/dropframe/bin/dropframe.js', ...words];
  expect(typedCommand(argv, { npm_lifecycle_event: script }, '/home/me/dropframe')).toBe(command);
});

test('names an installed command by its name', () => {
  expect(typedCommand(['node', '/usr/bin/dropframe', 'demo'], {})).toBe('dropframe demo');
});
