import { expect, test } from 'vitest';
import { secondPathOf } from '../../../cli/second-path-options.ts';
import { receive } from '../../../session/index.ts';

const given = () => false;
const context = { given, isForeign: false, transport: 'auto' };
const from = '192.168.8.20';

test('a second path is the same by option and by call', async () => {
  expect(await secondPathOf({ secondPath: from, paths: 'split' }, context)).toEqual({
    from,
    use: 'split',
    link: undefined,
  });
  expect(await secondPathOf({ paths: 'coded' }, context)).toBeUndefined();
});

test('what is no address, and TCP, are refused with the name of the option', async () => {
  const named = secondPathOf({ secondPath: 'wlan0', paths: 'coded' }, context);
  await expect(named).rejects.toThrow(/^--second-path .*'wlan0'/);
  const overTcp = { ...context, transport: 'tcp' };
  await expect(secondPathOf({ secondPath: from, paths: 'coded' }, overTcp)).rejects.toThrow(/--transport tcp/);
  const url = 'dropframe://127.0.0.1:7000';
  expect(() => receive(url, { secondPath: { from: 'wlan0' } })).toThrow(/^secondPath\.from .*'wlan0'/);
  expect(() => receive(url, { transport: 'tcp', secondPath: { from } })).toThrow(/transport: 'tcp'/);
  expect(() => receive(url, { secondPath: { from, use: 'both' as 'split' } })).toThrow(/^secondPath\.use/);
});
