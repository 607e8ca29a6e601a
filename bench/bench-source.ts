import { basename } from 'node:path';
import type { MediaSource } from '../io/sources/media-source.ts';
import { openMediaSource } from '../io/sources/open-source.ts';
import type { AccessUnit } from '../protocol/access-unit.ts';
import { CLOCK_RATE, ticks } from '../protocol/base/units.ts';
import { SyntheticStream } from '../sim/synthetic-stream.ts';

export const FRAMES_PER_SECOND = 30;
const KEY_INTERVAL = 30;

/** Opens `synthetic=500` (equal access units at 500 Mb/s) or a file, copied without transcoding. */
export async function openBenchSource(input: string): Promise<MediaSource> {
  const rate = /^synthetic=(\d+)$/.exec(input)?.[1];
  if (rate !== undefined) return syntheticSource(Number(rate));
  return await openMediaSource(input, { encode: 'copy', bitrate: 0, gop: 0, warn: () => {} });
}

/** One second of access units, prepared in advance, so that only their transmission is measured. */
function syntheticSource(megabitsPerSecond: number): MediaSource {
  const frameBytes = Math.round((megabitsPerSecond * 1e6) / 8 / FRAMES_PER_SECOND);
  const stream = new SyntheticStream({
    framesPerSecond: FRAMES_PER_SECOND,
    frameBytes,
    keyFrameBytes: frameBytes,
    keyInterval: KEY_INTERVAL,
    frames: KEY_INTERVAL,
    seed: 1,
  });
  const units: AccessUnit[] = [];
  for (let unit = stream.next(); unit; unit = stream.next()) units.push(unit);
  return {
    description: {
      name: basename(`synthetic-${megabitsPerSecond}`),
      codecName: 'h264',
      codec: 'avc1.640028',
      width: 1920,
      height: 1080,
      framesPerSecond: FRAMES_PER_SECOND,
      durationSeconds: undefined,
      mode: 'copy',
      parameterSets: [],
    },
    units: async function* () {
      const round = (KEY_INTERVAL * CLOCK_RATE) / FRAMES_PER_SECOND;
      for (let offset = 0; ; offset += round) {
        for (const unit of units) {
          const timestamp = ticks(unit.timestamp + offset);
          yield { ...unit, timestamp, decodeTimestamp: ticks(unit.decodeTimestamp + offset) };
        }
      }
    },
    close: async () => {},
  };
}
