import { now } from '../../io/os/clock.ts';
import type { SoundDescription } from '../../io/sources/media-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import {
  earliest,
  elapsed,
  type Instant,
  instant,
  later,
  latest,
  type Microseconds,
  microseconds,
  microsecondsToTicks,
  milliseconds,
  perSecond,
  seconds,
  sinceEpoch,
  ticks,
  ticksToMicroseconds,
  toMilliseconds,
} from '../../protocol/base/units.ts';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import { matchLanes } from '../../protocol/page/lane-matching.ts';
import {
  type LaneEvents,
  type LaneFigures,
  type LaneRates,
  type LaneSettings,
  serializeLanePicture,
} from '../../protocol/page/lane-message.ts';
import { serializeLaneSound } from '../../protocol/page/lane-sound.ts';
import { CapacityCurve } from '../../sim/link/capacity-curve.ts';
import type { LinkSpecification, OutageWindow } from '../../sim/link/link-specification.ts';
import { pageSoundFrames } from '../run/page-sound.ts';
import type { KernelTcp, KernelTcpSource } from './kernel-tcp.ts';
import { Lane } from './lane.ts';
import type { PicturePlace } from './picture-numbers.ts';

/** Description of the stream carried by the lanes. */
interface LaneSource {
  readonly codecName: CodecName;
  readonly parameterSets: readonly Uint8Array[];
  /** `undefined` without sound. */
  readonly sound: SoundDescription | undefined;
}

export interface LanesOptions {
  readonly lanes: readonly LaneSettings[];
  readonly link: LinkSpecification;
  /** Called for each frame to show, serialized for pages (`LanePicture`). */
  readonly onPicture: (importance: AccessUnit['importance'], lane: number, message: Uint8Array) => void;
  /** Called for each frame of sound that is to be heard, serialized for pages (`LaneSound`). */
  readonly onSound?: (message: Uint8Array) => void;
  /** Called when a lane that follows the path can go on only from a key frame. */
  readonly onKeyFrameRequest?: (lane: object) => void;
  /** Gives lanes the kernel's TCP. Without it, lanes over the kernel's TCP use the model. */
  readonly kernelTcp?: KernelTcpSource | undefined;
  /** Called when a lane over the kernel's TCP can begin, at the next key frame. */
  readonly onKernelReady?: () => void;
  /** @param why reason why lanes over the kernel's TCP show nothing, in one line. */
  readonly onKernelFailure?: (why: string) => void;
}

/** Step of the lanes' clock, milliseconds. Events inside have exact times; pages see them up to one step later. */
const STEP_MS = 4;

/** Time the lanes wait for an overdue frame; after it the source counts as stalled, and the lanes continue. */
export const FRAME_LATE_MAX: Microseconds = seconds(1);
/** Due time of a source's newest frame, and the time until the next one. */
interface FrameDue {
  readonly at: Instant;
  readonly interval: Microseconds;
  /** Due time of timestamp 0: each source begins when its first frame has come. */
  readonly epoch: Microseconds;
}

/** Assumed frame interval before two frames have arrived, and for a source that pauses. */
const INTERVAL_MAX: Microseconds = milliseconds(100);

/**
 * Lanes side by side: the same frames at the same times, over links with the same fates.
 *
 * Their clock follows the real clock but stops at the due time of the next frame of either source until the frame has
 * arrived. A briefly overloaded machine therefore delays the display and changes nothing in the lanes.
 */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #epoch: Instant = now();
  readonly #timer: NodeJS.Timeout;
  #lanes: Lane[];
  #runs = 0;
  /** Current time of the lanes' clock. */
  #at: Instant = instant(0);
  /** Schedule of the source's frames; `undefined` before the first frame after a restart, for which the clock waits. */
  #schedule: FrameDue | undefined;
  /** That of the source that follows the path; `undefined` while no frame of it has come. */
  #followedSchedule: FrameDue | undefined;
  #link: LinkSpecification;
  #freezes: readonly OutageWindow[] = [];
  #source: LaneSource | undefined;
  #capacity: CapacityCurve | undefined;
  #ratesFrom: Instant = instant(0);

  constructor(options: LanesOptions) {
    this.#options = options;
    this.#link = options.link;
    this.#capacity = CapacityCurve.of(options.link);
    this.#lanes = options.lanes.map((settings) => this.#begin(settings));
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

  /** True when the source of a lane follows the path. */
  get follows(): boolean {
    return this.#lanes.some(({ settings }) => settings.follows);
  }

  /** Bit rates that the lanes that follow carry, bits per second; `undefined` for one whose path shows no limit. */
  get targets(): readonly (number | undefined)[] {
    return this.#lanes.filter(({ settings }) => settings.follows).map((lane) => lane.targetBitrate);
  }

  /** Returns the rates of the lanes since the previous call, with what the link could carry, bits per second. */
  takeRates(): { readonly capacity: number | null; readonly lanes: readonly LaneRates[] } {
    const from = this.#ratesFrom;
    this.#ratesFrom = this.#at;
    const span = elapsed(from, this.#at);
    const bytes = this.#capacity && this.#capacity.before(this.#at) - this.#capacity.before(from);
    return {
      capacity: bytes === undefined || span === 0 ? null : Math.round(perSecond(bytes * 8, span)),
      lanes: this.#lanes.map((lane) => lane.takeRates(this.#at)),
    };
  }

  /** Restarts all lanes for a new source; they begin at its first key frame. */
  restart(source: LaneSource): void {
    this.#source = source;
    this.#schedule = undefined;
    this.#followedSchedule = undefined;
    this.#lanes = this.#lanes.map((lane) => this.#begin(lane.settings, lane.kernel));
  }

  /**
   * Sends a frame on all lanes.
   * @param dueAt due time of the frame on the process's clock.
   * @param picture its place in the source; absent when unknown.
   */
  send(unit: AccessUnit, dueAt: Instant, picture?: PicturePlace): void {
    const due = instant(dueAt - this.#epoch);
    this.#schedule = next(this.#schedule, due, unit);
    this.#at = latest(this.#at, due);
    for (const lane of this.#lanes) if (!lane.settings.follows) lane.send(this.#at, unit, picture);
  }

  /** Sends a unit of the sound on all lanes. @param dueAt due time of the unit on the process's clock. */
  sendSound(unit: AccessUnit, dueAt: Instant): void {
    this.#at = latest(this.#at, instant(dueAt - this.#epoch));
    const followed = this.#onFollowedTimeline(unit);
    for (const lane of this.#lanes) lane.sendSound(this.#at, lane.settings.follows ? followed : unit);
  }

  /** Sends a frame of the source that follows the path on the lanes that do. */
  follow(unit: AccessUnit, dueAt: Instant, picture?: PicturePlace): void {
    const due = instant(dueAt - this.#epoch);
    this.#followedSchedule = next(this.#followedSchedule, due, unit);
    const at = latest(this.#at, due);
    for (const lane of this.#lanes) if (lane.settings.follows) lane.send(at, unit, picture);
  }

  /**
   * Changes the lanes. Lanes with unchanged settings continue, also at another place; the others restart.
   * @returns for each lane its place before, `undefined` for one that has restarted.
   */
  change(lanes: readonly LaneSettings[]): readonly (number | undefined)[] {
    const before = this.#lanes;
    const matches = matchLanes(this.settings, lanes);
    const spare = before.flatMap(({ kernel }, index) => (kernel && !matches.includes(index) ? [kernel] : []));
    this.#lanes = lanes.map((settings, index) => {
      const from = matches[index];
      if (from !== undefined) return before[from]!;
      return this.#begin(settings, settings.kernel ? spare.shift() : undefined);
    });
    for (const kernel of spare) kernel.close();
    return matches;
  }

  /** True while a lane of the fixed source cannot begin, for want of a key frame. */
  get waitsForKey(): boolean {
    return this.#lanes.some((lane) => lane.waitsForKey && !lane.settings.follows);
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
    for (const { kernel } of this.#lanes) kernel?.close();
  }

  #openKernel(): KernelTcp | undefined {
    return this.#options.kernelTcp?.open({
      onReady: () => this.#options.onKernelReady?.(),
      onFailure: (why) => this.#options.onKernelFailure?.(why),
    });
  }

  /** Returns sound with its time on the timeline of the source that follows, so that it has the transit of the pictures. */
  #onFollowedTimeline(unit: AccessUnit): AccessUnit {
    if (!this.#schedule || !this.#followedSchedule) return unit;
    const lead = microseconds(this.#schedule.epoch - this.#followedSchedule.epoch);
    const timestamp = ticks(unit.timestamp + microsecondsToTicks(lead));
    return { ...unit, timestamp, decodeTimestamp: timestamp };
  }

  #apply(): void {
    const link = this.#linkWithFreezes();
    this.#capacity = CapacityCurve.of(link);
    for (const lane of this.#lanes) lane.reconfigure(this.#at, link);
  }

  #linkWithFreezes(): LinkSpecification {
    const link = this.#link;
    if (this.#freezes.length === 0) return link;
    return { ...link, outages: [...(link.outages ?? []), ...this.#freezes].sort((a, b) => a.from - b.from) };
  }

  /** @param kernel the kernel's TCP that a lane before it used; default: another one. */
  #begin(settings: LaneSettings, kernel?: KernelTcp): Lane {
    const tcp = settings.kernel ? (kernel ?? this.#openKernel()) : undefined;
    const begun: Lane = new Lane({
      settings,
      link: this.#linkWithFreezes(),
      run: this.#runs++ % 256,
      startsAt: this.#at,
      sound: this.#source?.sound,
      onSound: ({ unit, number, run }) => {
        const lane = this.#lanes.indexOf(begun);
        for (const frame of pageSoundFrames(unit, this.#source?.sound)) {
          this.#options.onSound?.(serializeLaneSound({ ...frame, lane, run, number }));
        }
      },
      kernel: tcp && { tcp, toLaneTime: (at) => instant(at - this.#epoch) },
      onKeyFrameRequest: (lane) => {
        if (settings.follows) this.#options.onKeyFrameRequest?.(lane);
      },
      onPicture: ({ unit, frame, run, capturedAt }) => {
        const key = unit.importance === 'key';
        const index = this.#lanes.indexOf(begun);
        const message = serializeLanePicture({
          lane: index,
          run,
          frame,
          key,
          decodeOnly: unit.decodeOnly === true,
          discardable: unit.importance === 'discardable',
          timestamp: unit.timestamp,
          capturedMs: toMilliseconds(capturedAt),
          // Key frames of a source that follows have parameter sets of their own.
          parts: key && !settings.follows ? this.#joinable(unit.parts) : unit.parts,
        });
        this.#options.onPicture(unit.importance, index, message);
      },
    });
    return begun;
  }

  /** Adds parameter sets to a key frame, since a page may join at any of them. */
  #joinable(parts: AccessUnit['parts']): AccessUnit['parts'] {
    const source = this.#source;
    return source ? codecByName(source.codecName).withParameterSets(parts, source.parameterSets) : parts;
  }

  #step(): void {
    if (this.#schedule === undefined) return;
    let at = this.now;
    for (const schedule of [this.#schedule, this.follows ? this.#followedSchedule : undefined]) {
      if (schedule === undefined) continue;
      const due = later(schedule.at, schedule.interval);
      if (elapsed(due, this.now) <= FRAME_LATE_MAX) at = earliest(at, due);
    }
    this.#at = latest(this.#at, at);
    for (const [index, lane] of this.#lanes.entries()) {
      lane.runUntil(this.#at);
      if (lane.failed) this.#lanes[index] = this.#begin(lane.settings, lane.kernel);
    }
  }
}

function next(before: FrameDue | undefined, at: Instant, { decodeTimestamp }: AccessUnit): FrameDue {
  const interval = before ? Math.min(INTERVAL_MAX, Math.max(0, at - before.at)) : INTERVAL_MAX;
  return { at, interval: microseconds(interval), epoch: microseconds(at - ticksToMicroseconds(decodeTimestamp)) };
}
