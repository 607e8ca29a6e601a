import { codecByName } from '../../protocol/codec/codecs.ts';
import type { Picture } from './player.ts';
import type { PlayerCommand } from './player-process.ts';
import { rawFeed } from './raw-feed.ts';

/**
 * Command line of ffplay: 58 ms from write to screen. `-fflags nobuffer` is not used, because it discards everything
 * before the second key frame. `setpts=0` shows each picture once it is decoded; raw Annex B has no timestamps to wait
 * for.
 */
export function ffplayCommand(path: string, picture: Picture): PlayerCommand {
  const { demuxer, shownOnly, serialize } = rawFeed(codecByName(picture.codecName));
  const flags =
    '-hide_banner -loglevel warning -nostats -autoexit -flags low_delay -framedrop -probesize 32 -analyzeduration 0 ' +
    `-sync ext -vf ${shownOnly},setpts=0`;
  return {
    name: 'ffplay',
    path,
    arguments: [...flags.split(' '), '-window_title', picture.title, '-f', demuxer, '-i', '-'],
    inputDescriptor: 0,
    serialize,
  };
}
