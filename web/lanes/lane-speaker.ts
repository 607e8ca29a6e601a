import type { PageSoundDescription } from '../../protocol/page/page-message.ts';
import { SoundDecoder } from '../player/sound-decoder.ts';
import { SoundOutput } from '../player/sound-output.ts';

/** Time between two reports of what is heard to the worker, milliseconds. */
const REPORT_MS = 100;

export interface LaneSpeakerHandlers {
  /** Called when a lane is to be heard, or none. @param loudspeaker port of a new worklet, for the worker's sound. */
  listen(lane: number | undefined, loudspeaker: MessagePort | undefined): void;
  /** Called with the media time that is heard at a time of `performance.now()`. */
  hearing(mediaUs: number | undefined, atMs: number): void;
  /** Called when `state` or `lane` has changed. */
  changed(): void;
  /** Called with one line when the browser does not play the sound. */
  failed(why: string): void;
}

/** The loudspeaker of the page, at which one lane is heard, or none: nothing sounds before a click or a key. */
export class LaneSpeaker {
  /** Id of the lane that is heard. */
  lane: number | undefined;
  #description: PageSoundDescription | undefined;
  #isUnable = false;
  #output: SoundOutput | undefined;
  readonly #handlers: LaneSpeakerHandlers;
  /** Opens one output at a time. */
  #hearing: Promise<void> = Promise.resolve();

  constructor(handlers: LaneSpeakerHandlers) {
    this.#handlers = handlers;
    setInterval(() => {
      if (this.lane !== undefined) handlers.hearing(this.#output?.heardUs, performance.now());
    }, REPORT_MS);
  }

  /** `none` for a source without sound. */
  get state(): 'none' | 'unable' | 'ready' {
    if (!this.#description) return 'none';
    return this.#isUnable ? 'unable' : 'ready';
  }

  /** The node that leads to the loudspeaker, and what is heard, for tests and for the console. */
  get output(): SoundOutput | undefined {
    return this.#output;
  }

  /** Takes over the sound of a source. @param description `undefined` without sound. */
  async describe(description: PageSoundDescription | undefined): Promise<void> {
    if (JSON.stringify(description) === JSON.stringify(this.#description)) return;
    this.#description = description;
    this.#isUnable = false;
    const isUnable =
      description !== undefined && !('AudioWorkletNode' in globalThis && (await SoundDecoder.supports(description)));
    if (description !== this.#description) return;
    this.#isUnable = isUnable;
    if (this.state !== 'ready') this.mute();
    else if (this.lane !== undefined) await this.hear(this.lane);
    this.#handlers.changed();
  }

  /** Hears a lane. Browsers allow it on a click or a key only. */
  async hear(lane: number): Promise<void> {
    if (this.state !== 'ready') return;
    this.lane = lane;
    this.#handlers.changed();
    this.#hearing = this.#hearing.then(() => this.#open());
    await this.#hearing;
  }

  async #open(): Promise<void> {
    const description = this.#description;
    if (!description || this.#isUnable || this.lane === undefined) return;
    let loudspeaker: MessagePort | undefined;
    if (this.#output?.sampleRate !== description.sampleRate) {
      await this.#output?.close();
      this.#output = undefined;
      try {
        const output = await SoundOutput.open(description, new URL('./lane-worklet.js', import.meta.url));
        const { port1, port2 } = new MessageChannel();
        output.post({ port: port1 }, [port1]);
        this.#output = output;
        loudspeaker = port2;
      } catch (error) {
        this.#isUnable = true;
        this.lane = undefined;
        this.#handlers.changed();
        return this.#handlers.failed(`This browser does not play the sound: ${(error as Error).message}.`);
      }
    }
    this.#handlers.listen(this.lane, loudspeaker);
    // Muted while it opened.
    if (this.lane === undefined) await this.#output?.suspend();
    else await this.#output?.resume();
  }

  mute(): void {
    if (this.lane === undefined) return;
    this.lane = undefined;
    this.#handlers.listen(undefined, undefined);
    void this.#output?.suspend();
    this.#handlers.changed();
  }
}
