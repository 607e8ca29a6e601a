import { readFileSync, rmSync } from 'node:fs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Log } from '../../io/os/log.ts';
import { Receiver } from '../../receiver/receiver.ts';
import { Sender } from '../../sender/sender.ts';
import { until } from '../io/net/control-peers.ts';
import { madeUpUnits, receive, serve } from '../loopback-session.ts';

/** Makes a method throw once, as a broken invariant does: in its first call for which `is` holds. @param is of the number of the call. */
function breakOnce<Class extends object>(
  prototype: Class,
  method: keyof Class & string,
  is: (call: number, object: Class) => boolean,
): void {
  let calls = 0;
  let isBroken = false;
  const sound = prototype[method] as (...values: unknown[]) => unknown;
  const broken = vi.spyOn(prototype, method as never) as unknown as { mockImplementation(work: unknown): void };
  broken.mockImplementation(function (this: Class, ...values: unknown[]) {
    if (isBroken || !is(++calls, this)) return sound.apply(this, values);
    isBroken = true;
    throw new Error('invariant broken: made up');
  });
  onTestFinished(() => void vi.restoreAllMocks());
}

/** The report that a line names; it is removed. */
function reportIn(line: string | undefined): Record<string, unknown> {
  const path = /report (\/\S+\.json)/.exec(line ?? '')?.[1] ?? '';
  const report = JSON.parse(readFileSync(path, 'utf8'));
  rmSync(path);
  return report;
}

test('a receiver whose counters do not balance reports it in one line, and rejoins', async () => {
  // A report has the last 64 datagrams, of which a busy machine receives fewer up to the first check.
  breakOnce(Receiver.prototype, 'assertBalanced', (_, { statistics }) => statistics.datagrams >= 64);
  const { server } = await serve(madeUpUnits(200));
  const { run, waited, welcomed, client } = receive(server.port);
  expect(await run).toBe('end-of-stream');
  expect(welcomed.length).toBe(2);
  expect(waited.length).toBe(1);
  expect(waited[0]).toMatch(/^internal error of the receiver: invariant broken: made up; please send us the report /);
  expect(client.sessions.length).toBe(2);
  const report = reportIn(waited[0]);
  expect(report).toMatchObject({ where: 'receiver', options: { video: { recovery: 'hybrid' } } });
  expect((report.datagrams as unknown[]).length).toBe(64);
  expect(JSON.stringify(report)).not.toContain('"key"');
});

test('a sender that breaks an invariant ends one session, and serves the others to the end', async () => {
  const lines: string[] = [];
  const { server } = await serve(madeUpUnits(150), {
    log: new Log({ level: 'error', write: (line) => lines.push(line) }),
  });
  const spared = receive(server.port);
  await until('frames come', () => spared.received.length > 5);
  breakOnce(Sender.prototype, 'handleDatagram', (call) => call === 4);
  const others = [receive(server.port), receive(server.port)];
  expect(await Promise.all([spared, ...others].map(({ run }) => run))).toEqual(Array(3).fill('end-of-stream'));
  expect(lines.length).toBe(1);
  expect(lines[0]).toMatch(
    /^dropframe: receiver 127\.0\.0\.1:\d+: internal error of the sender: invariant broken: made up/,
  );
  reportIn(lines[0]);
  const whole = [spared, ...others].filter(({ welcomed }) => welcomed.length === 1);
  expect(whole.length).toBe(2);
});
