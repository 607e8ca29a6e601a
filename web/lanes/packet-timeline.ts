import { type Frame, isShown, type Packet, type TimelineLog } from './lane-log.ts';
import { StripCanvas } from './strip-canvas.ts';

/** Time span shown, milliseconds. */
const WINDOW_MS = 3_000;
const TOP = 4;
const BOTTOM = 12;
/** Width of the labels at the left, CSS pixels. */
export const GUTTER = 52;
/** Height of the receiver's line, as a share of the way from top to bottom. */
const RECEIVED = 0.56;
/** End of a lost packet's line, as a share of the way to the receiver. */
const LOST = 0.6;
/** Assumed transit of a packet that has not arrived, milliseconds. */
const TRANSIT_MS = 30;
/** Largest distance between a click and the frame it selects, CSS pixels. */
const REACH = 24;

type PacketFate = 'delivered' | 'reordered' | 'again' | 'repair' | 'late' | 'held' | 'lost';

/** In drawing order: the more important fates are drawn last, on top. */
const FATES: readonly PacketFate[] = ['delivered', 'repair', 'reordered', 'late', 'again', 'held', 'lost'];

const COLORS = [...FATES, 'rule', 'quiet', 'ink', 'good', 'bad', 'recovered'] as const;
type Color = (typeof COLORS)[number];

export interface View {
  readonly nowMs: number;
  /** Time up to which events are known, milliseconds. */
  readonly knownMs: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Canvas with the packets of the last seconds, newest at the right. A packet is a line from the sender (top) to the
 * receiver (middle) and on to the screen (bottom). Packets that wait for a missing one run flat along the receiver's
 * line.
 */
export class PacketTimeline {
  readonly #strip: StripCanvas<Color>;
  #log: TimelineLog;
  #view: View | undefined;
  #selected: number | undefined;

  constructor(canvas: HTMLCanvasElement, log: TimelineLog) {
    this.#strip = new StripCanvas(canvas, COLORS);
    this.#log = log;
  }

  /** Ends what the window would keep alive together with the log. */
  close(): void {
    this.#strip.close();
  }

  /** Draws another log from now on. */
  use(log: TimelineLog): void {
    this.#log = log;
  }

  select(frame: number | undefined): void {
    this.#selected = frame;
    this.#strip.invalidate();
  }

  /** True when what was drawn is not that time, or not in its present size, colors and selection. */
  isStaleAt(nowMs: number): boolean {
    return this.#strip.isStaleAt(nowMs);
  }

  /** Draws the timeline. @param reduced true for reduced motion: at most one drawing per second. */
  draw(nowMs: number, reduced: boolean): void {
    const drawing = this.#strip.begin(nowMs, reduced);
    if (!drawing) return;
    const { context, width, height } = drawing;
    this.#view = { nowMs, knownMs: Math.min(nowMs, this.#log.knownMs), width, height };
    this.#drawGround(context, width, height);
    context.save();
    context.beginPath();
    context.rect(GUTTER, 0, width - GUTTER, height);
    context.clip();
    this.#drawPackets(context, this.#view);
    this.#drawFrames(context, this.#view);
    context.restore();
  }

  /** Returns the number of the frame nearest to `x` (CSS pixels); `undefined` when none is near. */
  frameAt(x: number): number | undefined {
    if (!this.#view) return undefined;
    let best: number | undefined;
    let nearest = REACH;
    for (const frame of this.#log.frames.values()) {
      const away = Math.abs(xAt(this.#view, frame.decidedMs) - x);
      if (away <= nearest) {
        nearest = away;
        best = frame.number;
      }
    }
    return best;
  }

  #drawGround(context: CanvasRenderingContext2D, width: number, height: number): void {
    for (const [word, y] of [
      ['sent', TOP],
      ['received', receivedAt(height)],
      ['shown', height - BOTTOM],
    ] as const) {
      context.fillStyle = this.#strip.color('rule');
      context.fillRect(GUTTER, Math.round(y), width - GUTTER, 1);
      context.fillStyle = this.#strip.color('quiet');
      context.fillText(word, 0, word === 'sent' ? y + 4 : y);
    }
  }

  #drawPackets(context: CanvasRenderingContext2D, view: View): void {
    const paths = new Map(FATES.map((fate) => [fate, new Path2D()]));
    const from = view.nowMs - WINDOW_MS;
    const selected = new Path2D();
    for (const packet of this.#log.packets.values()) {
      if (packet.kind === 'control') continue;
      const frame = this.#log.frames.get(packet.frame);
      const end = Math.max(packet.freedMs ?? 0, packet.arrivedMs ?? 0, frame?.decidedMs ?? 0);
      const open = packet.held && packet.freedMs === undefined;
      if (packet.sentMs < from && end < from && !open) continue;
      this.#trace(paths, view, packet, frame);
      if (packet.frame === this.#selected) addTransit(selected, view, packet);
    }
    for (const fate of FATES) {
      context.strokeStyle = this.#strip.color(fate);
      context.lineWidth = fate === 'held' || fate === 'lost' ? 1.6 : 1;
      context.stroke(paths.get(fate)!);
    }
    context.strokeStyle = this.#strip.color('ink');
    context.lineWidth = 2;
    context.stroke(selected);
  }

  #trace(paths: ReadonlyMap<PacketFate, Path2D>, view: View, packet: Packet, frame: Frame | undefined): void {
    const fate = fateOf(packet);
    addTransit(paths.get(fate)!, view, packet);
    if (packet.arrivedMs === undefined) return;
    const middle = receivedAt(view.height);
    let [x, y] = [xAt(view, packet.arrivedMs), middle];
    if (packet.held) {
      const waiting = paths.get('held')!;
      // Spread over nine rows, so that the number of waiting packets is visible.
      y = middle + 2 + (packet.number % 9);
      waiting.moveTo(x, y);
      x = xAt(view, packet.freedMs ?? view.knownMs);
      waiting.lineTo(x, y);
      if (packet.freedMs === undefined) return;
    }
    if (frame === undefined || packet.late || frame.decidedMs < packet.arrivedMs) return;
    const wait = paths.get(packet.held ? 'held' : fate)!;
    wait.moveTo(x, y);
    wait.lineTo(xAt(view, frame.decidedMs), view.height - BOTTOM);
  }

  #drawFrames(context: CanvasRenderingContext2D, view: View): void {
    const y = view.height - BOTTOM;
    for (const frame of this.#log.frames.values()) {
      const x = xAt(view, frame.decidedMs);
      if (x < GUTTER - 4) continue;
      const shown = isShown(frame.class);
      context.fillStyle = context.strokeStyle = this.#frameColor(frame);
      if (shown) context.fillRect(x - 1.5, y + 2, 3, 7);
      else {
        context.lineWidth = 1;
        context.strokeRect(x - 1, y + 2.5, 2, 6);
      }
      if (frame.number === this.#selected) {
        context.strokeStyle = this.#strip.color('ink');
        context.lineWidth = 1.5;
        context.strokeRect(x - 3.5, y + 0.5, 7, 10);
      }
    }
  }

  #frameColor({ class: frameClass }: Frame): string {
    switch (frameClass) {
      case 'onTime':
        return this.#strip.color('good');
      case 'recovered':
        return this.#strip.color('recovered');
      case 'late':
      case 'mended':
        return this.#strip.color('held');
      default:
        return this.#strip.color('bad');
    }
  }
}

const receivedAt = (height: number): number => TOP + (height - TOP - BOTTOM) * RECEIVED;
/** Returns the position of a time, CSS pixels. */
export const xAt = ({ nowMs, width }: View, atMs: number): number =>
  width - ((nowMs - atMs) / WINDOW_MS) * (width - GUTTER);

export function fateOf(packet: Packet): PacketFate {
  if (packet.lost) return 'lost';
  if (packet.late) return 'late';
  if (packet.kind === 'again') return 'again';
  if (packet.kind === 'repair') return 'repair';
  if (packet.held) return 'held';
  return packet.reordered ? 'reordered' : 'delivered';
}

/** Adds a packet's line from the sender to the receiver, or to the point where it was lost or is now. */
function addTransit(path: Path2D, view: View, packet: Packet): void {
  const x = xAt(view, packet.sentMs);
  const middle = receivedAt(view.height);
  path.moveTo(x, TOP);
  if (packet.lost) {
    const [endX, endY] = [xAt(view, packet.sentMs + TRANSIT_MS * LOST), TOP + (middle - TOP) * LOST];
    path.lineTo(endX, endY);
    path.moveTo(endX - 3, endY - 3);
    path.lineTo(endX + 3, endY + 3);
    path.moveTo(endX + 3, endY - 3);
    path.lineTo(endX - 3, endY + 3);
  } else if (packet.arrivedMs === undefined) {
    const underWay = Math.min(0.95, (view.knownMs - packet.sentMs) / (4 * TRANSIT_MS));
    path.lineTo(xAt(view, Math.max(packet.sentMs, view.knownMs)), TOP + (middle - TOP) * Math.max(0, underWay));
  } else path.lineTo(xAt(view, packet.arrivedMs), middle);
}
