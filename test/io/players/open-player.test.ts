import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { Failure } from '../../../io/os/failure.ts';
import {
  findPlayers,
  openPlayer,
  type PlayerFound,
  type PlayerKind,
  preferredPlayer,
} from '../../../io/players/open-player.ts';
import type { Player, SoundTrack } from '../../../io/players/player.ts';
import type { PlayerProcess } from '../../../io/players/player-process.ts';
import { rawFeed } from '../../../io/players/raw-feed.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { codecByName } from '../../../protocol/codec/codecs.ts';
import { optional } from '../../optional.ts';
import { sampleUnits } from '../../sample-units.ts';
import { AAC_CONFIG, soundUnits } from '../../sound-units.ts';
import { onPath, pixelsOn, virtualScreen } from './virtual-screen.ts';

const { serialize: serializeForPlayer } = rawFeed(codecByName('h264'));
const PICTURE = { codecName: 'h264' as const, width: 640, height: 360, title: 'dropframe $1' };
const LINUX_USER = { platform: 'linux', uid: 1000 } as const;
const folders: string[] = [];
const players: Player[] = [];

afterEach(async () => {
  for (const player of players.splice(0)) await player.close();
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

test('finds players on the PATH in order of preference', async () => {
  const folder = programs({ vlc: 'exit 0', mpv: 'exit 0', ffplay: 'exit 0' });
  expect(await findPlayers({ PATH: `/nowhere${delimiter}${folder}`, DISPLAY: ':0' }, LINUX_USER)).toEqual([
    { kind: 'mpv', path: join(folder, 'mpv') },
    { kind: 'ffplay', path: join(folder, 'ffplay') },
    { kind: 'vlc', path: join(folder, 'vlc') },
  ]);
});

test('ignores files that are not executable', async () => {
  const folder = programs({ mpv: 'exit 0' });
  chmodSync(join(folder, 'mpv'), 0o644);
  expect(await findPlayers({ PATH: folder, DISPLAY: ':0' }, LINUX_USER)).toEqual([]);
});

test('finds no usable player without a display on Linux, and all elsewhere', async () => {
  const folder = programs({ mpv: 'exit 0' });
  const [onLinux] = await findPlayers({ PATH: folder }, LINUX_USER);
  expect(onLinux?.obstacle).toMatch(/^there is no display/);
  const [onWayland] = await findPlayers({ PATH: folder, WAYLAND_DISPLAY: 'wayland-0' }, LINUX_USER);
  expect(onWayland?.obstacle).toBeUndefined();
  const [onMac] = await findPlayers({ PATH: folder }, { platform: 'darwin', uid: 501 });
  expect(onMac?.obstacle).toBeUndefined();
});

test('rejects VLC for root, but not the others', async () => {
  const folder = programs({ mpv: 'exit 0', vlc: 'exit 0' });
  const found = await findPlayers({ PATH: folder, DISPLAY: ':0' }, { platform: 'linux', uid: 0 });
  expect(found.map(({ kind, obstacle }) => [kind, obstacle])).toEqual([
    ['mpv', undefined],
    ['vlc', 'VLC refuses to run as root'],
  ]);
});

test('prefers mpv, ffplay, a browser, VLC, and a page without a display', () => {
  const found = (...kinds: PlayerKind[]): PlayerFound[] => kinds.map((kind) => ({ kind, path: kind }));
  const desktop = { browser: true };
  expect(preferredPlayer(found('mpv', 'ffplay', 'vlc'), desktop)).toBe('mpv');
  expect(preferredPlayer(found('ffplay', 'vlc'), desktop)).toBe('ffplay');
  expect(preferredPlayer(found('vlc'), desktop)).toBe('browser');
  expect(preferredPlayer(found('vlc'), { browser: false })).toBe('vlc');
  expect(preferredPlayer([], { browser: false })).toBe('browser');
  expect(preferredPlayer([{ kind: 'mpv', path: 'mpv', obstacle: 'no' }], desktop)).toBe('browser');
});

test('reports a missing or unusable player with an alternative', async () => {
  const folder = programs({ mpv: 'exit 0' });
  await expect(openPlayer('mpv', PICTURE, { PATH: folder }, LINUX_USER)).rejects.toThrow(
    new Failure(
      'mpv cannot be used here: there is no display (DISPLAY and WAYLAND_DISPLAY are not set); ' + 'use --play browser',
      3,
    ),
  );
  await expect(openPlayer('ffplay', PICTURE, { PATH: folder, DISPLAY: ':0' }, LINUX_USER)).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringMatching(/^ffplay is not installed: .* --play browser$/),
  });
});

test('reports a program that cannot be started', async () => {
  const folder = programs({ ffplay: 'exit 0' });
  writeFileSync(join(folder, 'ffplay'), '#!/no/such/interpreter\n');
  await expect(openPlayer('ffplay', PICTURE, { PATH: folder, DISPLAY: ':0' }, LINUX_USER)).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringMatching(/^ffplay cannot be started/),
  });
});

test('writes a picture without its delimiter, with a mark if it is shown, and with the next delimiter', () => {
  const unit: AccessUnit = {
    parts: [Uint8Array.of(0x09, 0x10), Uint8Array.of(0x65, 1), Uint8Array.of(0x65, 2)],
    timestamp: ticks(0),
    decodeTimestamp: ticks(0),
    importance: 'key',
  };
  const picture = [0, 0, 0, 1, 0x65, 1, 0, 0, 0, 1, 0x65, 2, 0, 0, 0, 1, 0x09, 0x30];
  expect([...serializeForPlayer({ ...unit, decodeOnly: true })]).toEqual(picture);
  const marked = serializeForPlayer(unit);
  expect([...marked.subarray(0, 7)]).toEqual([0, 0, 0, 1, 0x06, 5, 16]); // user data unregistered, 16 bytes
  expect(marked[23]).toBe(0x80); // trailing bits
  expect([...marked.subarray(24)]).toEqual(picture);
});

test.each(['mpv', 'ffplay'] as const)(
  'gives %s every picture from the first key frame on, then the end',
  async (kind) => {
    const folder = programs({ [kind]: `cat ${kind === 'mpv' ? '<&3' : ''} | od -An -v -tx1 | tr -d ' \\n' >&2` });
    const player = await opened(kind, folder);
    player.write(unit('reference', 1));
    player.write(unit('key', 2));
    player.write({ ...unit('reference', 3), decodeOnly: true });
    await player.close();
    const mark = `00000001060510${Buffer.from('dropframe: shown').toString('hex')}80`;
    const expected = `${mark}000000016502000000010930000000014103000000010930`;
    expect(await player.exited).toEqual({ code: 0, signal: null, lastErrorLine: expected });
  },
);

test('gives VLC a transport stream', async () => {
  const folder = programs({ vlc: 'wc -c >&2' });
  const player = await opened('vlc', folder);
  player.write(unit('key', 1));
  await player.close();
  expect((await player.exited).lastErrorLine).toBe(String(3 * 188));
});

test('bounds the memory for a player that does not read, and counts its drops', async () => {
  const folder = programs({ ffplay: 'exec sleep 100' });
  const player = await opened('ffplay', folder);
  for (let index = 0; index < 300; index += 1) player.write(unit(index % 30 === 0 ? 'key' : 'reference', 1, 100_000));
  // 2 MB and the picture that exceeds it; the pipe holds at most two more.
  expect(player.dropped).toBeGreaterThan(270);
  expect(player.dropped).toBeLessThan(300);
});

test('counts the sound that a player which does not read misses', async () => {
  const folder = programs({ mpv: 'exec sleep 100' });
  const sound = { codecName: 'aac' as const, parameterSets: [AAC_CONFIG] };
  const player = await opened('mpv', folder, sound);
  const [first, ...rest] = soundUnits('aac', 10);
  player.writeSound(first!);
  // Messages before the first picture are not checked.
  expect(player.droppedSound).toBe(0);
  player.write(unit('key', 1));
  for (const each of rest.slice(0, 4)) player.writeSound(each);
  expect(player.droppedSound).toBe(0);
  for (let index = 0; index < 30; index += 1) player.write(unit('reference', 1, 100_000));
  for (const each of rest.slice(4)) player.writeSound(each);
  expect(player.droppedSound).toBe(5);
});

test('reports a player closed by its user, and discards later pictures', async () => {
  const folder = programs({ ffplay: 'exit 7' });
  const player = await opened('ffplay', folder);
  for (let index = 0; index < 10; index += 1) player.write(unit('key', 1, 100_000));
  expect(await player.exited).toEqual({ code: 7, signal: null, lastErrorLine: '' });
  player.write(unit('key', 1, 100_000));
  await player.close();
});

test('kills a player that ignores the end of its input and SIGTERM', async () => {
  const folder = programs({ ffplay: "trap '' TERM\necho ready >&2\nwhile :; do sleep 0.05; done" });
  const player = await opened('ffplay', folder);
  await Promise.all([player.close(), player.close()]);
  expect(await player.exited).toMatchObject({ code: null });
  expect(isRunning(player)).toBe(false);
});

test('reports the exit of a player that leaves a child process behind', async () => {
  const folder = programs({ ffplay: 'sleep 5 &\necho goodbye >&2' });
  const player = await opened('ffplay', folder);
  expect(await player.exited).toEqual({ code: 0, signal: null, lastErrorLine: 'goodbye' });
});

test('removes control characters from a title', async () => {
  const folder = programs({ ffplay: 'printf "%s\\n" "$@" | grep -c dropframe >&2' });
  const player = await openPlayer(
    'ffplay',
    { ...PICTURE, title: 'dropframe\u0000\u001b[2J\ndropframe' },
    { PATH: `${folder}${delimiter}${process.env.PATH}`, DISPLAY: ':0' },
    LINUX_USER,
  );
  players.push(player);
  expect((await player.exited).lastErrorLine).toBe('1');
});

for (const kind of ['mpv', 'ffplay'] as const) {
  const present = onPath(kind) && onPath('Xvfb') && onPath('xwd');
  optional(`${kind}, Xvfb and xwd`, present)(
    `shows the clip in ${kind} on a real screen, and stops it on close`,
    async () => {
      const screen = await virtualScreen();
      try {
        const environment = { ...process.env, DISPLAY: screen.display, WAYLAND_DISPLAY: undefined };
        expect(await colorsOn(screen.display)).toBe(1);
        const player = await openPlayer(kind, PICTURE, environment);
        players.push(player);
        let colors = 0;
        // At the clip's own frame rate until a picture is shown; the time limit of the test is the bound.
        for (const unit of repeated(sampleUnits())) {
          player.write(unit);
          player.showText?.('loss 5 %');
          await new Promise((resolve) => setTimeout(resolve, 33));
          colors = unit.importance === 'key' ? await colorsOn(screen.display) : colors;
          if (colors > 200) break;
        }
        expect(isRunning(player)).toBe(true);
        await player.close();
        // On a busy machine a signal follows before the player reads the end of its input: mpv then exits with 4,
        // ffplay with 123.
        expect([0, 4, 123]).toContain((await player.exited).code);
        expect(isRunning(player)).toBe(false);
      } finally {
        screen.close();
      }
    },
  );
}

function unit(importance: AccessUnit['importance'], mark: number, bytes = 2): AccessUnit {
  const nalUnit = new Uint8Array(bytes).fill(mark);
  nalUnit[0] = importance === 'key' ? 0x65 : 0x41;
  return { parts: [nalUnit], timestamp: ticks(0), decodeTimestamp: ticks(0), importance };
}

function* repeated(units: readonly AccessUnit[]): Generator<AccessUnit> {
  for (;;) yield* units;
}

/** Creates a folder of shell scripts in place of players. */
function programs(scripts: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'dropframe-programs-'));
  folders.push(folder);
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

async function opened(kind: PlayerKind, folder: string, sound?: SoundTrack): Promise<Player> {
  const environment = { PATH: `${folder}${delimiter}${process.env.PATH}`, DISPLAY: ':0' };
  const player = await openPlayer(kind, { ...PICTURE, sound }, environment, LINUX_USER);
  players.push(player);
  return player;
}

function isRunning(player: Player): boolean {
  try {
    process.kill((player as PlayerProcess).processId ?? Number.NaN, 0);
    return true;
  } catch {
    return false;
  }
}

/** Number of distinct colors in a sample of the screen; 1 for a blank screen. */
const colorsOn = async (display: string): Promise<number> => new Set(await pixelsOn(display)).size;

test('leaves nothing in the temporary folder', async () => {
  const folder = programs({ mpv: 'printf "%s\\n" "$@" | grep input-ipc-server | cut -d= -f2 >&2' });
  const player = await opened('mpv', folder);
  const socket = (await player.exited).lastErrorLine;
  expect(socket).toMatch(/dropframe-mpv-/);
  expect(existsSync(join(socket, '..'))).toBe(false);
});
