import { expect, test } from 'vitest';
import { formatFindings } from '../../cli/findings-text.ts';

test('prints findings in columns, with the remedy below', () => {
  const text = formatFindings([
    { name: 'Node.js', state: 'ok', detail: '20.20.2' },
    { name: 'TUN', state: 'warn', detail: 'there is none', remedy: 'modprobe tun' },
    { name: 'ffmpeg', state: 'missing', detail: 'not found' },
  ]);
  expect(text.split('\n')).toEqual([
    'ok       Node.js  20.20.2',
    'note     TUN      there is none',
    '                  → modprobe tun',
    'missing  ffmpeg   not found',
    '',
  ]);
});
