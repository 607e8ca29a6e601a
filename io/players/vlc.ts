import type { AccessUnit } from '../../protocol/access-unit.ts';
import { CLOCK_RATE, type Ticks, ticks } from '../../protocol/base/units.ts';
import type { Codec } from '../../protocol/codec/codec.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { type TransportStreamSound, TransportStreamWriter } from '../../protocol/transport-stream.ts';
import type { Picture } from './player.ts';
import { isSoundAlone, muxableSound, playerFeed } from './player-feed.ts';
import type { PlayerCommand } from './player-process.ts';

/**
 * Command line of VLC without its interface: 182 ms from write to screen. VLC needs a clock, so it gets MPEG-TS. A
 * cache below 100 ms drops frames without any loss, and `--clock-jitter=0` freezes it after one frame.
 * `--no-avcodec-hurry-up`: late frames are decoded in full, since later ones refer to them.
 */
export function vlcCommand(path: string, picture: Picture): PlayerCommand {
  const sound = muxableSound(picture);
  const flags = '--no-video-title-show --no-osd --play-and-exit --file-caching=100 --demux=ts --no-avcodec-hurry-up';
  if (!codecByName(picture.codecName).transportStream) return matroskaCommand(path, picture);
  const feed = new VlcFeed(codecByName(picture.codecName), sound, picture.parameterSets);
  return {
    name: 'VLC',
    path,
    // `-I dummy` is all that the wrapper script cvlc adds.
    arguments: [
      '-I',
      'dummy',
      ...(sound || isSoundAlone(picture) ? [] : ['--no-audio']),
      ...flags.split(' '),
      ...rotating(picture),
      `--video-title=${picture.title}`,
      '-',
    ],
    inputDescriptor: 0,
    serialize: (unit) => feed.write(performance.now(), unit),
    ...(sound && { serializeSound: (unit) => feed.writeSound(unit) }),
    idle: { intervalMs: IDLE_MS / 2, serialize: () => feed.idle(performance.now()) },
  };
}

/**
 * Command line for a codec that MPEG-TS does not hold: VLC reads Matroska from a pipe
 * only through FFmpeg, and follows its times.
 */
function matroskaCommand(path: string, picture: Picture): PlayerCommand {
  const { serialize, serializeSound, hasSound } = playerFeed(picture);
  const flags = '-I dummy --no-video-title-show --no-osd --play-and-exit --file-caching=100 --demux=avformat';
  return {
    name: 'VLC',
    path,
    arguments: [
      ...flags.split(' '),
      ...(hasSound ? [] : ['--no-audio']),
      ...rotating(picture),
      `--video-title=${picture.title}`,
      '-',
    ],
    inputDescriptor: 0,
    serialize,
    ...(serializeSound && { serializeSound }),
  };
}

/** VLC's angle is clockwise too. */
const rotating = ({ rotation }: Picture): string[] =>
  rotation ? ['--video-filter=transform', `--transform-type=${rotation}`] : [];

/** Time without a picture after which the clock is written alone, milliseconds: a part of VLC's cache. */
const IDLE_MS = 40;
/** Time without a picture after which the clock stops, milliseconds: longer than a frame is mended. */
const PAUSE_MS = 10_000;
/** A picture this far behind the clock is in time: the clock follows it. */
const LATE_MIN = ticks((IDLE_MS * CLOCK_RATE) / 1_000);
/** A picture this far behind the clock belongs to another timeline. */
const BEHIND_MAX = ticks(10 * CLOCK_RATE);

/**
 * Transport stream whose clock advances while no picture arrives. VLC flushes its decoder when the clock is late, and
 * then shows nothing up to the next key frame. With an advancing clock, a burst of late pictures is decoded, and VLC
 * itself drops them before the screen.
 */
export class VlcFeed {
  readonly #writer: TransportStreamWriter;
  #last: { readonly atMs: number; readonly clock: Ticks } | undefined;
  #writtenAtMs = 0;

  constructor(codec: Codec, sound?: TransportStreamSound, parameterSets: readonly Uint8Array[] = []) {
    this.#writer = new TransportStreamWriter({ clockLead: ticks(0), codec, parameterSets, ...(sound && { sound }) });
  }

  /** Returns a unit of the sound; the clock is that of the pictures. */
  writeSound(unit: AccessUnit): Uint8Array {
    return this.#writer.writeSound(unit);
  }

  write(nowMs: number, unit: AccessUnit): Uint8Array {
    const behind = (this.#clockAt(nowMs) ?? unit.decodeTimestamp) - unit.decodeTimestamp;
    if (behind > BEHIND_MAX) this.#writer.restartClock();
    if (behind > BEHIND_MAX || behind <= LATE_MIN) this.#last = { atMs: nowMs, clock: unit.decodeTimestamp };
    this.#writtenAtMs = nowMs;
    return this.#writer.write(unit);
  }

  /** Returns the clock alone when no picture has arrived for a while. */
  idle(nowMs: number): Uint8Array | undefined {
    const clock = this.#clockAt(nowMs);
    if (clock === undefined || nowMs - this.#writtenAtMs < IDLE_MS) return undefined;
    this.#writtenAtMs = nowMs;
    return this.#writer.writeClock(clock);
  }

  /** Clock extrapolated from the newest picture; `undefined` before the first and in a pause. */
  #clockAt(nowMs: number): Ticks | undefined {
    if (this.#last === undefined || nowMs - this.#last.atMs > PAUSE_MS) return undefined;
    return ticks(this.#last.clock + Math.round(((nowMs - this.#last.atMs) * CLOCK_RATE) / 1_000));
  }
}
