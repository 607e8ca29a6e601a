import type { PageSoundDescription } from '../../protocol/page/page-message.ts';
import type { SoundInput, SoundReport } from './sound-worklet.ts';

/** Age of a report above which nothing is known of what is heard, milliseconds. */
const REPORT_MS_MAX = 500;

/** The way of decoded sound to the loudspeaker: an audio context at the rate of the stream, with a worklet. */
export class SoundOutput {
  readonly #context: AudioContext;
  readonly node: AudioWorkletNode;
  readonly sampleRate: number;
  /** The newest report of the worklet; `undefined` before the first. */
  report: SoundReport | undefined;
  #reportedAt = Number.NEGATIVE_INFINITY;

  /** Opens an output, which browsers let sound after a click or a key only. Rejects where there is no worklet. */
  static async open({ sampleRate, channels }: PageSoundDescription, worklet: URL): Promise<SoundOutput> {
    // At the rate of the stream, so that nothing is resampled here.
    const context = new AudioContext({ sampleRate, latencyHint: 'playback' });
    try {
      await context.audioWorklet.addModule(worklet);
    } catch (error) {
      await context.close();
      throw error;
    }
    const node = new AudioWorkletNode(context, 'dropframe-sound', {
      numberOfInputs: 0,
      outputChannelCount: [Math.min(2, channels)],
    });
    return new SoundOutput(context, node);
  }

  private constructor(context: AudioContext, node: AudioWorkletNode) {
    this.#context = context;
    this.node = node;
    this.sampleRate = context.sampleRate;
    node.port.onmessage = ({ data }: MessageEvent<SoundReport>) => {
      this.report = data;
      this.#reportedAt = performance.now();
    };
    node.connect(context.destination);
  }

  /** Media time that is heard now, microseconds; `undefined` while nothing is heard. */
  get heardUs(): number | undefined {
    const nowMs = performance.now();
    const { report } = this;
    if (report?.mediaUs === undefined || nowMs - this.#reportedAt > REPORT_MS_MAX) return undefined;
    return report.mediaUs + (this.#heardSeconds(nowMs) - report.contextSeconds) * 1e6;
  }

  post(input: SoundInput, transfer: Transferable[] = []): void {
    this.node.port.postMessage(input, transfer);
  }

  /** Forgets what waits. */
  clear(): void {
    this.post('clear');
    this.report = undefined;
  }

  async resume(): Promise<void> {
    await this.#context.resume();
  }

  async suspend(): Promise<void> {
    await this.#context.suspend();
  }

  async close(): Promise<void> {
    await this.#context.close();
  }

  /** Time of the context whose sound leaves the loudspeaker at a time of the page, seconds. */
  #heardSeconds(nowMs: number): number {
    const { contextTime = 0, performanceTime = 0 } = this.#context.getOutputTimestamp();
    if (performanceTime > 0) return contextTime + (nowMs - performanceTime) / 1_000;
    return this.#context.currentTime - (this.#context.outputLatency || this.#context.baseLatency);
  }
}
