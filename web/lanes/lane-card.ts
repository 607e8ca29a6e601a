import type {
  LaneEvents,
  LaneFigures,
  LanePicture,
  LaneRates,
  LaneSettings,
  LanesRates,
} from '../../protocol/page/lane-message.ts';
import { VideoView } from '../shared/video-view.ts';
import { colorOf } from './lane-color.ts';
import { LaneLog } from './lane-log.ts';
import { LANE_STRATEGIES, LANE_STYLES, strategyOf, withStrategy } from './lane-style.ts';
import { PacketTimeline } from './packet-timeline.ts';
import { megabits } from './rate-chart.ts';

/** Lag beyond latency and path delay that marks a lane as late, and as no longer live, milliseconds. */
const LATE_MS = 150;
const BAD_MS = 1_000;
const SPACE = '\u00a0';
const WAITING = 'waiting for a key frame';

export interface LaneCardHandlers {
  changed(settings: LaneSettings): void;
  removed(): void;
  /** Called with the frame selected in the timeline, or `undefined` when the selection is cleared. */
  selected(frame: number | undefined): void;
}

/** One lane: video, figures, packet timeline and settings. */
export class LaneCard {
  readonly element: HTMLElement;
  readonly log = new LaneLog();
  readonly video: VideoView;
  readonly timeline: PacketTimeline;
  readonly #handlers: LaneCardHandlers;
  readonly #places = new Map<string, HTMLElement>();
  #settings: LaneSettings;
  #figures: LaneFigures | undefined;
  #run: number | undefined;
  #figuresShownAt = Number.NEGATIVE_INFINITY;
  #lagMs: number | undefined;
  #selected: number | undefined;

  constructor(settings: LaneSettings, handlers: LaneCardHandlers) {
    const template = document.getElementById('lane-template') as HTMLTemplateElement;
    this.element = (template.content.cloneNode(true) as DocumentFragment).querySelector('article')!;
    this.#handlers = handlers;
    this.#settings = settings;
    this.video = new VideoView(this.#part('.video', HTMLCanvasElement), () => {}, { tolerant: true });
    const timeline = this.#part('.timeline', HTMLCanvasElement);
    this.timeline = new PacketTimeline(timeline, this.log);
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

  /** Lag of the displayed frame behind live, milliseconds; `undefined` while no frame is displayed. */
  get lagMs(): number | undefined {
    return this.#lagMs;
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
    const { label = strategy, about = '' } = LANE_STRATEGIES.find(({ name }) => name === strategy) ?? {};
    const choice = this.#part('.strategy', HTMLSelectElement);
    choice.value = strategy;
    choice.title = about;
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
    onLoss.hidden = settings.transport === 'tcp';
  }

  number(index: number, removable: boolean): void {
    this.#part('.number', HTMLElement).textContent = String(index + 1);
    this.#part('.remove', HTMLButtonElement).hidden = !removable;
  }

  picture(picture: LanePicture): void {
    if (picture.run !== this.#run) {
      if (this.#run !== undefined) this.video.reset();
      this.#run = picture.run;
    }
    this.video.show({ ...picture, number: picture.frame, sentAtMs: picture.capturedMs });
  }

  /** Resets the lane for a new connection: run numbers and clock may belong to another server. */
  forget(): void {
    this.#run = undefined;
    this.video.reset();
    this.video.drawnSentAtMs = undefined;
    this.#figuresShownAt = Number.NEGATIVE_INFINITY;
    this.log.clear();
  }

  take(nowMs: number, events: LaneEvents): void {
    this.log.take(nowMs, events);
  }

  show(figures: LaneFigures): void {
    this.#figures = figures;
    const { framesOnTime, framesRecovered, framesLate, framesMended, framesLost, packets, packetsLost } = figures;
    const frames = framesOnTime + framesRecovered + framesLate + framesMended + framesLost;
    this.#setFigure('onTime', share(framesOnTime, frames));
    this.#setFigure('recovered', share(framesRecovered, frames));
    const [late, lateShare] = share(framesLate, frames);
    const lateDetail = framesMended > 0 ? `+${framesMended.toLocaleString('en-US')}${SPACE}mended` : lateShare;
    this.#setFigure('late', [late, lateDetail], framesLate + framesMended > 0 ? 'late' : '');
    this.#setFigure('lost', share(framesLost, frames), framesLost > 0 ? 'bad' : '');
    this.#setFigure('lag', [duration(figures.lagMsP50), `/ ${duration(figures.lagMsP95)}`]);
    this.#setFigure('freezes', [String(figures.freezes), '']);
    this.#setFigure('overhead', [figures.overhead === null ? '–' : percent(figures.overhead, 1), '']);
    this.#setFigure('packetsLost', [percent(packetsLost, packets), '']);
  }

  /** Shows what the lane delivers and, where it follows the path, what it aims at. */
  showRates(rates: LaneRates | undefined, encoder: LanesRates['encoder']): void {
    const delivered = rates ? megabits(rates.delivered) : '–';
    const { follows } = this.#settings;
    const target = follows && rates?.target ? ` of ${megabits(rates.target)}` : '';
    const size = follows && encoder ? `, ${encoder.width}${SPACE}×${SPACE}${encoder.height}` : '';
    this.#part('.rate', HTMLElement).textContent = `${delivered}${target}${size}`;
  }

  /** Shows in place of the picture why a lane that follows the path has none. @param why `undefined`: nothing is missing. */
  showAbsence(why: string | undefined): void {
    const missing = this.#settings.follows === true && why !== undefined;
    this.#part('.waiting', HTMLElement).textContent = missing ? why : WAITING;
    if (missing) delete this.element.dataset.playing;
    this.element.toggleAttribute('data-absent', missing);
  }

  /** Called once per animation frame. */
  refresh(
    nowMs: number,
    options: {
      readonly paused: boolean;
      /** One-way delay of the link, milliseconds. */
      readonly delayMs: number;
      readonly reduced: boolean;
      /** True when the timeline is to be redrawn in this animation frame. */
      readonly timeline: boolean;
    },
  ): void {
    this.video.paused = options.paused;
    this.video.present();
    if (this.video.framesDrawn > 0 && !this.element.hasAttribute('data-absent')) this.element.dataset.playing = '';
    if (options.paused) return;
    if (options.timeline) this.timeline.draw(nowMs, options.reduced);
    if (nowMs - this.#figuresShownAt < 100 && nowMs >= this.#figuresShownAt) return;
    this.#figuresShownAt = nowMs;
    const { drawnSentAtMs } = this.video;
    this.#lagMs = drawnSentAtMs === undefined ? undefined : Math.max(0, nowMs - drawnSentAtMs);
    const place = this.#part('.lag', HTMLElement);
    const excess = (this.#lagMs ?? 0) - this.#settings.latencyMs - options.delayMs;
    place.dataset.tone = excess > BAD_MS ? 'bad' : excess > LATE_MS ? 'late' : '';
    this.#part('.lag output', HTMLOutputElement).value = duration(this.#lagMs ?? null);
  }

  select(frame: number | undefined): void {
    this.#selected = frame;
    this.timeline.select(frame);
    const timeline = this.#part('.timeline', HTMLCanvasElement);
    timeline.ariaValueNow = String(frame ?? 0);
    timeline.ariaValueText = frame === undefined ? 'no frame selected' : `frame ${frame}`;
  }

  #listen(timeline: HTMLCanvasElement): void {
    const { changed, removed, selected } = this.#handlers;
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
    timeline.addEventListener('click', (event) => selected(this.timeline.frameAt(event.offsetX)));
    timeline.addEventListener('keydown', (event) => {
      const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
      if (step === 0) return;
      event.preventDefault();
      const newest = [...this.log.frames.keys()].at(-1);
      const from = this.#selected ?? newest;
      if (from === undefined) return;
      const next = this.#selected === undefined ? from : from + step;
      if (this.log.frames.has(next)) selected(next);
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

/** Formats a duration for display: `240 ms`, `1.24 s`. */
export function duration(value: number | null): string {
  if (value === null) return '–';
  return value < 1_000
    ? `${Math.round(value)}${SPACE}ms`
    : `${(value / 1_000).toFixed(value < 10_000 ? 2 : 1)}${SPACE}s`;
}

function percent(part: number, whole: number): string {
  if (whole === 0) return '–';
  const value = (part / whole) * 100;
  return `${value === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)}${SPACE}%`;
}

function share(part: number, whole: number): readonly [string, string] {
  return [part.toLocaleString('en-US'), part === 0 || whole === 0 ? '' : percent(part, whole)];
}
