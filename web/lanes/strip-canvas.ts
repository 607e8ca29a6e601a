/** Time between two drawings with reduced motion, milliseconds. */
const REDUCED_STEP_MS = 1_000;

/** A canvas that was cleared for a drawing, in CSS pixels. */
interface Drawing {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
}

/** A canvas with a time axis: as many pixels as the screen has for it, and the colors of the page. */
export class StripCanvas<Color extends string> {
  readonly #canvas: HTMLCanvasElement;
  readonly #names: readonly Color[];
  /** Read at the first drawing: before, the canvas is not in the document and has no style. */
  #colors: Readonly<Record<string, string>> | undefined;
  #drawnMs = Number.NEGATIVE_INFINITY;
  readonly #resized = new ResizeObserver(() => this.invalidate());
  readonly #closed = new AbortController();

  /** @param colors names of custom properties. */
  constructor(canvas: HTMLCanvasElement, colors: readonly Color[]) {
    this.#canvas = canvas;
    this.#names = colors;
    const recolor = () => {
      this.#colors = undefined;
      this.invalidate();
    };
    const { signal } = this.#closed;
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', recolor, { signal });
    this.#resized.observe(canvas);
  }

  /** Ends what the window would keep alive together with what is drawn. */
  close(): void {
    this.#resized.disconnect();
    this.#closed.abort();
  }

  /** Marks the drawing as outdated. */
  invalidate(): void {
    this.#drawnMs = Number.NEGATIVE_INFINITY;
  }

  /** True when what was drawn is not that time, or not in its present size, colors and content. */
  isStaleAt(nowMs: number): boolean {
    return this.#drawnMs !== nowMs;
  }

  /**
   * Begins a drawing; `undefined` when there is nothing to be drawn now.
   * @param reduced true for reduced motion: at most one drawing per second.
   */
  begin(nowMs: number, reduced: boolean): Drawing | undefined {
    if (reduced && nowMs - this.#drawnMs < REDUCED_STEP_MS && nowMs >= this.#drawnMs) return undefined;
    const context = this.#canvas.getContext('2d');
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (context === null || width === 0) return undefined;
    this.#drawnMs = nowMs;
    const [pixelsX, pixelsY] = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)];
    if (this.#canvas.width !== pixelsX || this.#canvas.height !== pixelsY) {
      this.#canvas.width = pixelsX;
      this.#canvas.height = pixelsY;
    }
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = '11px system-ui, sans-serif';
    context.textBaseline = 'middle';
    return { context, width, height };
  }

  color(name: Color): string {
    this.#colors ??= this.#read();
    return this.#colors[name] ?? '';
  }

  #read(): Readonly<Record<string, string>> {
    const style = getComputedStyle(this.#canvas);
    return Object.fromEntries(this.#names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  }
}
