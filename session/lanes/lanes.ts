import { now } from '../../io/os/clock.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Instant, type Microseconds, milliseconds, seconds } from '../../protocol/base/instant.ts';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import {
  type LaneEvents,
  type LaneFigures,
  type LaneSettings,
  serializeLanePicture,
} from '../../protocol/page/lane-message.ts';
import type { LinkSpecification, OutageWindow } from '../../sim/link/link-specification.ts';
import { Lane } from './lane.ts';
import { toMilliseconds } from './lane-journal.ts';

/** What the lanes know of the stream that they carry. */
interface LaneSource {
  readonly codecName: CodecName;
  readonly parameterSets: readonly Uint8Array[];
}

export interface LanesOptions {
  readonly lanes: readonly LaneSettings[];
  readonly link: LinkSpecification;
  /** A frame to be shown, as it goes to pages (`LanePicture`). */
  readonly onPicture: (importance: AccessUnit['importance'], lane: number, message: Uint8Array) => void;
}

/** How often the lanes are moved on. What happens in them has its exact time all the same; pages see it so much later. */
const STEP_MS = 4;

/** For so long the lanes wait for a frame that should be here; after that the source has stalled, and they go on. */
export const FRAME_LATE_MAX: Microseconds = seconds(1);
/** Until two frames have come, and for a source that pauses: how far away the next frame is. */
const INTERVAL_MAX: Microseconds = 100_000;

/**
 * Lanes side by side: the same frames at the same instants, over links that do the same.
 *
 * Their clock follows the real one, but does not pass the instant at which the next frame is due before it is here. So a
 * computer that is busy for a moment delays what is seen, and changes nothing of what happens in the lanes.
 */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #epoch: Instant = now();
  readonly #timer: NodeJS.Timeout;
  #lanes: Lane[];
  #runs = 0;
  /** What the lanes' clock shows. */
  #at: Instant = 0;
  /** When the newest frame was due; `undefined`: none has come since the lanes began anew, and their clock waits for it. */
  #dueAt: Instant | undefined;
  #interval: Microseconds = INTERVAL_MAX;
  #link: LinkSpecification;
  #freezes: readonly OutageWindow[] = [];
  #source: LaneSource | undefined;

  constructor(options: LanesOptions) {
    this.#options = options;
    this.#link = options.link;
    this.#lanes = options.lanes.map((settings, index) => this.#begin(settings, index));
    this.#timer = setInterval(() => this.#step(), STEP_MS);
  }

  /** Microseconds since the lanes began. */
  get now(): Instant {
    return now() - this.#epoch;
  }

  get nowMs(): number {
    return toMilliseconds(this.now);
  }

  get settings(): readonly LaneSettings[] {
    return this.#lanes.map((lane) => lane.settings);
  }

  get link(): LinkSpecification {
    return this.#link;
  }

  get figures(): readonly LaneFigures[] {
    return this.#lanes.map((lane) => lane.figures(this.#at));
  }

  /** Another source: every lane begins anew with its first key frame. */
  restart(source: LaneSource): void {
    this.#source = source;
    this.#dueAt = undefined;
    this.#lanes = this.#lanes.map((lane, index) => this.#begin(lane.settings, index));
  }

  /** @param dueAt when the frame's time came, on the process's clock. */
  send(unit: AccessUnit, dueAt: Instant): void {
    const due = dueAt - this.#epoch;
    if (this.#dueAt !== undefined) this.#interval = Math.min(INTERVAL_MAX, Math.max(0, due - this.#dueAt));
    this.#dueAt = due;
    this.#at = Math.max(this.#at, due);
    for (const lane of this.#lanes) lane.send(this.#at, unit);
  }

  /** Lanes whose settings stay as they are go on; the others begin anew. */
  change(lanes: readonly LaneSettings[]): void {
    this.#lanes = lanes.map((settings, index) => {
      const lane = this.#lanes[index];
      return lane && sameSettings(lane.settings, settings) ? lane : this.#begin(settings, index);
    });
  }

  /** From now on every lane's link is this one; the seed stays. */
  reconfigure(link: LinkSpecification): void {
    this.#link = { ...link, seed: this.#link.seed };
    this.#apply();
  }

  dropNext(packets: number): void {
    for (const lane of this.#lanes) lane.dropNext(packets);
  }

  freeze(spanMs: number): void {
    const from = this.#at;
    const until = from + milliseconds(spanMs);
    // What is over is forgotten; one that is asked for while another lasts takes its place from here on.
    this.#freezes = [{ from, until }];
    this.#apply();
  }

  /** `undefined`: there is no such lane. */
  captureFile(lane: number): Uint8Array | undefined {
    return this.#lanes[lane]?.captureFile();
  }

  takeEvents(): readonly LaneEvents[] {
    return this.#lanes.map((lane) => lane.takeEvents());
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #apply(): void {
    const link = this.#linkWithFreezes();
    for (const lane of this.#lanes) lane.reconfigure(this.#at, link);
  }

  #linkWithFreezes(): LinkSpecification {
    const link = this.#link;
    if (this.#freezes.length === 0) return link;
    return { ...link, outages: [...(link.outages ?? []), ...this.#freezes].sort((a, b) => a.from - b.from) };
  }

  #begin(settings: LaneSettings, index: number): Lane {
    return new Lane({
      settings,
      link: this.#linkWithFreezes(),
      run: this.#runs++ % 256,
      startsAt: this.#at,
      onPicture: ({ unit, frame, run, capturedAt }) => {
        const key = unit.importance === 'key';
        const message = serializeLanePicture({
          lane: index,
          run,
          frame,
          key,
          timestamp: unit.timestamp,
          capturedMs: toMilliseconds(capturedAt),
          parts: key ? this.#joinable(unit.parts) : unit.parts,
        });
        this.#options.onPicture(unit.importance, index, message);
      },
    });
  }

  /** A page may join at any key frame, and needs its parameter sets. */
  #joinable(parts: AccessUnit['parts']): AccessUnit['parts'] {
    const source = this.#source;
    return source ? codecByName(source.codecName).withParameterSets(parts, source.parameterSets) : parts;
  }

  #step(): void {
    if (this.#dueAt === undefined) return;
    const at = this.now;
    const next = this.#dueAt + this.#interval;
    this.#at = Math.max(this.#at, at > next + FRAME_LATE_MAX ? at : Math.min(at, next));
    for (const [index, lane] of this.#lanes.entries()) {
      lane.runUntil(this.#at);
      if (lane.failed) this.#lanes[index] = this.#begin(lane.settings, index);
    }
  }
}

/** Whether the settings mean the same: the recovery of a lane over TCP, say, means nothing. */
function sameSettings(a: LaneSettings, b: LaneSettings): boolean {
  if (a.transport !== b.transport || a.latencyMs !== b.latencyMs) return false;
  return a.transport === 'tcp'
    ? a.congestionControl === b.congestionControl
    : a.recovery === b.recovery && a.onLoss === b.onLoss;
}
