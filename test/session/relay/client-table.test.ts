import { expect, test } from 'vitest';
import { type Instant, instant, milliseconds, seconds } from '../../../protocol/base/units.ts';
import { ClientTable } from '../../../session/relay/client-table.ts';

const client = (name: string, lastActiveAt: Instant) => ({ name, lastActiveAt });
const table = () => new ClientTable<ReturnType<typeof client>>({ clientsMax: 2, idle: seconds(60) });

test('finds a client by its address until the idle time has passed', () => {
  const clients = table();
  const one = client('one', instant(seconds(10)));
  clients.add('a', one);

  expect(clients.expire(instant(seconds(70)))).toEqual([]);
  expect(clients.find('a')).toBe(one);
  expect(clients.expire(instant(seconds(70) + 1))).toEqual([one]);
  expect(clients.find('a')).toBeUndefined();
});

test('keeps a client that is active in between', () => {
  const clients = table();
  const one = client('one', instant(0));
  clients.add('a', one);

  one.lastActiveAt = instant(seconds(59));

  expect(clients.expire(instant(seconds(100)))).toEqual([]);
  expect(clients.expire(instant(seconds(119) + milliseconds(1)))).toEqual([one]);
});

test('removes idle clients only', () => {
  const clients = table();
  clients.add('a', client('idle', instant(0)));
  clients.add('b', client('busy', instant(seconds(50))));

  expect(clients.expire(instant(seconds(61))).map(({ name }) => name)).toEqual(['idle']);
  expect([...clients].map(({ name }) => name)).toEqual(['busy']);
});

test('is full at its limit, and has room again after a removal', () => {
  const clients = table();
  clients.add('a', client('one', instant(0)));
  expect(clients.full).toBe(false);
  clients.add('b', client('two', instant(0)));
  expect(clients.full).toBe(true);
  expect(() => clients.add('c', client('three', instant(0)))).toThrow('room');

  clients.remove('a');

  expect(clients.full).toBe(false);
  expect(clients.size).toBe(1);
});
