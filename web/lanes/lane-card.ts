import type {
  LaneEvents,
  LaneFigures,
  LaneSettings,
  LanesRates,
  LanesState,
} from '../../protocol/page/lane-message.ts';
import { PictureCanvas } from '../shared/picture-canvas.ts';
import { type TakenPicture, VideoView } from '../shared/video-view.ts';
import { pictureName } from './frame-details.ts';
import { colorOf } from './lane-color.ts';
import { type Frame, LaneLog } from './lane-log.ts';
import { LaneSoundParts } from './lane-sound-parts.ts';
import type { LaneSpeaker } from './lane-speaker.ts';
import { KERNEL, LANE_STRATEGIES, LANE_STYLES, strategyLabel, strategyOf, withStrategy } from './lane-style.ts';
import type { Taught } from './lesson.ts';
import { PacketTimeline } from './packet-timeline.ts';
import { megabits } from './rate-chart.ts';
import { duration, percent, roughly, SPACE } from './text.ts';
import { lagOf, RecentFigures, shownRightText, type Verdict, type VerdictKind, verdictOf } from './verdict.ts';
import type { LanePictures } from './worker-message.ts';

/** Lateness of events beyond which the timeline waits for them, milliseconds. */
const EVENTS_LATE_MS = 150;
/** Time between two updates of the lag, milliseconds: a figure that changes faster cannot be read. */
const LAG_MS = 250;
const WAITING = VideoView.supported ? 'waiting for a key frame' : 'this browser has no decoder for it';

export interface LaneCardHandlers {
  changed(settings: LaneSettings): void;
  removed(): void;
  /** Called with the frame selected in the timeline, or `undefined` when the selection is cleared. */
  selected(frame: number | undefined): void;
  /** Called to select the frame before or after the selected one. */
  stepped(by: -1 | 1): void;
  /** Called when the lane is to be heard, or no longer. */
  soundToggled(): void;
  /** Called to show or hide the figures of all lanes: they are compared. */
  figuresToggled(): void;
}

/** One lane: video, figures, packet timeline and settings. */
export class LaneCard {
  readonly element: HTMLElement;
  readonly log = new LaneLog();
  /** Identifies the lane towards the worker. */
  readonly id: number;
  readonly timeline: PacketTimeline;
  readonly #handlers: LaneCardHandlers;
  readonly #places = new Map<string, HTMLElement>();
  readonly #recent = new RecentFigures();
  readonly #sound: LaneSoundParts;
  #settings: LaneSettings;
  #verdict: Verdict | undefined;
  #figures: LaneFigures | undefined;
  #run: number | undefined;
  readonly #canvas: PictureCanvas;
  #pictures: LanePictures | undefined;
  /** The picture that is drawn next. */
  #next: TakenPicture | undefined;
  /** Frames drawn before this run. */
  #drawnBefore = 0;
  #lagShownAt = Number.NEGATIVE_INFINITY;
  #lagMs: number | undefined;
  #isPaused = false;

  constructor(id: number, settings: LaneSettings, handlers: LaneCardHandlers) {
    const template = document.getElementById('lane-template') as HTMLTemplateElement;
    this.element = (template.content.cloneNode(true) as DocumentFragment).querySelector('article')!;
    this.id = id;
    this.#handlers = handlers;
    this.#settings = settings;
    const timeline = this.#part('.timeline', HTMLCanvasElement);
    this.#canvas = new PictureCanvas(this.#part('.video', HTMLCanvasElement));
    this.timeline = new PacketTimeline(timeline, this.log);
    this.#sound = new LaneSoundParts(this.element, this.log, () => handlers.soundToggled());
    for (const place of this.element.querySelectorAll<HTMLElement>('[data-figure]')) {
      this.#places.set(place.dataset.figure ?? '', place);
    }
    for (const { name, label } of LANE_STRATEGIES)
      this.#part('.strategy', HTMLSelectElement).add(new Option(label, name));
    this.#listen(timeline);
    this.applySettings(settings);
  }

  get settings(): LaneSettings {
    return this.#settings;
  }

  get figures(): LaneFigures | undefined {
    return this.#figures;
  }

  /** State of the lane; `undefined` before its first figures. */
  get verdict(): Verdict | undefined {
    return this.#verdict;
  }

  /** The lane as the lesson sees it; `undefined` before its first figures. */
  get taught(): Taught | undefined {
    const verdict = this.#verdict;
    return verdict && { settings: this.#settings, verdict, counts: this.#recent.counts, behindMs: lagOf(this.log) };
  }

  /** Report of the worker on the pictures; `undefined` before its first report. */
  get pictures(): LanePictures | undefined {
    return this.#pictures;
  }

  /** Applies the settings that the server reports. */
  applySettings(settings: LaneSettings): void {
    this.#settings = settings;
    const strategy = strategyOf(settings);
    const style = LANE_STYLES[strategy]!;
    const color = colorOf(strategy);
    this.element.style.setProperty('--lane', color);
    const marker = this.element.querySelector('.marker path')!;
    marker.setAttribute('d', style.marker);
    marker.setAttribute('fill', style.filled ? color : 'none');
    marker.setAttribute('stroke', color);
    marker.setAttribute('stroke-width', '.35');
    const label = strategyLabel(strategy);
    const about = LANE_STRATEGIES.find(({ name }) => name === strategy)?.about ?? '';
    this.#part('.strategy', HTMLSelectElement).value = strategy;
    this.#part('.strategy-about', HTMLElement).textContent = about;
    this.element.setAttribute('aria-label', `Lane: ${label}`);
    this.#part('.video', HTMLCanvasElement).setAttribute('aria-label', `Live video over ${label}`);
    this.#part('.timeline', HTMLCanvasElement).setAttribute(
      'aria-label',
      `Packets of ${label} over the last 3 seconds; arrow keys select a frame`,
    );
    const latency = this.#part('.latency', HTMLInputElement);
    latency.max = String(Math.max(1_000, settings.latencyMs));
    latency.value = String(settings.latencyMs);
    this.#part('.slider output', HTMLOutputElement).value = `${settings.latencyMs}${SPACE}ms`;
    const onLoss = this.#part('.on-loss', HTMLSelectElement);
    onLoss.value = settings.onLoss;
    this.#part('.on-loss-field', HTMLElement).hidden = settings.transport === 'tcp';
    this.#part('.rate', HTMLElement).hidden = !settings.follows;
  }

  /** @param isHeard true when this lane is heard. */
  showSpeaker(state: LaneSpeaker['state'], isHeard: boolean): void {
    this.#sound.show(state, isHeard, strategyLabel(strategyOf(this.#settings)));
    this.element.toggleAttribute('data-heard', isHeard);
  }

  number(index: number, removable: boolean): void {
    this.#part('.number', HTMLElement).textContent = String(index + 1);
    this.#part('.remove', HTMLButtonElement).hidden = !removable;
  }

  get framesDrawn(): number {
    return this.#canvas.framesDrawn;
  }

  /** Age of the picture on the canvas, milliseconds, this window's own delay included; `undefined` without one. */
  get lagMs(): number | undefined {
    return this.#lagMs;
  }

  /** The frame whose picture is on the canvas; `undefined` while there is none, and when it has left the log. */
  get frameOnScreen(): Frame | undefined {
    const { drawnSentAtMs } = this.#canvas;
    return [...this.log.frames.values()].find(({ capturedMs }) => capturedMs === drawnSentAtMs);
  }

  /** Takes over what the worker reports; the picture is drawn by `refresh`. */
  showPictures(pictures: LanePictures): void {
    this.#pictures = pictures;
    if (pictures.run !== undefined && pictures.run !== this.#run) this.#begin(pictures.run);
    if (!pictures.newest) return;
    this.#next?.frame.close();
    this.#next = pictures.newest;
  }

  /** Resets the lane for a new connection: run numbers and clock may belong to another server. */
  forget(): void {
    this.#begin(undefined);
    this.log.clear();
  }

  /** Begins a new run, of which nothing old is shown. A paused lane keeps its picture until it goes on. */
  #begin(run: number | undefined): void {
    this.#run = run;
    this.#next?.frame.close();
    this.#next = undefined;
    this.#drawnBefore = this.#canvas.framesDrawn;
    this.#figures = undefined;
    this.#verdict = undefined;
    this.#recent.clear();
    if (this.#isPaused) return;
    for (const name of this.#places.keys()) this.#setFigure(name, ['–', '']);
    this.#sound.showFigures(undefined);
    this.#showVerdict('waiting', 'Waiting for a picture');
  }

  take(nowMs: number, events: LaneEvents): void {
    if (events.run !== this.#run) this.#begin(events.run);
    this.log.take(nowMs, events);
  }

  /** @param atMs time of the figures; @param delayMs one-way delay of the link, milliseconds. */
  show(figures: LaneFigures, atMs: number, delayMs: number): void {
    this.#figures = figures;
    this.#recent.add(atMs, figures, lagOf(this.log));
    this.#judge(delayMs);
    const { framesOnTime, framesRecovered, framesLate, framesMended, framesLost, packets, packetsLost } = figures;
    const frames = framesOnTime + framesRecovered + framesLate + framesMended + framesLost;
    this.#setFigure('right', [shownRightText(figures), '']);
    this.#setFigure('onTime', counts(framesOnTime, frames));
    this.#setFigure('recovered', counts(framesRecovered, frames));
    const [late, lateShare] = counts(framesLate, frames);
    const lateDetail = framesMended > 0 ? `+${framesMended.toLocaleString('en-US')}${SPACE}mended` : lateShare;
    this.#setFigure('late', [late, lateDetail], framesLate + framesMended > 0 ? 'late' : '');
    this.#setFigure('lost', counts(framesLost, frames), framesLost > 0 ? 'bad' : '');
    this.#setFigure('lag', [duration(figures.lagMsP50), `/ ${duration(figures.lagMsP95)}`]);
    this.#setFigure('freezes', [String(figures.freezes), '']);
    this.#setFigure('overhead', [figures.overhead === null ? '–' : percent(figures.overhead, 1), '']);
    this.#setFigure('packetsLost', [percent(packetsLost, packets), '']);
    this.#sound.showFigures(figures.sound);
  }

  /** Shows how the video of a lane that follows the path is encoded now. */
  showEncoder(encoder: LanesRates['encoder']): void {
    if (!this.#settings.follows) return;
    const words = encoder ? `${megabits(encoder.bitrate)}, ${encoder.width}${SPACE}×${SPACE}${encoder.height}` : '–';
    this.#part('.rate', HTMLElement).textContent = words;
  }

  /** Shows in place of the picture why a lane has none, and offers the kernel's TCP where there is one. */
  showAbsence({ notFollowing, noKernelTcp }: Pick<LanesState, 'notFollowing' | 'noKernelTcp'>): void {
    const option = this.#part(`.strategy [value=${KERNEL}]`, HTMLOptionElement);
    option.disabled = noKernelTcp !== undefined;
    const label = strategyLabel(KERNEL);
    option.text = noKernelTcp === undefined ? label : `${label}: ${noKernelTcp}`;
    const { follows, kernel } = this.#settings;
    const why = follows ? notFollowing : kernel ? noKernelTcp : undefined;
    const missing = why !== undefined;
    this.#part('.waiting', HTMLElement).textContent = missing ? why : WAITING;
    this.element.toggleAttribute('data-absent', missing);
  }

  /** Called once per animation frame. */
  refresh(
    nowMs: number,
    options: {
      readonly paused: boolean;
      readonly reduced: boolean;
      /** True when the timeline is to be redrawn in this animation frame. */
      readonly timeline: boolean;
    },
  ): void {
    this.#isPaused = options.paused;
    this.#present();
    if (options.paused) return;
    this.#showPicture();
    const { reduced, timeline } = options;
    const drawnMs = Math.min(nowMs, this.log.knownMs + EVENTS_LATE_MS);
    if (timeline) this.timeline.draw(drawnMs, reduced);
    this.#sound.refresh(drawnMs, this.#pictures?.soundPeak ?? 0, { reduced, strip: timeline });
    if (nowMs - this.#lagShownAt < LAG_MS && nowMs >= this.#lagShownAt) return;
    this.#lagShownAt = nowMs;
    const { drawnSentAtMs } = this.#canvas;
    this.#lagMs = drawnSentAtMs === undefined ? undefined : Math.max(0, nowMs - drawnSentAtMs);
  }

  /** Draws the next picture; a paused lane lets it go. */
  #present(): void {
    const next = this.#next;
    this.#next = undefined;
    if (next && !this.#isPaused) this.#canvas.draw(next.frame, next.sentAtMs);
    next?.frame.close();
  }

  /** Shows the picture of this run, and covers that of another. */
  #showPicture(): void {
    const plays = this.#canvas.framesDrawn > this.#drawnBefore && !this.element.hasAttribute('data-absent');
    if (plays === this.element.hasAttribute('data-playing')) return;
    this.element.toggleAttribute('data-playing', plays);
    if (!plays) this.#canvas.clear();
  }

  #judge(delayMs: number): void {
    const behindMs = lagOf(this.log);
    this.#verdict = verdictOf(this.#recent, behindMs, this.#settings, delayMs);
    const tone = this.#verdict.kind.startsWith('late') ? 'late' : '';
    this.#setFigure('behind', [behindMs === undefined ? '–' : roughly(behindMs), ''], tone);
    this.#showVerdict(this.#verdict.kind, this.#verdict.words);
  }

  #showVerdict(kind: VerdictKind, words: string): void {
    const place = this.#part('.verdict', HTMLElement);
    place.dataset.kind = kind;
    if (place.textContent !== words) place.textContent = words;
  }

  select(frame: number | undefined): void {
    this.timeline.select(frame);
    const timeline = this.#part('.timeline', HTMLCanvasElement);
    timeline.ariaValueNow = String(frame ?? 0);
    const known = frame === undefined ? undefined : this.log.frames.get(frame);
    timeline.ariaValueText = known ? pictureName(known) : 'no frame selected';
  }

  toggleFullScreen(): void {
    if (document.fullscreenElement !== null) void document.exitFullscreen();
    else void this.element.requestFullscreen();
  }

  /** The lane is removed. */
  close(): void {
    this.timeline.close();
    this.#sound.close();
  }

  /** @param shown true while the figures of all lanes are shown. */
  discloseFigures(shown: boolean): void {
    this.#part('.more', HTMLButtonElement).ariaExpanded = String(shown);
  }

  #listen(timeline: HTMLCanvasElement): void {
    const { changed, removed, selected, stepped, figuresToggled } = this.#handlers;
    const strategy = this.#part('.strategy', HTMLSelectElement);
    strategy.addEventListener('change', () => changed(withStrategy(this.#settings, strategy.value)));
    const onLoss = this.#part('.on-loss', HTMLSelectElement);
    onLoss.addEventListener('change', () =>
      changed({ ...this.#settings, onLoss: onLoss.value === 'smear' ? 'smear' : 'freeze' }),
    );
    const latency = this.#part('.latency', HTMLInputElement);
    latency.addEventListener('input', () => {
      this.#part('.slider output', HTMLOutputElement).value = `${latency.value}${SPACE}ms`;
    });
    // A new latency restarts the lane, so it is applied only when the slider is released.
    latency.addEventListener('change', () => changed({ ...this.#settings, latencyMs: Number(latency.value) }));
    this.#part('.remove', HTMLButtonElement).addEventListener('click', removed);
    this.#part('.enlarge', HTMLButtonElement).addEventListener('click', () => this.toggleFullScreen());
    this.#part('.more', HTMLButtonElement).addEventListener('click', figuresToggled);
    timeline.addEventListener('click', (event) => selected(this.timeline.frameAt(event.offsetX)));
    timeline.addEventListener('keydown', (event) => {
      const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
      if (step === 0) return;
      event.preventDefault();
      stepped(step);
    });
  }

  #setFigure(name: string, [text, detail]: readonly [string, string], tone = ''): void {
    const place = this.#places.get(name);
    if (!place) return;
    place.dataset.tone = tone;
    const said = `${text} ${detail}`;
    if (place.dataset.shown === said) return;
    place.dataset.shown = said;
    place.textContent = text;
    if (detail === '') return;
    const small = document.createElement('small');
    small.textContent = detail;
    place.append(' ', small);
  }

  #part<T extends HTMLElement>(selector: string, kind: abstract new () => T): T {
    const found = this.element.querySelector(selector);
    if (!(found instanceof kind)) throw new Error(`a lane has no ${selector}`);
    return found;
  }
}

function counts(part: number, whole: number): readonly [string, string] {
  return [part.toLocaleString('en-US'), part === 0 ? '' : percent(part, whole)];
}
