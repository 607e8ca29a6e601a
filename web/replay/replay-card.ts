import { colorOf } from '../lanes/lane-color.ts';
import { LANE_STRATEGIES, LANE_STYLES, strategyLabel, strategyOf } from '../lanes/lane-style.ts';
import type { Taught } from '../lanes/lesson.ts';
import { PacketTimeline } from '../lanes/packet-timeline.ts';
import { shape } from '../lanes/svg-shapes.ts';
import { roughly } from '../lanes/text.ts';
import { shownRightText } from '../lanes/verdict.ts';
import { made } from './parts.ts';
import { ReplayDecoder } from './replay-decoder.ts';
import type { ReplayedRun } from './replayed-run.ts';

const UNABLE = 'This browser cannot decode the pictures. The frames, packets and figures are all here.';
const MISSING = 'This window did not keep up then, and has no pictures of it.';
const NONE = 'No picture yet';

/** One recorded lane: its picture, verdict, figures and packets at a time. */
export class ReplayCard {
  readonly element: HTMLElement;
  readonly #runs: readonly ReplayedRun[];
  readonly #decoder: ReplayDecoder;
  readonly #timeline: PacketTimeline;
  readonly #marker = shape('path', {});
  readonly #parts = {
    name: made('h3', { class: 'replay-name' }),
    about: made('p', { class: 'about strategy-about' }),
    video: made('canvas', { class: 'video', width: '640', height: '360', role: 'img' }),
    waiting: made('p', { class: 'waiting' }),
    verdict: made('p', { class: 'verdict' }),
    right: made('dd'),
    behind: made('dd'),
    timeline: made('canvas', { class: 'timeline', role: 'img' }),
  };
  #run: ReplayedRun | undefined;

  /** @param selected called with a frame that is clicked in the packet timeline. */
  constructor(place: number, runs: readonly ReplayedRun[], selected: (run: ReplayedRun, frame: number) => void) {
    this.#runs = runs;
    const { name, about, video, waiting, verdict, right, behind, timeline } = this.#parts;
    const marker = shape('svg', { class: 'marker', viewBox: '-1.3 -1.3 2.6 2.6', 'aria-hidden': 'true' });
    marker.append(this.#marker);
    const figure = (term: string, value: HTMLElement) => made('div', {}, made('dt', {}, term), value);
    this.element = made(
      'article',
      { class: 'lane' },
      made(
        'div',
        { class: 'card' },
        made('header', {}, made('kbd', { class: 'number', 'aria-hidden': 'true' }, String(place + 1)), marker, name),
        about,
        made('div', { class: 'screen' }, video, waiting),
        verdict,
        made('dl', { class: 'hero' }, figure('Pictures shown right', right), figure('Behind live', behind)),
        timeline,
      ),
    );
    this.#decoder = new ReplayDecoder(video);
    this.#timeline = new PacketTimeline(timeline, { packets: new Map(), frames: new Map(), knownMs: 0 });
    timeline.addEventListener('click', ({ offsetX }) => {
      const frame = this.#timeline.frameAt(offsetX);
      if (this.#run && frame !== undefined) selected(this.#run, frame);
    });
  }

  /** The lane as the lesson sees it; `undefined` while it is not there. */
  get taught(): Taught | undefined {
    return this.#run?.standingAt(this.#atMs)?.taught;
  }

  /** Name and verdict in words; empty while the lane is not there. */
  get said(): string {
    const { taught } = this;
    return taught ? `${strategyLabel(strategyOf(taught.settings))}: ${taught.verdict.plain}` : '';
  }

  /** True when the picture of the time is on the canvas, or none can be. */
  get isSettled(): boolean {
    return this.#run === undefined || this.#decoder.isSettled || this.#decoder.unable;
  }

  #atMs = 0;

  /** @param atMs time in the recording; @param nowMs that of the page; @param isPlaying true while it plays. */
  show(atMs: number, nowMs: number, isPlaying: boolean): void {
    this.#atMs = atMs;
    const run = this.#runs.find((other) => other.isOnAt(atMs)) ?? this.#last(atMs);
    this.element.hidden = run === undefined;
    if (run !== this.#run) this.#begin(run);
    if (!run) return this.#decoder.hide();
    const index = run.pictureAt(atMs);
    const isShown = this.#decoder.show(run, index ?? -1, nowMs, isPlaying);
    this.element.toggleAttribute('data-playing', isShown);
    setText(this.#parts.waiting, this.#decoder.unable ? UNABLE : index === undefined ? MISSING : NONE);
    // While it stands still, drawing it again and again would only cost processor time.
    if (!this.#timeline.isStaleAt(atMs)) return;
    this.#timeline.use(run.logAt(atMs));
    this.#timeline.draw(atMs, false);
    const standing = run.standingAt(atMs);
    const behindMs = run.behindAt(atMs);
    this.#parts.verdict.dataset.kind = standing?.taught.verdict.kind ?? 'waiting';
    setText(this.#parts.verdict, standing?.taught.verdict.words ?? 'Waiting for a picture');
    setText(this.#parts.right, standing ? shownRightText(standing.figures) : '–');
    setText(this.#parts.behind, behindMs === undefined ? '–' : roughly(behindMs));
  }

  select(frame: number | undefined): void {
    this.#timeline.select(frame);
  }

  close(): void {
    this.#decoder.close();
    this.#timeline.close();
  }

  /** The run that goes on until the end of the recording is there at the end too. */
  #last(atMs: number): ReplayedRun | undefined {
    return this.#runs.find(({ recorded }) => recorded.untilMs === atMs && recorded.fromMs <= atMs);
  }

  #begin(run: ReplayedRun | undefined): void {
    this.#run = run;
    this.#timeline.select(undefined);
    if (!run) return;
    const { settings } = run.recorded;
    const strategy = strategyOf(settings);
    const style = LANE_STYLES[strategy];
    const color = colorOf(strategy);
    this.element.style.setProperty('--lane', color);
    for (const [name, value] of Object.entries({
      d: style?.marker ?? '',
      fill: style?.filled ? color : 'none',
      stroke: color,
      'stroke-width': '.35',
    })) {
      this.#marker.setAttribute(name, value);
    }
    const label = strategyLabel(strategy);
    setText(this.#parts.name, label);
    const about = LANE_STRATEGIES.find(({ name }) => name === strategy)?.about ?? '';
    setText(this.#parts.about, `${about} ${settings.latencyMs} ms latency.`);
    this.element.ariaLabel = `Lane: ${label}`;
    this.#parts.video.ariaLabel = `Recorded video over ${label}`;
    this.#parts.timeline.ariaLabel = `Packets of ${label}; a click selects a frame`;
  }
}

function setText(place: HTMLElement, text: string): void {
  if (place.textContent !== text) place.textContent = text;
}
