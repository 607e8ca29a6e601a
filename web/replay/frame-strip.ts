import type { FrameClass } from '../../protocol/frame-class.ts';
import type { ReplayedRun } from './replayed-run.ts';

/** Colors by class of frame, as in the packet timeline. */
const COLORS: Readonly<Partial<Record<FrameClass, string>>> = {
  onTime: '--good',
  recovered: '--recovered',
  late: '--held',
};
/** Color of the frames that were never shown. */
const LOST = '--bad';
/** Classes by increasing weight: where frames share a column, the worst one is seen. */
const WEIGHTS: readonly FrameClass[] = ['onTime', 'recovered', 'late', 'mended'];

/** One line with all frames of a recorded lane, by time: what was shown, and what was not. */
export class FrameStrip {
  readonly element = document.createElement('canvas');
  readonly #runs: readonly ReplayedRun[];
  readonly #span: { readonly fromMs: number; readonly untilMs: number };
  readonly #resized = new ResizeObserver(() => this.draw());
  readonly #closed = new AbortController();

  constructor(runs: readonly ReplayedRun[], span: { readonly fromMs: number; readonly untilMs: number }) {
    this.#runs = runs;
    this.#span = span;
    this.element.className = 'frame-strip';
    this.element.ariaHidden = 'true';
    this.#resized.observe(this.element);
    const { signal } = this.#closed;
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw(), { signal });
  }

  close(): void {
    this.#resized.disconnect();
    this.#closed.abort();
  }

  draw(): void {
    const { clientWidth, clientHeight } = this.element;
    const [width, height] = [Math.round(clientWidth * devicePixelRatio), Math.round(clientHeight * devicePixelRatio)];
    const context = this.element.getContext('2d');
    if (context === null || width === 0) return;
    Object.assign(this.element, { width, height });
    const style = getComputedStyle(this.element);
    const color = (name: string) => style.getPropertyValue(name).trim();
    const { fromMs, untilMs } = this.#span;
    const pixels = width / Math.max(1, untilMs - fromMs);
    const frames = this.#runs.flatMap((run) => run.frames).sort((a, b) => weightOf(a.class) - weightOf(b.class));
    for (const { decidedMs, class: name } of frames) {
      const isShown = name in COLORS;
      context.fillStyle = color(COLORS[name] ?? (name === 'mended' ? '--held' : LOST));
      const column = Math.max(1, 12 * pixels);
      // Frames not shown are drawn lower, so that they are told apart without their color.
      const top = isShown ? 0 : height / 2;
      context.fillRect((decidedMs - fromMs) * pixels, top, column, height - top);
    }
  }
}

const weightOf = (name: FrameClass): number => {
  const weight = WEIGHTS.indexOf(name);
  return weight < 0 ? WEIGHTS.length : weight;
};
