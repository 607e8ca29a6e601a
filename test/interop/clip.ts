import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { MediaSource } from '../../io/sources/media-source.ts';
import { openMediaSource } from '../../io/sources/open-source.ts';
import { SAMPLES } from '../io/sources/media.ts';

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
