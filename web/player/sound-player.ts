import { ticksToMicroseconds } from '../../protocol/base/units.ts';
import type { PageSound, PageSoundDescription } from '../../protocol/page/page-message.ts';
import type { SoundInput, SoundReport } from './sound-worklet.ts';

/** Frames that wait for the decoder at most: two seconds of AAC. More of them are dropped. */
const QUEUE_FRAMES_MAX = 100;
/** Difference of times that counts as rounding, microseconds. */
const ROUNDING_US = 2_000;
/** Age of a report above which nothing is known of what is heard, milliseconds. */
const REPORT_MS_MAX = 500;

export type SoundState = 'none' | 'unable' | 'off' | 'on';

/** Decodes sound with WebCodecs and plays it with an AudioWorklet, once the user has asked for it. */
export class SoundPlayer {
  #description: PageSoundDescription | undefined;
  #decoder: AudioDecoder | undefined;
  #context: AudioContext | undefined;
  #node: AudioWorkletNode | undefined;
  #report: SoundReport | undefined;
  #reportedAt = Number.NEGATIVE_INFINITY;
  /**
   * Frames in the decoder, in order: its own time, which counts on without gaps, and their media time, microseconds.
   * Chromium's decoder counts on from its first frame, whatever is missing later.
   */
  #decoding: { readonly ownUs: number; readonly mediaUs: number }[] = [];
  #ownUs = 0;
  #isUnable = false;
  #isOn = false;
  readonly #changed: () => void;

  /** @param changed called when `state` has changed. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get state(): SoundState {
    if (!this.#description) return 'none';
    if (this.#isUnable) return 'unable';
    return this.#isOn ? 'on' : 'off';
  }

  /** The newest report of the worklet; `undefined` while off. */
  get report(): SoundReport | undefined {
    return this.#isOn ? this.#report : undefined;
  }

  /** The node that leads to the loudspeaker; `undefined` before the sound was first on. */
  get output(): AudioNode | undefined {
    return this.#node;
  }

  /** Media time that is heard now, microseconds; `undefined` while nothing is heard. */
  get heardUs(): number | undefined {
    const report = this.report;
    const nowMs = performance.now();
    if (!this.#context || report?.mediaUs === undefined || nowMs - this.#reportedAt > REPORT_MS_MAX) return undefined;
    return report.mediaUs + (this.#heardSeconds(this.#context, nowMs) - report.contextSeconds) * 1e6;
  }

  /** Takes over the sound of a stream. @param description `undefined` without sound. */
  async describe(description: PageSoundDescription | undefined): Promise<void> {
    const isSame = JSON.stringify(description) === JSON.stringify(this.#description);
    this.#description = description;
    this.#post('clear');
    if (isSame) return;
    this.#closeDecoder();
    this.#isUnable = false;
    const isUnable = description !== undefined && !(await canDecode(description));
    if (description !== this.#description) return;
    this.#isUnable = isUnable;
    if (this.#isOn && description) await this.#open(description);
    this.#changed();
  }

  push({ timestamp, durationMs, payload }: PageSound): void {
    const description = this.#description;
    if (!this.#isOn || this.#isUnable || !description) return;
    if (this.#decoder?.state !== 'configured') this.#decoder = this.#openDecoder(description);
    if (this.#decoder.decodeQueueSize > QUEUE_FRAMES_MAX) return;
    const ownUs = Math.round(this.#ownUs);
    this.#decoding.push({ ownUs, mediaUs: ticksToMicroseconds(timestamp) });
    this.#decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp: ownUs, data: payload }));
    this.#ownUs += durationMs * 1_000;
  }

  /** Switches the sound on or off. Browsers allow it on a click or a key only. */
  async toggle(): Promise<void> {
    if (!this.#description || this.#isUnable) return;
    this.#isOn = !this.#isOn;
    if (this.#isOn) await this.#open(this.#description);
    else {
      this.silence();
      void this.#context?.suspend();
    }
    this.#changed();
  }

  /** Forgets what waits: playing begins again with what comes. */
  silence(): void {
    this.#post('clear');
    this.#report = undefined;
    this.#closeDecoder();
  }

  async #open({ sampleRate, channels }: PageSoundDescription): Promise<void> {
    if (this.#context?.sampleRate !== sampleRate) {
      await this.#context?.close();
      this.#context = undefined;
      // At the rate of the stream, so that nothing is resampled here.
      const context = new AudioContext({ sampleRate, latencyHint: 'interactive' });
      try {
        await context.audioWorklet.addModule(new URL('./sound-worklet.js', import.meta.url));
      } catch {
        this.#isUnable = true;
        return await context.close();
      }
      const node = new AudioWorkletNode(context, 'dropframe-sound', {
        numberOfInputs: 0,
        outputChannelCount: [Math.min(2, channels)],
      });
      node.port.onmessage = ({ data }: MessageEvent<SoundReport>) => {
        this.#report = data;
        this.#reportedAt = performance.now();
      };
      node.connect(context.destination);
      this.#context = context;
      this.#node = node;
    }
    await this.#context.resume();
  }

  #openDecoder({ codec, sampleRate, channels, configuration }: PageSoundDescription): AudioDecoder {
    this.#decoding = [];
    this.#ownUs = 0;
    const decoder = new AudioDecoder({
      output: (sound) => this.#take(sound),
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

  #closeDecoder(): void {
    if (this.#decoder && this.#decoder.state !== 'closed') this.#decoder.close();
    this.#decoder = undefined;
  }

  #take(sound: AudioData): void {
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
    this.#post({ timeUs, channels });
  }

  #post(input: SoundInput): void {
    this.#node?.port.postMessage(input);
  }

  /** Time of the context whose sound leaves the loudspeaker at a time of the page, seconds. */
  #heardSeconds(context: AudioContext, nowMs: number): number {
    const { contextTime = 0, performanceTime = 0 } = context.getOutputTimestamp();
    if (performanceTime > 0) return contextTime + (nowMs - performanceTime) / 1_000;
    return context.currentTime - (context.outputLatency || context.baseLatency);
  }
}

async function canDecode({ codec, sampleRate, channels }: PageSoundDescription): Promise<boolean> {
  if (!('AudioDecoder' in globalThis) || !('AudioWorkletNode' in globalThis)) return false;
  const answer = await AudioDecoder.isConfigSupported({ codec, sampleRate, numberOfChannels: channels }).catch(
    () => undefined,
  );
  return answer?.supported === true;
}
