import { Failure } from '../os/failure.ts';
import type { MediaSource } from './media-source.ts';
import { openPictures } from './open-pictures.ts';
import { openSound, type SoundWishes } from './open-sound.ts';
import type { PictureSourceOptions } from './picture-source-options.ts';

export interface MediaSourceOptions extends PictureSourceOptions {
  /** Sound to read beside the pictures; `undefined`: none. */
  readonly sound?: SoundWishes | undefined;
  /** Called with one line about what is done to the sound. */
  readonly inform?: ((message: string) => void) | undefined;
}

/**
 * Opens a file, a URL or `testsrc` (see `parseTestPattern`). When it resolves, the first access unit has been read.
 * @throws {Failure} in one line for an input that cannot be streamed, or a sound track that is not there.
 */
export async function openMediaSource(input: string, options: MediaSourceOptions): Promise<MediaSource> {
  const pictures = await openPictures(input, options);
  if (!options.sound) return pictures;
  try {
    const sound = await openSound(input, pictures, { ...options, sound: options.sound });
    return sound ? joined(pictures, sound) : pictures;
  } catch (error) {
    await pictures.close();
    if (error instanceof Failure) throw error;
    throw new Failure(`${input}: its sound cannot be read: ${(error as Error).message}`);
  }
}

/** One source of pictures and sound. */
function joined(pictures: MediaSource, sound: Awaited<ReturnType<typeof openSound>>): MediaSource {
  return {
    get description() {
      return pictures.description;
    },
    get adaptive() {
      return pictures.adaptive;
    },
    sound,
    units: () => pictures.units(),
    close: async () => {
      sound?.close();
      await pictures.close();
    },
  };
}
