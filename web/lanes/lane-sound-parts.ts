import type { LaneSoundFigures } from '../../protocol/page/lane-message.ts';
import type { LaneLog } from './lane-log.ts';
import type { LaneSpeaker } from './lane-speaker.ts';
import { SoundStrip } from './sound-strip.ts';
import { duration } from './text.ts';

/** Peak of the sound below which the meter is empty, decibels. */
const METER_FLOOR_DB = -60;
/** Share of the meter's level that is left after an animation frame: it rises at once, and falls slowly. */
const METER_FALL = 0.9;

/** The sound of a lane in its card: the button to hear it, a meter, its units, and what was missing. */
export class LaneSoundParts {
  readonly #card: HTMLElement;
  readonly #button: HTMLButtonElement;
  readonly #overlay: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #meter: HTMLMeterElement;
  readonly #concealed: HTMLElement;
  readonly #strip: SoundStrip;
  #level = 0;

  /** @param card of the lane. @param toggled called when the lane is to be heard, or no longer. */
  constructor(card: HTMLElement, log: LaneLog, toggled: () => void) {
    this.#card = card;
    this.#button = part(card, '.speaker', HTMLButtonElement);
    this.#overlay = part(card, '.sound', HTMLElement);
    this.#canvas = part(card, '.sound-strip', HTMLCanvasElement);
    this.#meter = part(card, '.sound meter', HTMLMeterElement);
    this.#concealed = part(card, '.concealed', HTMLElement);
    this.#strip = new SoundStrip(this.#canvas, log);
    this.#button.addEventListener('click', toggled);
  }

  close(): void {
    this.#strip.close();
  }

  /** @param isHeard true for the lane that is heard. @param label name of the lane. */
  show(state: LaneSpeaker['state'], isHeard: boolean, label: string): void {
    this.#overlay.hidden = state === 'none';
    this.#canvas.hidden = state === 'none';
    this.#card.toggleAttribute('data-sound', state !== 'none');
    this.#button.hidden = state === 'none';
    this.#button.disabled = state === 'unable';
    this.#button.ariaPressed = String(isHeard);
    const words = state === 'unable' ? 'This browser cannot play the sound' : isHeard ? 'Mute' : 'Hear this lane';
    this.#button.title = `${words} (m)`;
    this.#button.setAttribute('aria-label', state === 'unable' ? words : `Hear ${label}`);
  }

  /** @param figures `undefined` before the first. */
  showFigures(figures: LaneSoundFigures | undefined): void {
    const words = figures ? `${duration(figures.concealedMs)} missing` : 'Sound';
    if (this.#concealed.textContent !== words) this.#concealed.textContent = words;
    this.#concealed.dataset.tone = figures && figures.concealedMs > 0 ? 'bad' : '';
  }

  /** Called once per animation frame. @param peak largest sample of late, 0 to 1. */
  refresh(nowMs: number, peak: number, options: { readonly reduced: boolean; readonly strip: boolean }): void {
    if (this.#overlay.hidden) return;
    const level = Math.max(0, 1 - (20 * Math.log10(Math.max(1e-9, peak))) / METER_FLOOR_DB);
    this.#level = Math.max(level, this.#level * METER_FALL);
    this.#meter.value = this.#level;
    if (options.strip) this.#strip.draw(nowMs, options.reduced);
  }
}

function part<T extends HTMLElement>(card: HTMLElement, selector: string, kind: abstract new () => T): T {
  const found = card.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`a lane has no ${selector}`);
  return found;
}
