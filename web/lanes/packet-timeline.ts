import type { Frame, LaneLog, Packet } from './lane-log.ts';

/** How much of the past is in view. */
const WINDOW_MS = 3_000;
const REDUCED_STEP_MS = 1_000;
const TOP = 4;
const BOTTOM = 12;
/** The words stand left of where packets flow. */
const GUTTER = 52;
/** The receiver's line, as a share of the way down. */
const RECEIVED = 0.56;
/** A lost packet's mark ends here, as a share of the way to the receiver. */
const LOST = 0.6;
/** Until one knows better: how long a packet takes. */
const TRANSIT_MS = 30;
/** A click means a frame that is no further away than this, CSS pixels. */
const REACH = 24;

type Fate = 'delivered' | 'reordered' | 'again' | 'repair' | 'late' | 'held' | 'lost';

/** Drawn in this order, so that what matters is on top. */
const FATES: readonly Fate[] = ['delivered', 'repair', 'reordered', 'late', 'again', 'held', 'lost'];

const COLORS = [...FATES, 'rule', 'quiet', 'ink', 'good', 'bad', 'recovered'];

interface Look {
  readonly nowMs: number;
  /** What happened later than this is not known yet. */
  readonly knownMs: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Time runs from right to left; each packet is a line that falls from the sender (above) to the receiver and from there
 * to the screen (below). What waits behind a hole lies flat on the receiver's line: that is the jam.
 */
export class PacketTimeline {
  readonly #canvas: HTMLCanvasElement;
  readonly #log: LaneLog;
  /** Read when first drawn: before, the canvas is not on the page and has no style. */
  #colors: Readonly<Record<string, string>> | undefined;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #look: Look | undefined;
  #selected: number | undefined;

  constructor(canvas: HTMLCanvasElement, log: LaneLog) {
    this.#canvas = canvas;
    this.#log = log;
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#colors = undefined;
      this.#drawnMs = Number.NEGATIVE_INFINITY;
    });
    new ResizeObserver(() => {
      this.#drawnMs = Number.NEGATIVE_INFINITY;
    }).observe(canvas);
  }

  select(frame: number | undefined): void {
    this.#selected = frame;
    this.#drawnMs = Number.NEGATIVE_INFINITY;
  }

  /** @param reduced the reader wants little motion: one picture a second. */
  draw(nowMs: number, reduced: boolean): void {
    if (reduced && nowMs - this.#drawnMs < REDUCED_STEP_MS && nowMs >= this.#drawnMs) return;
    const context = this.#canvas.getContext('2d');
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (context === null || width === 0) return;
    this.#drawnMs = nowMs;
    this.#look = { nowMs, knownMs: Math.min(nowMs, this.#log.knownMs), width, height };
    const [pixelsX, pixelsY] = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)];
    if (this.#canvas.width !== pixelsX || this.#canvas.height !== pixelsY) {
      this.#canvas.width = pixelsX;
      this.#canvas.height = pixelsY;
    }
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.#drawGround(context, width, height);
    context.save();
    context.beginPath();
    context.rect(GUTTER, 0, width - GUTTER, height);
    context.clip();
    this.#drawPackets(context, this.#look);
    this.#drawFrames(context, this.#look);
    context.restore();
  }

  /** The frame that a click means; `undefined`: none is near. */
  frameAt(x: number): number | undefined {
    if (!this.#look) return undefined;
    let best: number | undefined;
    let nearest = REACH;
    for (const frame of this.#log.frames.values()) {
      const away = Math.abs(place(this.#look, frame.decidedMs) - x);
      if (away <= nearest) {
        nearest = away;
        best = frame.number;
      }
    }
    return best;
  }

  #color(name: string): string {
    this.#colors ??= this.#readColors();
    return this.#colors[name] ?? '';
  }

  #readColors(): Readonly<Record<string, string>> {
    const style = getComputedStyle(this.#canvas);
    return Object.fromEntries(COLORS.map((color) => [color, style.getPropertyValue(`--${color}`).trim()]));
  }

  #drawGround(context: CanvasRenderingContext2D, width: number, height: number): void {
    context.font = '11px system-ui, sans-serif';
    context.textBaseline = 'middle';
    for (const [word, y] of [
      ['sent', TOP],
      ['received', receivedAt(height)],
      ['shown', height - BOTTOM],
    ] as const) {
      context.fillStyle = this.#color('rule');
      context.fillRect(GUTTER, Math.round(y), width - GUTTER, 1);
      context.fillStyle = this.#color('quiet');
      context.fillText(word, 0, word === 'sent' ? y + 4 : y);
    }
  }

  #drawPackets(context: CanvasRenderingContext2D, look: Look): void {
    const paths = new Map(FATES.map((fate) => [fate, new Path2D()]));
    const from = look.nowMs - WINDOW_MS;
    const selected = new Path2D();
    for (const packet of this.#log.packets.values()) {
      if (packet.kind === 'control') continue;
      const frame = this.#log.frames.get(packet.frame);
      const end = Math.max(packet.freedMs ?? 0, packet.arrivedMs ?? 0, frame?.decidedMs ?? 0);
      const open = packet.held && packet.freedMs === undefined;
      if (packet.sentMs < from && end < from && !open) continue;
      this.#trace(paths, look, packet, frame);
      if (packet.frame === this.#selected) fall(selected, look, packet);
    }
    for (const fate of FATES) {
      context.strokeStyle = this.#color(fate);
      context.lineWidth = fate === 'held' || fate === 'lost' ? 1.6 : 1;
      context.stroke(paths.get(fate)!);
    }
    context.strokeStyle = this.#color('ink');
    context.lineWidth = 2;
    context.stroke(selected);
  }

  #trace(paths: ReadonlyMap<Fate, Path2D>, look: Look, packet: Packet, frame: Frame | undefined): void {
    const fate = fateOf(packet);
    fall(paths.get(fate)!, look, packet);
    if (packet.arrivedMs === undefined) return;
    const middle = receivedAt(look.height);
    let [x, y] = [place(look, packet.arrivedMs), middle];
    if (packet.held) {
      const jam = paths.get('held')!;
      // Spread a little, so that a jam shows how many wait in it.
      y = middle + 2 + (packet.number % 9);
      jam.moveTo(x, y);
      x = place(look, packet.freedMs ?? look.knownMs);
      jam.lineTo(x, y);
      if (packet.freedMs === undefined) return;
    }
    if (frame === undefined || packet.late || frame.decidedMs < packet.arrivedMs) return;
    const wait = paths.get(packet.held ? 'held' : fate)!;
    wait.moveTo(x, y);
    wait.lineTo(place(look, frame.decidedMs), look.height - BOTTOM);
  }

  #drawFrames(context: CanvasRenderingContext2D, look: Look): void {
    const y = look.height - BOTTOM;
    for (const frame of this.#log.frames.values()) {
      const x = place(look, frame.decidedMs);
      if (x < GUTTER - 4) continue;
      const shown = frame.fate === 'onTime' || frame.fate === 'recovered' || frame.fate === 'late';
      context.fillStyle = context.strokeStyle = this.#frameColor(frame);
      if (shown) context.fillRect(x - 1.5, y + 2, 3, 7);
      else {
        context.lineWidth = 1;
        context.strokeRect(x - 1, y + 2.5, 2, 6);
      }
      if (frame.number === this.#selected) {
        context.strokeStyle = this.#color('ink');
        context.lineWidth = 1.5;
        context.strokeRect(x - 3.5, y + 0.5, 7, 10);
      }
    }
  }

  #frameColor({ fate }: Frame): string {
    switch (fate) {
      case 'onTime':
        return this.#color('good');
      case 'recovered':
        return this.#color('recovered');
      case 'late':
        return this.#color('held');
      default:
        return this.#color('bad');
    }
  }
}

const receivedAt = (height: number): number => TOP + (height - TOP - BOTTOM) * RECEIVED;
const place = ({ nowMs, width }: Look, atMs: number): number => width - ((nowMs - atMs) / WINDOW_MS) * (width - GUTTER);

export function fateOf(packet: Packet): Fate {
  if (packet.lost) return 'lost';
  if (packet.late) return 'late';
  if (packet.kind === 'again') return 'again';
  if (packet.kind === 'repair') return 'repair';
  if (packet.held) return 'held';
  return packet.reordered ? 'reordered' : 'delivered';
}

/** From the sender to the receiver, or as far as it came. */
function fall(path: Path2D, look: Look, packet: Packet): void {
  const x = place(look, packet.sentMs);
  const middle = receivedAt(look.height);
  path.moveTo(x, TOP);
  if (packet.lost) {
    const [endX, endY] = [place(look, packet.sentMs + TRANSIT_MS * LOST), TOP + (middle - TOP) * LOST];
    path.lineTo(endX, endY);
    path.moveTo(endX - 3, endY - 3);
    path.lineTo(endX + 3, endY + 3);
    path.moveTo(endX + 3, endY - 3);
    path.lineTo(endX - 3, endY + 3);
  } else if (packet.arrivedMs === undefined) {
    const underWay = Math.min(0.95, (look.knownMs - packet.sentMs) / (4 * TRANSIT_MS));
    path.lineTo(place(look, Math.max(packet.sentMs, look.knownMs)), TOP + (middle - TOP) * Math.max(0, underWay));
  } else path.lineTo(place(look, packet.arrivedMs), middle);
}
