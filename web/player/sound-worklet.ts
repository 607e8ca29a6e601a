import { SoundBuffer, type SoundChunk } from './sound-buffer.ts';

/** From the worklet to the page, about twenty times a second. */
export interface SoundReport {
  /** Time of the audio context, seconds, at which the sound with `mediaUs` begins to leave the buffer. */
  readonly contextSeconds: number;
  /** Media time, microseconds; `undefined` while nothing plays. */
  readonly mediaUs: number | undefined;
  /** Largest sample since the last report, 0 to 1. */
  readonly peak: number;
  readonly bufferedMs: number;
  readonly concealedMs: number;
  readonly cutMs: number;
  /** Parts per million by which sound is played faster, to follow the sender's clock; negative: slower. */
  readonly correctionPpm: number;
}

/** To the worklet: decoded sound, `clear` to begin anew, or a port from which both come as well. */
export type SoundInput = SoundChunk | 'clear' | { readonly port: MessagePort };

/** Blocks of 128 samples between two reports. */
const REPORT_BLOCKS = 18;

/** The part of `AudioWorkletGlobalScope` (Web Audio API §1.32) that is used here; the DOM's types do not have it. */
declare const sampleRate: number;
declare const currentTime: number;
declare function registerProcessor(name: string, processor: new () => Processor): void;
declare const AudioWorkletProcessor: new () => { readonly port: MessagePort };

interface Processor {
  process(inputs: readonly (readonly Float32Array[])[], outputs: readonly (readonly Float32Array[])[]): boolean;
}

/** Plays decoded sound beside the page's own thread. */
class SoundProcessor extends AudioWorkletProcessor implements Processor {
  readonly #buffer = new SoundBuffer(sampleRate);
  #blocks = 0;
  #peak = 0;

  constructor() {
    super();
    this.#listen(this.port);
  }

  #listen(port: MessagePort): void {
    port.onmessage = ({ data }: MessageEvent<SoundInput>) => {
      if (data === 'clear') this.#buffer.clear();
      else if ('port' in data) this.#listen(data.port);
      else this.#buffer.push(data);
    };
  }

  process(_inputs: readonly (readonly Float32Array[])[], [output]: readonly (readonly Float32Array[])[]): boolean {
    const mediaUs = this.#buffer.timeUs;
    this.#buffer.read(output ?? []);
    for (const sample of output?.[0] ?? []) this.#peak = Math.max(this.#peak, Math.abs(sample));
    if (++this.#blocks < REPORT_BLOCKS) return true;
    const { bufferedMs, concealedMs, cutMs, correctionPpm } = this.#buffer;
    const report: SoundReport = {
      contextSeconds: currentTime,
      mediaUs,
      peak: this.#peak,
      bufferedMs,
      concealedMs,
      cutMs,
      correctionPpm,
    };
    this.port.postMessage(report);
    this.#blocks = 0;
    this.#peak = 0;
    return true;
  }
}

registerProcessor('dropframe-sound', SoundProcessor);
