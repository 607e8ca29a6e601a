import type { Picture } from './player.ts';
import { playerFeed } from './player-feed.ts';
import type { PlayerCommand } from './player-process.ts';

/** Limits of what is read to learn the formats, bytes and microseconds; it ends with the first picture and sound. */
const PROBE = '-probesize 500000 -analyzeduration 1000000';

/**
 * Command line of ffplay: 58 ms from write to screen. `-fflags nobuffer` is not used, because it discards everything
 * before the second key frame. `setpts=0` shows each picture once it is decoded; raw Annex B has no timestamps to wait
 * for. With sound, pictures follow the sound by their times.
 */
export function ffplayCommand(path: string, picture: Picture): PlayerCommand {
  const { demuxer, shownOnly, ...feed } = playerFeed(picture);
  const flags = '-hide_banner -loglevel warning -nostats -autoexit -flags low_delay -framedrop';
  const timing =
    shownOnly === undefined
      ? `-sync audio ${PROBE}`
      : `-probesize 32 -analyzeduration 0 -sync ext -vf ${shownOnly},setpts=0`;
  return {
    name: 'ffplay',
    path,
    arguments: [...`${flags} ${timing}`.split(' '), '-window_title', picture.title, '-f', demuxer, '-i', '-'],
    inputDescriptor: 0,
    ...feed,
  };
}
