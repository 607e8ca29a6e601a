import { frameDetails } from '../lanes/frame-details.ts';
import { strategyLabel, strategyOf } from '../lanes/lane-style.ts';
import { clock } from '../lanes/lane-words.ts';
import { lessonOf } from '../lanes/lesson.ts';
import { FrameStrip } from './frame-strip.ts';
import { made } from './parts.ts';
import type { Recording } from './recording.ts';
import { ReplayCard } from './replay-card.ts';
import { ReplayClock, SPEEDS, type Speed } from './replay-clock.ts';
import { type ReplayedRun, replayedRuns } from './replayed-run.ts';
import { reproduction } from './reproduction.ts';

/** A jump by Shift and an arrow key, milliseconds. */
const JUMP_MS = 1_000;
/** Frame interval that is assumed where no two frames are known, milliseconds. */
const INTERVAL_MS = 1_000 / 30;

const NO_LESSON = 'All lanes in step: at each moment, every lane shows what it showed then.';

const SPEED_NAMES: Readonly<Record<Speed, string>> = {
  1: 'real speed',
  0.5: 'half speed',
  0.25: 'a quarter',
  0.1: 'a tenth',
};

/** Plays a recording: all lanes in step, at any speed, forwards, and picture by picture. */
export class ReplayView {
  readonly element: HTMLElement;
  readonly #clock: ReplayClock;
  readonly #cards: readonly ReplayCard[];
  readonly #strips: readonly FrameStrip[];
  readonly #intervalMs: number;
  readonly #lesson = made('p', { class: 'replay-lesson' });
  readonly #said = made('p', { class: 'visually-hidden', role: 'status' });
  readonly #time = made('output', { class: 'replay-time', 'aria-live': 'off' });
  readonly #range = made('input', { type: 'range', class: 'replay-range', 'aria-label': 'Time in the recording' });
  readonly #play = made('button', { type: 'button', class: 'act replay-play' });
  readonly #speed = made('select', { 'aria-label': 'Speed' });
  readonly #details = made('div', { class: 'replay-details', 'aria-live': 'polite' });
  readonly #heads: readonly HTMLElement[];
  #frame = 0;
  /** Position that the lanes show. */
  #shownMs: number | undefined;
  #wasPlaying = false;
  #selected: ReplayCard | undefined;

  constructor(recording: Recording) {
    const { record } = recording;
    const runs = replayedRuns(recording);
    this.#clock = new ReplayClock(record.fromMs, record.untilMs);
    this.#intervalMs = intervalOf(runs.flat());
    const order = record.lanes.map((_, index) => index).sort((a, b) => record.lanes[a]!.place - record.lanes[b]!.place);
    this.#cards = order.map((index, place) => {
      const card: ReplayCard = new ReplayCard(place, runs[index]!, (run, frame) => this.#select(card, run, frame));
      return card;
    });
    this.#strips = order.map((index) => new FrameStrip(runs[index]!, record));
    this.#heads = this.#strips.map(() => made('i', { class: 'play-head', 'aria-hidden': 'true' }));
    const ratio = record.width > 0 && record.height > 0 ? `${record.width} / ${record.height}` : '16 / 9';
    this.element = made(
      'section',
      { class: 'replay', 'aria-label': 'Recording' },
      this.#lesson,
      made('div', { class: 'replay-lanes' }, ...this.#cards.map(({ element }) => element)),
      this.#controls(),
      this.#timeTable(order.map((index) => nameOf(runs[index]!))),
      this.#details,
      reproduction(record),
      this.#said,
    );
    this.element.style.setProperty('--picture-ratio', ratio);
    this.element.addEventListener('keydown', (event) => this.#press(event));
    // The space bar plays and pauses, whatever has the focus; Firefox presses a button when it is released.
    this.element.addEventListener('keyup', (event) => {
      if (event.key === ' ' && event.target instanceof HTMLButtonElement) event.preventDefault();
    });
    this.#frame = requestAnimationFrame((at) => this.#draw(at));
  }

  /** Length of the recording, seconds. */
  get seconds(): number {
    return (this.#clock.untilMs - this.#clock.fromMs) / 1_000;
  }

  /** Position, milliseconds since the beginning. */
  get atMs(): number {
    return this.#clock.atMs - this.#clock.fromMs;
  }

  /** True when every lane shows the picture of the present position. */
  get isSettled(): boolean {
    return this.#shownMs === this.#clock.atMs && this.#cards.every((card) => card.isSettled);
  }

  /** Begins to play; the first button gets the focus. */
  start(): void {
    this.#clock.toggle();
    this.#play.focus();
  }

  close(): void {
    cancelAnimationFrame(this.#frame);
    for (const part of [...this.#cards, ...this.#strips]) part.close();
  }

  /** Handles a key. @returns true when it is one of the replay. */
  handleKey({ key, shiftKey }: Pick<KeyboardEvent, 'key' | 'shiftKey'>): boolean {
    const act = {
      ' ': () => this.#clock.toggle(),
      ArrowLeft: () => this.#clock.step(shiftKey ? -JUMP_MS : -this.#intervalMs),
      ArrowRight: () => this.#clock.step(shiftKey ? JUMP_MS : this.#intervalMs),
      Home: () => this.#clock.seek(this.#clock.fromMs),
      End: () => this.#clock.seek(this.#clock.untilMs),
      s: () => this.#nextSpeed(),
    }[key];
    act?.();
    return act !== undefined;
  }

  #press(event: KeyboardEvent): void {
    const { target, ctrlKey, altKey, metaKey } = event;
    if (ctrlKey || altKey || metaKey) return;
    // A menu is searched by letters and moved by arrows; a summary is opened by the space bar.
    if (target instanceof HTMLSelectElement || (target instanceof HTMLElement && target.localName === 'summary'))
      return;
    if (this.handleKey(event)) event.preventDefault();
  }

  #controls(): HTMLElement {
    for (const speed of SPEEDS) this.#speed.add(new Option(SPEED_NAMES[speed], String(speed)));
    this.#speed.addEventListener('change', () => {
      this.#clock.speed = Number(this.#speed.value) as Speed;
    });
    this.#play.addEventListener('click', () => this.#clock.toggle());
    const stepper = (label: string, text: string, stepMs: number) => {
      const button = made('button', { type: 'button', 'aria-label': label, title: label }, text);
      button.addEventListener('click', () => this.#clock.step(stepMs));
      return button;
    };
    return made(
      'div',
      { class: 'replay-controls', role: 'toolbar', 'aria-label': 'Play' },
      stepper('One picture back (left arrow)', '◂', -this.#intervalMs),
      this.#play,
      stepper('One picture on (right arrow)', '▸', this.#intervalMs),
      made('label', { class: 'field' }, made('span', {}, 'Speed'), this.#speed),
      this.#time,
    );
  }

  /** The time, and below it the frames of each lane. */
  #timeTable(names: readonly string[]): HTMLElement {
    const { fromMs, untilMs } = this.#clock;
    Object.assign(this.#range, { min: '0', max: String(Math.round(untilMs - fromMs)), step: 'any', value: '0' });
    this.#range.addEventListener('input', () => {
      this.#clock.pause();
      this.#clock.seek(fromMs + Number(this.#range.value));
    });
    const rows = this.#strips.flatMap(({ element }, index) => {
      const track = made('div', { class: 'strip' }, element, this.#heads[index]!);
      track.addEventListener('pointerdown', (event) => this.#scrub(event, track));
      return [made('span', { class: 'about strip-name' }, names[index] ?? ''), track];
    });
    return made('div', { class: 'replay-time-table' }, made('span', { class: 'about' }, 'Time'), this.#range, ...rows);
  }

  /** Follows the pointer over a strip until it is released. */
  #scrub(down: PointerEvent, track: HTMLElement): void {
    const { fromMs, untilMs } = this.#clock;
    const seek = ({ clientX }: PointerEvent): void => {
      const { left, width } = track.getBoundingClientRect();
      this.#clock.seek(fromMs + ((clientX - left) / Math.max(1, width)) * (untilMs - fromMs));
    };
    this.#clock.pause();
    track.setPointerCapture(down.pointerId);
    seek(down);
    track.onpointermove = seek;
    track.onlostpointercapture = () => {
      track.onpointermove = null;
    };
  }

  #nextSpeed(): void {
    const next = SPEEDS[(SPEEDS.indexOf(this.#clock.speed) + 1) % SPEEDS.length]!;
    this.#clock.speed = next;
    this.#speed.value = String(next);
  }

  /** Shows what happened to a frame, at the time of its outcome. */
  #select(card: ReplayCard, run: ReplayedRun, frame: number): void {
    this.#selected?.select(undefined);
    this.#selected = card;
    card.select(frame);
    const outcome = run.log.frames.get(frame);
    if (outcome) {
      this.#clock.pause();
      this.#clock.seek(outcome.decidedMs);
    }
    const heading = made('h3', {}, 'A frame’s life');
    this.#details.replaceChildren(heading, ...(frameDetails(run.log, frame, nameOf([run])) ?? []));
  }

  #draw(nowMs: number): void {
    this.#frame = requestAnimationFrame((at) => this.#draw(at));
    this.#clock.advance(nowMs);
    const { atMs, fromMs, untilMs, isPlaying } = this.#clock;
    for (const card of this.#cards) card.show(atMs, nowMs, isPlaying);
    if (atMs === this.#shownMs && isPlaying === this.#wasPlaying) return;
    this.#shownMs = atMs;
    this.#wasPlaying = isPlaying;
    const passed = atMs - fromMs;
    setText(this.#time, `${clock(passed)} of ${clock(untilMs - fromMs)}`);
    setText(this.#play, isPlaying ? 'Pause' : 'Play');
    this.#range.value = String(passed);
    this.#range.setAttribute('aria-valuetext', `${(passed / 1_000).toFixed(1)} seconds`);
    const share = passed / Math.max(1, untilMs - fromMs);
    for (const head of this.#heads) head.style.left = `${(share * 100).toFixed(3)}%`;
    setText(this.#lesson, lessonOf(this.#cards.flatMap(({ taught }) => taught ?? [])) || NO_LESSON);
    if (!isPlaying) setText(this.#said, this.#words(passed));
  }

  #words(passedMs: number): string {
    const lanes = this.#cards.map(({ said }) => said).filter((said) => said !== '');
    return `${(passedMs / 1_000).toFixed(1)} seconds. ${lanes.join('. ')}`;
  }
}

function nameOf(runs: readonly ReplayedRun[]): string {
  const newest = runs.at(-1);
  return newest ? strategyLabel(strategyOf(newest.recorded.settings)) : '';
}

/** Median interval between the frames of all lanes, milliseconds. */
function intervalOf(runs: readonly ReplayedRun[]): number {
  const intervals = runs.flatMap(({ log }) => {
    const captured = [...log.frames.values()].map(({ capturedMs }) => capturedMs).sort((a, b) => a - b);
    return captured.slice(1).map((ms, index) => ms - captured[index]!);
  });
  return intervals.sort((a, b) => a - b)[intervals.length >> 1] || INTERVAL_MS;
}

function setText(place: HTMLElement, text: string): void {
  if (place.textContent !== text) place.textContent = text;
}
