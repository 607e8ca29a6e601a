import { now } from '../../io/os/clock.ts';
import type { AdaptiveControl } from '../../io/sources/adaptive-control.ts';
import type { MediaSource } from '../../io/sources/media-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { assert } from '../../protocol/base/assert.ts';
import type { Instant, Microseconds } from '../../protocol/base/units.ts';
import { Broadcast } from '../stream/broadcast.ts';
import { SourceSteering } from '../stream/source-steering.ts';

export interface FollowedSourceOptions {
  /** A source with `adaptive`. It is closed with the followed source. */
  readonly media: MediaSource;
  readonly loop: boolean;
  /** Lateness that counts as a stall. */
  readonly lateMax: Microseconds;
  /** Bit rates that the lanes carry, bits per second; `undefined` for one that shows no limit. */
  readonly targets: () => readonly (number | undefined)[];
  readonly onUnit: (unit: AccessUnit, dueAt: Instant) => void;
  /** Called when the source fails. */
  readonly onFailure: (error: unknown) => void;
}

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
    const { media, loop, lateMax, targets, onUnit, onFailure } = options;
    assert(media.adaptive !== undefined, 'the source of lanes that follow the path must be adaptive');
    this.#options = options;
    this.#control = media.adaptive;
    this.#steering = new SourceSteering(this.#control);
    this.#broadcast = new Broadcast({
      units: () => media.units(),
      loop,
      lateMax,
      leadTime: () => this.#control.leadTime,
      onRead: () => this.#steering.update(now(), targets()),
      onUnit,
      onEnd: (error) => {
        if (error !== undefined) onFailure(error);
      },
      onStall: () => {},
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

  /** @param lane that cannot decode without a key frame. */
  requestKeyFrame(lane: object): void {
    this.#steering.requestKeyFrame(now(), lane);
  }

  async close(): Promise<void> {
    this.#broadcast.stop();
    await this.#options.media.close();
  }
}
