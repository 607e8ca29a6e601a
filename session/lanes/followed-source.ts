import { now } from '../../io/os/clock.ts';
import type { AdaptiveControl } from '../../io/sources/adaptive-control.ts';
import type { MediaSource } from '../../io/sources/media-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { assert } from '../../protocol/base/assert.ts';
import { type Instant, type Microseconds, microseconds, milliseconds } from '../../protocol/base/units.ts';
import { Broadcast } from '../stream/broadcast.ts';
import { SourceSteering } from '../stream/source-steering.ts';
import { PictureNumbers, type PicturePlace } from './picture-numbers.ts';

export interface FollowedSourceOptions {
  /** A source with `adaptive`. It is closed with the followed source. */
  readonly media: MediaSource;
  readonly loop: boolean;
  /** Lateness that counts as a stall. */
  readonly lateMax: Microseconds;
  /** Bit rates that the lanes carry, bits per second; `undefined` for one that shows no limit. */
  readonly targets: () => readonly (number | undefined)[];
  readonly onUnit: (unit: AccessUnit, dueAt: Instant, picture: PicturePlace | undefined) => void;
  /** Called when this source is delayed, by the time of the delay; the others of the same video have to be, too. */
  readonly onStall: (late: Microseconds) => void;
  /** Called when the source fails. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Lateness from which an encoder that cannot keep up leaves pictures out: the others do not wait for it, and with a delay
 * of its own it would show older pictures than they do.
 */
const SKIPPED_FROM: Microseconds = milliseconds(100);
/** Time left out at once: the encoder decodes the pictures that it leaves out, within the time limit of one picture. */
const SKIP_MAX: Microseconds = milliseconds(500);
/** Lateness that counts as a stall of a source that leaves pictures out. */
const SKIPPED_LATE_MAX: Microseconds = milliseconds(3_000);

/**
 * Source of all lanes that follow the path: one encoder, at the rate that the slowest of them carries, with key frames
 * when one of them asks.
 */
export class FollowedSource {
  readonly #options: FollowedSourceOptions;
  readonly #control: AdaptiveControl;
  readonly #steering: SourceSteering;
  readonly #broadcast: Broadcast;

  constructor(options: FollowedSourceOptions) {
    const { media, loop, lateMax, targets, onUnit, onStall, onFailure } = options;
    assert(media.adaptive !== undefined, 'the source of lanes that follow the path must be adaptive');
    this.#options = options;
    this.#control = media.adaptive;
    this.#steering = new SourceSteering(this.#control);
    const numbers = new PictureNumbers(media.description.framesPerSecond);
    this.#broadcast = new Broadcast({
      units: () => media.units(),
      loop,
      lateMax: this.#control.skip ? SKIPPED_LATE_MAX : lateMax,
      leadTime: () => this.#control.leadTime,
      onRead: (late) => {
        this.#steering.update(now(), targets());
        if (late > SKIPPED_FROM) this.#control.skip?.(microseconds(Math.min(late, SKIP_MAX)));
      },
      onUnit: (unit, dueAt) => onUnit(unit, dueAt, numbers.pictureAt(this.#broadcast.position)),
      onEnd: (error) => {
        if (error !== undefined) onFailure(error);
      },
      onStall,
    });
  }

  /** Bit rate that the encoder is told, bits per second, and the size of its picture. */
  get state(): { readonly bitrate: number; readonly width: number; readonly height: number } {
    const { bitrate, width, height } = this.#control.state;
    return { bitrate, width, height };
  }

  /** Returns a target within the range of the source, bits per second. */
  limited(target: number): number {
    const { bitrateMin, bitrateMax } = this.#control;
    return Math.min(bitrateMax, Math.max(bitrateMin, target));
  }

  start(): void {
    this.#broadcast.start();
  }

  /** Delays what follows, as the others of the same video are. */
  delay(by: Microseconds): void {
    this.#broadcast.delay(by);
  }

  /** @param lane that cannot decode without a key frame. */
  requestKeyFrame(lane: object): void {
    this.#steering.requestKeyFrame(now(), lane);
  }

  async close(): Promise<void> {
    this.#broadcast.stop();
    await this.#options.media.close();
  }
}
