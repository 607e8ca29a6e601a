import { ticks } from '../../protocol/base/units.ts';
import { TransportStreamWriter } from '../../protocol/transport-stream.ts';
import type { Picture } from './player.ts';
import type { PlayerCommand } from './player-process.ts';

/**
 * Command line of VLC without its interface: 182 ms from write to screen. VLC needs a clock, so it gets MPEG-TS. A
 * cache below 100 ms drops frames without any loss, and `--clock-jitter=0` freezes it after one frame.
 */
export function vlcCommand(path: string, picture: Picture): PlayerCommand {
  const flags = '--no-audio --no-video-title-show --no-osd --play-and-exit --file-caching=100 --demux=ts';
  const writer = new TransportStreamWriter({ clockLead: ticks(0) });
  return {
    name: 'VLC',
    path,
    // `-I dummy` is all that the wrapper script cvlc adds.
    arguments: ['-I', 'dummy', ...flags.split(' '), `--video-title=${picture.title}`, '-'],
    inputDescriptor: 0,
    serialize: (unit) => writer.write(unit),
  };
}
