import { expect, onTestFinished, test } from 'vitest';
import { FairWork } from '../../../io/net/fair-work.ts';

function fairWork(own: Partial<ConstructorParameters<typeof FairWork>[0]> = {}) {
  const work = new FairWork({ share: 0.5, waitMsMax: 60_000, waitingMax: 100, ...own });
  onTestFinished(() => work.close());
  const ran: string[] = [];
  const ask = (address: string, name = address) => work.run(address, () => ran.push(name));
  return { work, ran, ask };
}

test('runs a job at once when nothing waits', () => {
  const { ran, ask } = fairWork();
  void ask('192.0.2.1');
  expect(ran).toEqual(['192.0.2.1']);
});

test('serves networks in turn, so that the crowd of one delays another by one job', async () => {
  const { ran, ask } = fairWork();
  const crowd = Array.from({ length: 50 }, (_, index) => ask('192.0.2.1', `crowd ${index}`));
  const others = [ask('198.51.100.1', 'first'), ask('2001:db8::1', 'second'), ask('2001:db8::2', 'same network')];
  await Promise.all([...crowd, ...others]);
  expect(ran.slice(0, 6)).toEqual(['crowd 0', 'crowd 1', 'first', 'second', 'crowd 2', 'same network']);
  expect(ran).toHaveLength(53);
});

test('refuses a job at once whose turn would come late, but not the first of another network', async () => {
  const { work, ran, ask } = fairWork({ waitMsMax: 100 });
  const crowd = Array.from({ length: 400 }, () => ask('192.0.2.1'));
  expect(work.busyFor('192.0.2.1')).toBeGreaterThanOrEqual(1);
  expect(work.busyFor('198.51.100.1')).toBeUndefined();
  const outcomes = await Promise.all(crowd);
  const busy = outcomes.filter(({ kind }) => kind === 'busy');
  expect(busy.length).toBeGreaterThan(350);
  expect(ran.length).toBe(400 - busy.length);
  // Each waiting job has ended, one way or another.
  expect(work.busyFor('192.0.2.1')).toBeUndefined();
});

test('counts a job that goes on later with its least cost', async () => {
  const { ran, ask } = fairWork({ costMsMin: 60, waitMsMax: 100 });
  const outcomes = await Promise.all([ask('192.0.2.1'), ask('192.0.2.1'), ask('192.0.2.1')]);
  // Each takes 120 ms at a share of a half: the second is next, the third would come too late.
  expect(outcomes.map(({ kind }) => kind)).toEqual(['done', 'done', 'busy']);
  expect(ran).toHaveLength(2);
});

test('gives no turn to a job that nobody waits for', async () => {
  const { work, ran, ask } = fairWork({ costMsMin: 60, waitMsMax: 1_000 });
  const first = ask('192.0.2.1', 'first');
  const gone = work.run(
    '192.0.2.1',
    () => ran.push('gone'),
    () => false,
  );
  const next = ask('192.0.2.1', 'next');
  expect([(await first).kind, (await gone).kind, (await next).kind]).toEqual(['done', 'busy', 'done']);
  expect(ran).toEqual(['first', 'next']);
});

test('makes room for another network with the newest job of the most crowded one', async () => {
  const { work, ran, ask } = fairWork({ waitingMax: 3 });
  // The first runs at once.
  const crowd = [0, 1, 2, 3].map((index) => ask('192.0.2.1', `crowd ${index}`));
  expect(work.busyFor('192.0.2.1')).toBe(1);
  expect(await ask('192.0.2.1')).toEqual({ kind: 'busy', retrySeconds: 1 });
  const other = ask('198.51.100.1', 'other');
  expect(await crowd[3]).toMatchObject({ kind: 'busy' });
  expect((await other).kind).toBe('done');
  await Promise.all(crowd);
  expect(ran).toEqual(['crowd 0', 'crowd 1', 'other', 'crowd 2']);
});

test('a job that throws fails alone', async () => {
  const { work, ran, ask } = fairWork();
  const failing = work.run('192.0.2.1', () => {
    throw new Error('no');
  });
  const next = ask('192.0.2.1');
  await expect(failing).rejects.toThrow('no');
  await next;
  expect(ran).toHaveLength(1);
});

test('refuses all that waits when it closes', async () => {
  const { work, ran, ask } = fairWork();
  const [, second] = [ask('192.0.2.1'), ask('192.0.2.1')];
  work.close();
  expect(await second).toMatchObject({ kind: 'busy' });
  expect(ran).toHaveLength(1);
});
