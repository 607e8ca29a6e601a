// Stories that take minutes: `npm run chaos` tells them beside the others.
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { TUN_PATH } from '../../io/os/tun-device.ts';
import { optional } from '../optional.ts';
import { hasTun } from '../tun.ts';
import { tell } from './namespaced-story.ts';
import { ASKED_FOR_MEMORY, idleConnections, type Program, type Stage } from './stage.ts';
import { onStage } from './story.ts';

const openFiles = ({ pid }: Program): number => readdirSync(`/proc/${pid}/fd`).length;

/** Without the files that a garbage collection closes later. */
const FILES_MORE_MAX = 4;
/** After a collection. A hundred leaked sessions would take more. */
const MEGABYTES_MORE_MAX = 6;
/** A program that starts on a busy machine is away for longer than a receiver waits by itself. */
const PATIENT = ['--timeout', '300'];

/** Silent connections that a sender keeps, for 5 s each. */
const SILENT_MAX = 128;

const RESTARTS = 100;
const FORGERIES = 20_000;
/** Receivers that start and are killed at the same time: most of their life is a wait for a key frame. */
const AT_ONCE = 5;

/** The stories run beside each other, as they mostly wait. */
const long = (name: string, run: (on: Stage) => Promise<void>): void =>
  test.concurrent(name, () => onStage(run), 1_200_000);

/** Prints how far a story is, every ten restarts. */
function progress(of: string, restarts: number): void {
  if (restarts % 10 === 0) process.stdout.write(`${of}: ${restarts} of ${RESTARTS} restarts\n`);
}

describe('a hundred restarts', () => {
  long(
    'of a sender: its receiver has a hundred sessions more, no descriptor more and little memory more',
    async (on) => {
      let sender = await on.sender();
      const receiver = on.receiver(sender.url, PATIENT, ASKED_FOR_MEMORY);
      await receiver.shows(10);
      const [files, megabytes] = [openFiles(receiver), await receiver.memoryInUse()];
      for (let restart = 1; restart <= RESTARTS; restart++) {
        const { port } = sender;
        const { sessions } = receiver;
        sender.signal('SIGKILL');
        await sender.ended;
        sender = await on.sender(['--listen', `127.0.0.1:${port}`]);
        await receiver.until('it joined again', () => receiver.sessions > sessions);
        await receiver.shows(1);
        progress('sender', restart);
      }
      expect(openFiles(receiver)).toBeLessThanOrEqual(files + FILES_MORE_MAX);
      expect((await receiver.memoryInUse()) - megabytes).toBeLessThan(MEGABYTES_MORE_MAX);
      expect(await receiver.stop()).toBe(0);
    },
  );

  long('of a receiver: its sender has served them all, no descriptor more and little memory more', async (on) => {
    const sender = await on.sender([], ASKED_FOR_MEMORY);
    const other = on.receiver(sender.url, PATIENT);
    await other.shows(60);
    const [files, megabytes] = [openFiles(sender), await sender.memoryInUse()];
    for (let restarts = AT_ONCE; restarts <= RESTARTS; restarts += AT_ONCE) {
      const receivers = Array.from({ length: AT_ONCE }, () => on.receiver(sender.url, PATIENT));
      await Promise.all(receivers.map((receiver) => receiver.shows(1)));
      for (const receiver of receivers) receiver.signal('SIGKILL');
      await Promise.all(receivers.map(({ ended }) => ended));
      progress('receiver', restarts);
    }
    await sender.until('all have left', () => sender.stderr.match(/ left\b/g)?.length === RESTARTS);
    expect(openFiles(sender)).toBeLessThanOrEqual(files + FILES_MORE_MAX);
    expect((await sender.memoryInUse()) - megabytes).toBeLessThan(MEGABYTES_MORE_MAX);
    expect(other.sessions).toBe(1);
  });
});

long('5,000 connections that say nothing: the stream goes on, others join, and few stay open', async (on) => {
  const sender = await on.sender();
  const receiver = on.receiver(sender.url, PATIENT);
  await receiver.shows(30);
  const files = openFiles(sender);
  await idleConnections(on, sender.port, 5_000);
  const joining = 5;
  for (let join = 0; join < joining; join++) await on.receiver(sender.url, PATIENT).shows(30);
  await receiver.shows(100);
  expect(receiver.sessions).toBe(1);
  expect(openFiles(sender)).toBeLessThanOrEqual(files + SILENT_MAX + joining + FILES_MORE_MAX);
});

const withTun = optional(`koffi, ${TUN_PATH} and network namespaces`, await hasTun());

withTun(
  'an attacker between two networks adds 108 forgeries to each datagram: none is accepted, and the stream goes on',
  async () => {
    const told = await tell<{ readonly made: number }>('attack-story.ts', 'flood', 'encrypted', String(FORGERIES));
    expect(told).toMatchObject({ code: 0, encrypted: true, foreign: 0, malformed: 0, read: 0 });
    expect(told.made).toBeGreaterThanOrEqual(FORGERIES);
  },
  1_200_000,
);
