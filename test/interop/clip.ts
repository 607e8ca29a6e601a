import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { MediaSource } from '../../io/sources/media-source.ts';
import { openMediaSource } from '../../io/sources/open-source.ts';
import { SAMPLES } from '../io/sources/media.ts';
import { untilRead } from './programs.ts';

/** Returns the first frames of a sample; the MP4 file has B-frames, the raw one has none. */
export async function clip(file: string, frames: number): Promise<MediaSource> {
  const options = { encode: 'copy', bitrate: 1_000_000, gop: 30, warn: () => {} } as const;
  const source = await openMediaSource(join(SAMPLES, file), options);
  onTestFinished(() => source.close());
  return {
    description: source.description,
    close: () => source.close(),
    async *units() {
      let count = 0;
      for await (const unit of source.units()) {
        yield unit;
        if (++count === frames) return;
      }
    },
  };
}

/**
 * Returns the same source at the speed of a program that reads from a UDP port: each frame comes once the program has read
 * what was sent before, and the end once it has read everything. Live, so that no frame is read ahead.
 */
export function atSpeedOfReader(source: MediaSource, port: number): MediaSource {
  return {
    description: { ...source.description, isLive: true },
    close: () => source.close(),
    async *units() {
      for await (const unit of source.units()) {
        yield unit;
        await untilRead(port);
      }
    },
  };
}
