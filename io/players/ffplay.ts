import type { Picture } from './player.ts';
import { playerFeed } from './player-feed.ts';
import type { PlayerCommand } from './player-process.ts';

/** Limits of what is read to learn the formats, bytes and microseconds; it ends with the first picture and sound. */
const PROBE = '-probesize 500000 -analyzeduration 1000000';

/** Rotations clockwise as filters of FFmpeg. */
const TURNS = { 90: 'transpose=clock', 180: 'hflip,vflip', 270: 'transpose=cclock' } as const;

/**
 * Command line of ffplay: 58 ms from write to screen. `-fflags nobuffer` is not used, because it discards everything
 * before the second key frame. `setpts=0` shows each picture once it is decoded; raw Annex B has no timestamps to wait
 * for. With sound, pictures follow the sound by their times.
 */
export function ffplayCommand(path: string, picture: Picture): PlayerCommand {
  const { demuxer, shownOnly, hasSound, ...feed } = playerFeed(picture);
  const flags = '-hide_banner -loglevel warning -nostats -autoexit -flags low_delay -framedrop';
  const turn = picture.rotation ? [TURNS[picture.rotation]] : [];
  const shown = shownOnly === undefined ? [] : [shownOnly];
  const filters = hasSound ? turn : [...shown, 'setpts=0', ...turn];
  const timing = hasSound ? `-sync audio ${PROBE}` : '-probesize 32 -analyzeduration 0 -sync ext';
  const filtering = filters.length === 0 ? [] : ['-vf', filters.join(',')];
  return {
    name: 'ffplay',
    path,
    arguments: [
      ...`${flags} ${timing}`.split(' '),
      ...filtering,
      '-window_title',
      picture.title,
      '-f',
      demuxer,
      '-i',
      '-',
    ],
    inputDescriptor: 0,
    ...feed,
  };
}
