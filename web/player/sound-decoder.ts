import { ticksToMicroseconds } from '../../protocol/base/units.ts';
import type { PageSound, PageSoundDescription } from '../../protocol/page/page-message.ts';
import type { SoundChunk } from './sound-buffer.ts';

/** Frames that wait for the decoder at most: two seconds of AAC. More of them are dropped. */
const QUEUE_FRAMES_MAX = 100;
/** Difference of times that counts as rounding, microseconds. */
const ROUNDING_US = 2_000;

/** Decodes sound with WebCodecs, and keeps the media times of its frames. */
export class SoundDecoder {
  readonly #description: PageSoundDescription;
  readonly #take: (chunk: SoundChunk) => void;
  #decoder: AudioDecoder | undefined;
  /**
   * Frames in the decoder, in order: its own time, which counts on without gaps, and their media time, microseconds.
   * Chromium's decoder counts on from its first frame, whatever is missing later.
   */
  #decoding: { readonly ownUs: number; readonly mediaUs: number }[] = [];
  #ownUs = 0;

  /** @param take called with decoded sound, of at most two channels. */
  constructor(description: PageSoundDescription, take: (chunk: SoundChunk) => void) {
    this.#description = description;
    this.#take = take;
  }

  /** True when this browser can decode such sound. */
  static async supports({ codec, sampleRate, channels }: PageSoundDescription): Promise<boolean> {
    if (!('AudioDecoder' in globalThis)) return false;
    const answer = await AudioDecoder.isConfigSupported({ codec, sampleRate, numberOfChannels: channels }).catch(
      () => undefined,
    );
    return answer?.supported === true;
  }

  push({ timestamp, durationMs, payload }: Pick<PageSound, 'timestamp' | 'durationMs' | 'payload'>): void {
    if (this.#decoder?.state !== 'configured') this.#decoder = this.#open();
    if (this.#decoder.decodeQueueSize > QUEUE_FRAMES_MAX) return;
    const ownUs = Math.round(this.#ownUs);
    this.#decoding.push({ ownUs, mediaUs: ticksToMicroseconds(timestamp) });
    this.#decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp: ownUs, data: payload }));
    this.#ownUs += durationMs * 1_000;
  }

  close(): void {
    if (this.#decoder && this.#decoder.state !== 'closed') this.#decoder.close();
    this.#decoder = undefined;
  }

  #open(): AudioDecoder {
    const { codec, sampleRate, channels, configuration } = this.#description;
    this.#decoding = [];
    this.#ownUs = 0;
    const decoder = new AudioDecoder({
      output: (sound) => this.#decoded(sound),
      // The next frame opens another one: each frame of sound is decoded by itself.
      error: () => {},
    });
    decoder.configure({
      codec,
      sampleRate,
      numberOfChannels: channels,
      ...(configuration && { description: Uint8Array.from(configuration) }),
    });
    return decoder;
  }

  #decoded(sound: AudioData): void {
    const { timestamp, numberOfChannels, numberOfFrames } = sound;
    while (this.#decoding[0] && this.#decoding[0].ownUs < timestamp - ROUNDING_US) this.#decoding.shift();
    const known = this.#decoding[0];
    if (!known) return sound.close();
    const timeUs = known.mediaUs + timestamp - known.ownUs;
    const channels = Array.from({ length: Math.min(2, numberOfChannels) }, (_, planeIndex) => {
      const samples = new Float32Array(numberOfFrames);
      sound.copyTo(samples, { planeIndex, format: 'f32-planar' });
      return samples;
    });
    sound.close();
    this.#take({ timeUs, channels });
  }
}
