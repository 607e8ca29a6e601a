import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect } from 'vitest';
import { openPlayer } from '../../../io/players/open-player.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { oneKeyFilm } from '../../one-key-film.ts';
import { optional } from '../../optional.ts';
import { sampleUnits } from '../../sample-units.ts';
import { temporaryFolder } from '../sources/media.ts';
import { onPath, pixelsOn, virtualScreen } from './virtual-screen.ts';

const PICTURE = { codecName: 'h264' as const, width: 640, height: 360, title: 'dropframe' };
/**
 * Number of frames before, in and after the burst. The player opens during the first ones, and has the last ones, 40 s, to
 * catch up on a machine that does other things; they end when it has.
 */
const [BEFORE, BURST, AFTER] = [60, 90, 1_200];
/** Gray level of each part of the clip. */
const SHADES = { before: 70, burst: 140, after: 210 };
const FRAME_MS = 1_000 / 30;
const PROGRAMS = ['Xvfb', 'xwd', 'ffmpeg'];

const root = process.getuid?.() === 0;

for (const kind of ['mpv', 'ffplay'] as const) {
  optional(`${kind}, Xvfb, xwd and ffmpeg`, [kind, ...PROGRAMS].every(onPath))(
    `${kind} continues after a burst of late frames, and shows none of the decode-only ones`,
    async () => {
      const seen = await shadesSeen(kind);
      expect(seen).toContain(SHADES.after);
      expect(seen).not.toContain(SHADES.burst);
    },
  );
}

optional(
  'VLC, Xvfb, xwd, ffmpeg and, for root, setpriv',
  ['vlc', ...PROGRAMS, ...(root ? ['setpriv'] : [])].every(onPath),
)('VLC continues after a burst of late frames on a film with one key frame', async () => {
  expect(await shadesSeen('vlc')).toContain(SHADES.after);
});

/** Plays a film with one key frame, three seconds of which come late and at once. @returns the shades seen from then on. */
async function shadesSeen(kind: 'mpv' | 'ffplay' | 'vlc'): Promise<readonly number[]> {
  const units = filmWithOneKeyFrame();
  const screen = await virtualScreen();
  const environment = { ...process.env, PATH: pathFor(kind), DISPLAY: screen.display, WAYLAND_DISPLAY: undefined };
  const player = await openPlayer(kind, PICTURE, environment, { platform: process.platform, uid: 1_000 });
  try {
    const startsAt = performance.now() + FRAME_MS;
    const seen = new Set<number>();
    const write = async (from: number, to: number, mark: { readonly decodeOnly?: true } = {}) => {
      for (const [index, unit] of units.slice(from, to).entries()) {
        if (seen.has(SHADES.after)) return;
        // A burst comes at once when its last frame is due, everything else in its own time.
        const dueAt = startsAt + (mark.decodeOnly ? to : from + index) * FRAME_MS;
        await sleep(Math.max(0, dueAt - performance.now()));
        player.write({ ...unit, ...mark });
      }
    };
    const look = async () => {
      for (const shade of await shadesOn(screen.display)) seen.add(shade);
    };
    await write(0, BEFORE);
    while (!seen.has(SHADES.before)) await look();
    await write(BEFORE, BEFORE + BURST, { decodeOnly: true });
    let isWritten = false;
    const written = write(BEFORE + BURST, units.length).then(() => {
      isWritten = true;
    });
    while (!seen.has(SHADES.after) && !isWritten) await look();
    await written;
    return [...seen];
  } finally {
    await player.close();
    screen.close();
  }
}

/** The PATH; VLC refuses to run as root, and is then started as another user. */
function pathFor(kind: string): string {
  const path = process.env.PATH ?? '';
  if (kind !== 'vlc' || !root) return path;
  const folder = temporaryFolder();
  chmodSync(folder, 0o777);
  const vlc = execFileSync('which', ['vlc'], { encoding: 'utf8' }).trim();
  const user = 'setpriv --reuid=65534 --regid=65534 --clear-groups';
  writeFileSync(join(folder, 'vlc'), `#!/bin/sh\nHOME=${folder} exec ${user} ${vlc} "$@"\n`, { mode: 0o755 });
  return `${folder}${delimiter}${path}`;
}

function filmWithOneKeyFrame(): readonly AccessUnit[] {
  const gray = `if(lt(N,${BEFORE}),${SHADES.before},if(lt(N,${BEFORE + BURST}),${SHADES.burst},${SHADES.after}))`;
  const units = sampleUnits(oneKeyFilm({ frames: BEFORE + BURST + AFTER, gray }));
  expect(units.filter(({ importance }) => importance === 'key')).toHaveLength(1);
  return units;
}

/** Shades of the clip that cover a visible part of the screen. */
async function shadesOn(display: string): Promise<readonly number[]> {
  const pixels = (await pixelsOn(display)).map((pixel) => pixel & 0xff);
  return Object.values(SHADES).filter((shade) => {
    return pixels.filter((value) => Math.abs(value - shade) <= 12).length > pixels.length / 10;
  });
}

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
