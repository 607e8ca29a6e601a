import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { temporaryFolder } from '../io/sources/media.ts';
import { optional } from '../optional.ts';
import { ASKED_FOR_MEMORY, idleConnections, ROOT, withFiles } from './stage.ts';
import { onStage, story } from './story.ts';

describe('kill -9', () => {
  story('of a sender that is started again: the receiver goes on in a new session', async (on) => {
    const first = await on.sender();
    const receiver = on.receiver(first.url);
    await receiver.shows(30);
    first.signal('SIGKILL');
    await first.ended;
    await on.sender(['--listen', `127.0.0.1:${first.port}`]);
    await receiver.until('it joined again', () => receiver.sessions === 2);
    await receiver.shows(60);
    expect(await receiver.stop()).toBe(0);
  });

  story('of a sender that does not come back: the receiver ends after --timeout with one line', async (on) => {
    const sender = await on.sender();
    const receiver = on.receiver(sender.url, ['--timeout', '10', '--quiet']);
    await receiver.shows(30);
    sender.signal('SIGKILL');
    expect(await receiver.ended).toBe(1);
    expect(receiver.complaints).toEqual([
      expect.stringMatching(/the stream from \S+ ended after \d+ frames: the sender disappeared without a goodbye/),
    ]);
  });

  story('of a receiver: its place is free at once, and the others go on', async (on) => {
    const sender = await on.sender(['--max-receivers', '2']);
    const [killed, other] = [on.receiver(sender.url), on.receiver(sender.url)];
    await Promise.all([killed.shows(10), other.shows(10)]);
    killed.signal('SIGKILL');
    await sender.until('it noticed', () => / left\b/.test(sender.stderr));
    await on.receiver(sender.url).shows(10);
    await other.shows(10);
    expect(other.sessions).toBe(1);
  });
});

describe('SIGSTOP and SIGCONT', () => {
  story(
    'of a receiver for longer than its consent lasts: the others go on, and it goes on when it is continued',
    async (on) => {
      const sender = await on.sender();
      const [stopped, other] = [on.receiver(sender.url), on.receiver(sender.url)];
      await Promise.all([stopped.shows(10), other.shows(10)]);
      stopped.signal('SIGSTOP');
      await other.shows(200);
      stopped.signal('SIGCONT');
      await stopped.shows(60);
      expect(other.sessions).toBe(1);
      expect(await stopped.stop()).toBe(0);
    },
  );

  story('of a sender: the receiver goes on when it is continued', async (on) => {
    const sender = await on.sender();
    const receiver = on.receiver(sender.url);
    await receiver.shows(30);
    sender.signal('SIGSTOP');
    await sleep(4_000);
    sender.signal('SIGCONT');
    await receiver.shows(90);
    expect(await receiver.stop()).toBe(0);
    expect(await sender.stop()).toBe(0);
  });
});

const MOUNT = ['unshare', '--user', '--map-root-user', '--mount'];
const mounts = spawnSync(MOUNT[0]!, [...MOUNT.slice(1), 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

optional('mount namespaces', mounts)(
  'a full disk ends a recording that nobody watches with one line and exit code 1, and keeps what was written',
  () =>
    onStage(async (on) => {
      const sender = await on.sender();
      const folder = temporaryFolder();
      const onFullDisk =
        'mount -t tmpfs -o size=200k tmpfs "$0" && { "$@"; code=$?; stat -c "bytes %s" "$0/film.h264" >&2; exit $code; }';
      const receiver = on.receiver(sender.url, ['--quiet', '--output', join(folder, 'film.h264')], {
        prefix: [...MOUNT, 'sh', '-c', onFullDisk, folder],
      });
      expect(await receiver.ended).toBe(1);
      expect(receiver.complaints).toEqual([`cannot write ${join(folder, 'film.h264')}: the disk is full`]);
      expect(Number(/bytes (\d+)/.exec(receiver.stderr)?.[1])).toBeGreaterThan(100_000);
    }),
);

describe('64 descriptors', () => {
  story('suffice for a sender and a receiver', async (on) => {
    const sender = await on.sender([], { prefix: withFiles(64) });
    const receiver = on.receiver(sender.url, [], { prefix: withFiles(64) });
    await receiver.shows(30);
    expect(await receiver.stop()).toBe(0);
    expect(await sender.stop()).toBe(0);
  });

  story(
    'all taken by 200 connections that say nothing: the stream goes on, and another receiver can join',
    async (on) => {
      const sender = await on.sender([], { prefix: withFiles(64) });
      const receiver = on.receiver(sender.url);
      await receiver.shows(10);
      await idleConnections(on, sender.port, 200);
      // Past the end of the clip, which is opened again.
      await receiver.shows(330);
      await on.receiver(sender.url).shows(10);
      expect(receiver.sessions).toBe(1);
      expect(await sender.stop()).toBe(0);
    },
  );
});

story('64 MB of heap suffice for both ends', async (on) => {
  const node = ['--max-old-space-size=64'];
  const sender = await on.sender([], { node });
  const receiver = on.receiver(sender.url, [], { node });
  await receiver.shows(120);
  expect(await receiver.stop()).toBe(0);
  expect(await sender.stop()).toBe(0);
});

story('a wall clock that steps by an hour, back and forth, changes nothing', async (on) => {
  const node = ['--import', join(ROOT, 'test/chaos/stepping-clock.mjs')];
  const sender = await on.sender([], { node });
  const receiver = on.receiver(sender.url, [], { node });
  await receiver.shows(100);
  expect(await receiver.stop()).toBe(0);
  const { durationSeconds, frames, sessions } = receiver.progress!;
  expect(sessions).toBe(1);
  // A duration of the wall clock would be wrong by an hour, or negative.
  expect(durationSeconds).toBeGreaterThan(3);
  expect(durationSeconds).toBeLessThan(600);
  expect(frames.neverArrived).toBe(0);
});

story(
  'a receiver over TCP that stops reading costs the others nothing, and the sender no memory without bound',
  async (on) => {
    const sender = await on.sender([], ASKED_FOR_MEMORY);
    const slow = on.receiver(sender.url, ['--transport', 'tcp']);
    const other = on.receiver(sender.url);
    await Promise.all([slow.shows(30), other.shows(30)]);
    const before = await sender.memoryInUse();
    slow.signal('SIGSTOP');
    await other.shows(150);
    expect((await sender.memoryInUse()) - before).toBeLessThan(60);
    slow.signal('SIGCONT');
    await slow.shows(60);
    expect(other.sessions).toBe(1);
    expect(await slow.stop()).toBe(0);
  },
);

story(
  'a sender that is killed and started five times: the receiver has six sessions, and no descriptor more',
  async (on) => {
    let sender = await on.sender();
    const receiver = on.receiver(sender.url);
    await receiver.shows(10);
    const files = () => readdirSync(`/proc/${receiver.pid}/fd`).length;
    const before = files();
    for (let restart = 1; restart <= 5; restart++) {
      const { port } = sender;
      sender.signal('SIGKILL');
      await sender.ended;
      sender = await on.sender(['--listen', `127.0.0.1:${port}`]);
      await receiver.until('it joined again', () => receiver.sessions === restart + 1);
      await receiver.shows(5);
    }
    expect(files()).toBeLessThanOrEqual(before);
    expect(await receiver.stop()).toBe(0);
  },
);
