import { now } from '../../io/os/clock.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import {
  type Instant,
  instant,
  type Microseconds,
  microseconds,
  milliseconds,
  seconds,
  sinceEpoch,
  toMilliseconds,
} from '../../protocol/base/units.ts';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import {
  type LaneEvents,
  type LaneFigures,
  type LaneSettings,
  serializeLanePicture,
} from '../../protocol/page/lane-message.ts';
import type { LinkSpecification, OutageWindow } from '../../sim/link/link-specification.ts';
import { Lane } from './lane.ts';

/** Description of the stream carried by the lanes. */
interface LaneSource {
  readonly codecName: CodecName;
  readonly parameterSets: readonly Uint8Array[];
}

export interface LanesOptions {
  readonly lanes: readonly LaneSettings[];
  readonly link: LinkSpecification;
  /** Called for each frame to show, serialized for pages (`LanePicture`). */
  readonly onPicture: (importance: AccessUnit['importance'], lane: number, message: Uint8Array) => void;
}

/** Step of the lanes' clock, milliseconds. Events inside have exact times; pages see them up to one step later. */
const STEP_MS = 4;

/** Time the lanes wait for an overdue frame; after it the source counts as stalled, and the lanes continue. */
export const FRAME_LATE_MAX: Microseconds = seconds(1);
/** Assumed frame interval before two frames have arrived, and for a source that pauses. */
const INTERVAL_MAX: Microseconds = milliseconds(100);

/**
 * Lanes side by side: the same frames at the same times, over links with the same fates.
 *
 * Their clock follows the real clock but stops at the due time of the next frame until the frame has arrived. A briefly
 * overloaded machine therefore delays the display and changes nothing in the lanes.
 */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #epoch: Instant = now();
  readonly #timer: NodeJS.Timeout;
  #lanes: Lane[];
  #runs = 0;
  /** Current time of the lanes' clock. */
  #at: Instant = instant(0);
  /** Due time of the newest frame; `undefined` before the first frame after a restart, for which the clock waits. */
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

  /** Microseconds since the lanes were created. */
  get now(): Instant {
    return instant(now() - this.#epoch);
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

  /** Restarts all lanes for a new source; they begin at its first key frame. */
  restart(source: LaneSource): void {
    this.#source = source;
    this.#dueAt = undefined;
    this.#lanes = this.#lanes.map((lane, index) => this.#begin(lane.settings, index));
  }

  /** Sends a frame on all lanes. @param dueAt due time of the frame on the process's clock. */
  send(unit: AccessUnit, dueAt: Instant): void {
    const due = instant(dueAt - this.#epoch);
    if (this.#dueAt !== undefined)
      this.#interval = microseconds(Math.min(INTERVAL_MAX, Math.max(0, due - this.#dueAt)));
    this.#dueAt = due;
    this.#at = instant(Math.max(this.#at, due));
    for (const lane of this.#lanes) lane.send(this.#at, unit);
  }

  /** Changes the lanes. Lanes with unchanged settings continue; the others restart. */
  change(lanes: readonly LaneSettings[]): void {
    this.#lanes = lanes.map((settings, index) => {
      const lane = this.#lanes[index];
      return lane && sameSettings(lane.settings, settings) ? lane : this.#begin(settings, index);
    });
  }

  /** Replaces the link of every lane from now on; the seed is kept. */
  reconfigure(link: LinkSpecification): void {
    this.#link = { ...link, seed: this.#link.seed };
    this.#apply();
  }

  dropNext(packets: number): void {
    for (const lane of this.#lanes) lane.dropNext(packets);
  }

  freeze(spanMs: number): void {
    const from = sinceEpoch(this.#at);
    const until = microseconds(from + milliseconds(spanMs));
    // A past outage is dropped; a new one replaces one that is still in progress.
    this.#freezes = [{ from, until }];
    this.#apply();
  }

  /** Returns the capture of a lane; `undefined` for an unknown lane. */
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
          decodeOnly: unit.decodeOnly === true,
          timestamp: unit.timestamp,
          capturedMs: toMilliseconds(capturedAt),
          parts: key ? this.#joinable(unit.parts) : unit.parts,
        });
        this.#options.onPicture(unit.importance, index, message);
      },
    });
  }

  /** Adds parameter sets to a key frame, since a page may join at any of them. */
  #joinable(parts: AccessUnit['parts']): AccessUnit['parts'] {
    const source = this.#source;
    return source ? codecByName(source.codecName).withParameterSets(parts, source.parameterSets) : parts;
  }

  #step(): void {
    if (this.#dueAt === undefined) return;
    const at = this.now;
    const next = this.#dueAt + this.#interval;
    this.#at = instant(Math.max(this.#at, at > next + FRAME_LATE_MAX ? at : Math.min(at, next)));
    for (const [index, lane] of this.#lanes.entries()) {
      lane.runUntil(this.#at);
      if (lane.failed) this.#lanes[index] = this.#begin(lane.settings, index);
    }
  }
}

/** True when two settings are equivalent: the recovery of a TCP lane, for example, has no effect. */
function sameSettings(a: LaneSettings, b: LaneSettings): boolean {
  if (a.transport !== b.transport || a.latencyMs !== b.latencyMs) return false;
  return a.transport === 'tcp'
    ? a.congestionControl === b.congestionControl
    : a.recovery === b.recovery && a.onLoss === b.onLoss;
}
