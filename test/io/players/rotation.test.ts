import { expect, test } from 'vitest';
import { ffplayCommand } from '../../../io/players/ffplay.ts';
import { mpvCommand } from '../../../io/players/mpv.ts';
import type { Picture } from '../../../io/players/player.ts';
import { vlcCommand } from '../../../io/players/vlc.ts';
import { OPUS_HEAD } from '../../sound-units.ts';

const PICTURE: Picture = { codecName: 'h264', width: 64, height: 36, title: 'a' };
const MPV = { overlay: '/tmp/socket', x11: false, inherits: true };

const commands = (picture: Picture) =>
  [mpvCommand('mpv', picture, MPV), ffplayCommand('ffplay', picture), vlcCommand('vlc', picture)].map((command) =>
    command.arguments.join(' '),
  );

test.each([
  [90, 'transpose=clock'],
  [180, 'hflip,vflip'],
  [270, 'transpose=cclock'],
] as const)('players turn pictures of %i°, with and without sound', (rotation, filter) => {
  const sound = { codecName: 'opus', parameterSets: [OPUS_HEAD] } as const;
  for (const picture of [
    { ...PICTURE, rotation },
    { ...PICTURE, rotation, sound },
  ]) {
    const [mpv, ffplay, vlc] = commands(picture);
    expect(mpv).toContain(`--video-rotate=${rotation} `);
    expect(ffplay).toMatch(new RegExp(` -vf (\\S+,)?${filter} `));
    expect(vlc).toContain(`--video-filter=transform --transform-type=${rotation} `);
  }
});

test('players leave upright pictures alone', () => {
  expect(commands(PICTURE).join(' ')).not.toMatch(/rotate|transpose|transform/);
});
