import { now } from '../io/clock.ts';
import type { AccessUnit } from '../protocol/access-unit.ts';
import { withParameterSets } from '../protocol/h264/parameter-sets.ts';
import { type Instant, milliseconds } from '../protocol/instant.ts';
import {
  type LaneEvents,
  type LaneFigures,
  type LaneSettings,
  serializeLanePicture,
} from '../protocol/lane-message.ts';
import type { LinkSpecification, OutageWindow } from '../sim/link-specification.ts';
import { Lane } from './lane.ts';
import { toMilliseconds } from './lane-journal.ts';

export interface LanesOptions {
  readonly lanes: readonly LaneSettings[];
  readonly link: LinkSpecification;
  /** A frame to be shown, as it goes to pages (`LanePicture`). */
  readonly onPicture: (importance: AccessUnit['importance'], lane: number, message: Uint8Array) => void;
}

/** How often the lanes are moved on. What happens in them has its exact time all the same; pages see it so much later. */
const STEP_MS = 4;

/** Lanes side by side: the same frames at the same instants, over links that do the same. */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #epoch: Instant = now();
  readonly #timer: NodeJS.Timeout;
  #lanes: Lane[];
  #runs = 0;
  #link: LinkSpecification;
  #freezes: readonly OutageWindow[] = [];
  #parameterSets: readonly Uint8Array[] = [];

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
    const at = this.now;
    return this.#lanes.map((lane) => lane.figures(at));
  }

  /** Another source: every lane begins anew with its first key frame. */
  restart(parameterSets: readonly Uint8Array[]): void {
    this.#parameterSets = parameterSets;
    this.#lanes = this.#lanes.map((lane, index) => this.#begin(lane.settings, index));
  }

  send(unit: AccessUnit): void {
    const at = this.now;
    for (const lane of this.#lanes) lane.send(at, unit);
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
    const from = this.now;
    const until = from + milliseconds(spanMs);
    // What is over is forgotten; one that is asked for while another lasts takes its place from here on.
    this.#freezes = [{ from, until }];
    this.#apply();
  }

  takeEvents(): readonly LaneEvents[] {
    return this.#lanes.map((lane) => lane.takeEvents());
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #apply(): void {
    const at = this.now;
    const link = this.#linkWithFreezes();
    for (const lane of this.#lanes) lane.reconfigure(at, link);
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
      startsAt: this.now,
      onPicture: ({ unit, frame, run, capturedAt }) => {
        const key = unit.importance === 'key';
        const message = serializeLanePicture({
          lane: index,
          run,
          frame,
          key,
          timestamp: unit.timestamp,
          capturedMs: toMilliseconds(capturedAt),
          // A page may join at any key frame, and needs its parameter sets.
          nalUnits: key ? withParameterSets(unit.nalUnits, this.#parameterSets) : unit.nalUnits,
        });
        this.#options.onPicture(unit.importance, index, message);
      },
    });
  }

  #step(): void {
    const at = this.now;
    for (const [index, lane] of this.#lanes.entries()) {
      lane.runUntil(at);
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
