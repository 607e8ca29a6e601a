import type { PageSound, PageSoundDescription } from '../../protocol/page/page-message.ts';
import { SoundDecoder } from './sound-decoder.ts';
import { SoundOutput } from './sound-output.ts';
import type { SoundReport } from './sound-worklet.ts';

export type SoundState = 'none' | 'unable' | 'off' | 'on';

/** Decodes sound with WebCodecs and plays it with an AudioWorklet, once the user has asked for it. */
export class SoundPlayer {
  #description: PageSoundDescription | undefined;
  #decoder: SoundDecoder | undefined;
  #output: SoundOutput | undefined;
  #isUnable = false;
  #isOn = false;
  #opening = Promise.resolve();
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
    return this.#isOn ? this.#output?.report : undefined;
  }

  /** The node that leads to the loudspeaker; `undefined` before the sound was first on. */
  get output(): AudioNode | undefined {
    return this.#output?.node;
  }

  /** Media time that is heard now, microseconds; `undefined` while nothing is heard. */
  get heardUs(): number | undefined {
    return this.#isOn ? this.#output?.heardUs : undefined;
  }

  /** Takes over the sound of a stream. @param description `undefined` without sound. */
  async describe(description: PageSoundDescription | undefined): Promise<void> {
    const isSame = JSON.stringify(description) === JSON.stringify(this.#description);
    this.#description = description;
    this.#output?.post('clear');
    if (isSame) return;
    this.#closeDecoder();
    this.#isUnable = false;
    const isUnable = description !== undefined && !(await canPlay(description));
    if (description !== this.#description) return;
    this.#isUnable = isUnable;
    if (this.#isOn && description) await this.#open(description);
    this.#changed();
  }

  push(sound: PageSound): void {
    const description = this.#description;
    if (!this.#isOn || this.#isUnable || !description) return;
    this.#decoder ??= new SoundDecoder(description, (chunk) => this.#output?.post(chunk));
    this.#decoder.push(sound);
  }

  /** Switches the sound on or off. Browsers allow it on a click or a key only. */
  async toggle(): Promise<void> {
    if (!this.#description || this.#isUnable) return;
    this.#isOn = !this.#isOn;
    if (this.#isOn) await this.#open(this.#description);
    else {
      this.silence();
      void this.#output?.suspend();
    }
    this.#changed();
  }

  /** Forgets what waits: playing begins again with what comes. */
  silence(): void {
    this.#output?.clear();
    this.#closeDecoder();
  }

  /** Opens outputs one at a time: the sound may change, or be switched off, while one opens. */
  async #open(description: PageSoundDescription): Promise<void> {
    this.#opening = this.#opening.then(() => this.#openFor(description));
    await this.#opening;
    if (this.#isOn) await this.#output?.resume();
    if (!this.#isOn) await this.#output?.suspend();
  }

  async #openFor(description: PageSoundDescription): Promise<void> {
    const isWanted = () => this.#isOn && description === this.#description;
    if (!isWanted() || this.#output?.sampleRate === description.sampleRate) return;
    await this.#output?.close();
    this.#output = undefined;
    try {
      this.#output = await SoundOutput.open(description, new URL('./sound-worklet.js', import.meta.url));
    } catch {
      if (isWanted()) this.#isUnable = true;
    }
  }

  #closeDecoder(): void {
    this.#decoder?.close();
    this.#decoder = undefined;
  }
}

async function canPlay(description: PageSoundDescription): Promise<boolean> {
  return 'AudioWorkletNode' in globalThis && (await SoundDecoder.supports(description));
}
