import { type Instant, instant, type Microseconds, milliseconds } from '../protocol/base/units.ts';
import { LiveFeed } from '../sim/synthetic-stream.ts';
import {
  type CellSource,
  framesBefore,
  type OpenCellSource,
  openCellSource,
  originOf,
  type SourceGuide,
} from './cell-source.ts';
import { FrameTable } from './frame-table.ts';
import type { Machine } from './machine.ts';
import { enterDecodability } from './metrics/decodability.ts';
import type { PackedFiles } from './packed-units.ts';
import type { PathObserver } from './path-observer.ts';
import { CellSoundRun } from './sound/sound-run.ts';
import type { SimulatedStrategyName } from './strategies.ts';
import type { Strategy, StrategyParameters, TransportFigures } from './strategy.ts';
import { strategyBuilder } from './strategy-builders.ts';
import { TrafficMeter } from './traffic-meter.ts';

export interface MediaRunOptions {
  readonly strategy: SimulatedStrategyName;
  readonly parameters: StrategyParameters;
  readonly source: CellSource;
  readonly files: PackedFiles;
  /** Begin of the media. */
  readonly startsAt: Instant;
  /** Frames after which the source is stopped; `undefined`: it ends by itself. */
  readonly framesMax?: number | undefined;
  /** Frames captured earlier are not counted, seconds from the begin of the source. */
  readonly warmUpSeconds: number;
  readonly budget: Microseconds;
  readonly transitMin: Microseconds;
  readonly release: 'deadline' | 'asap';
  readonly seed: number;
  /** Time at which a connection is opened; 0 by default. */
  readonly opensAt?: Instant | undefined;
  readonly machine?: Machine | undefined;
  readonly openPictures?: OpenPictures | undefined;
}

/** Opens pictures in place of those of the source, which describes them. */
export type OpenPictures = (guide: SourceGuide) => OpenCellSource;

/** Start of the media, after the receiver is ready. */
export const START: Instant = instant(milliseconds(1));

/** A source whose frames a strategy carries, and the records of both. */
export class MediaRun {
  readonly frames = new FrameTable();
  readonly measuredFrom: number;
  readonly strategy: Strategy;
  readonly traffic: TrafficMeter;
  /** Must run in the strategy's simulation. */
  readonly feeds: readonly LiveFeed[];
  /** `undefined` for a source without sound. */
  readonly sound: CellSoundRun | undefined;
  #lastCapturedAt: Instant;

  constructor(options: MediaRunOptions) {
    const { strategy, source, files, startsAt, framesMax, warmUpSeconds } = options;
    const { frames } = this;
    this.measuredFrom = framesBefore(source, files, warmUpSeconds);
    this.sound =
      source.sound && new CellSoundRun(source.sound, files, { origin: originOf(source, files), warmUpSeconds });
    const sound = this.sound?.strategySound;
    this.strategy = strategyBuilder(strategy)({ ...options, frames, sound }, this.measuredFrom);
    this.traffic = new TrafficMeter(this.strategy.headerBytes, () => frames.length > this.measuredFrom);
    this.#lastCapturedAt = startsAt;
    const pictureSource = options.openPictures?.(this.strategy) ?? openCellSource(source, files, this.strategy);
    const open = limited(pictureSource, framesMax);
    let feedsLeft = this.sound ? 2 : 1;
    const finish = () => {
      if (--feedsLeft === 0) this.strategy.finish(this.#lastCapturedAt);
    };
    const pictures = new LiveFeed({
      startAt: startsAt,
      ...open,
      deliver: (now, unit) => {
        this.#lastCapturedAt = now;
        this.strategy.send(now, unit, frames.add(now, unit));
      },
      finish,
    });
    const heard = this.sound?.openFeed(startsAt, {
      deliver: (now, unit, row) => {
        this.#lastCapturedAt = now;
        this.strategy.sendSound(now, unit, row);
      },
      finish,
    });
    // Sound leaves first: its packets are few and small.
    this.feeds = heard ? [heard, pictures] : [pictures];
  }

  /** Observers that must see all datagrams of the strategy. */
  get observers(): readonly PathObserver[] {
    const { traffic, strategy } = this;
    return [traffic, strategy.observer, ...(strategy.soundObserver ? [strategy.soundObserver] : [])];
  }

  /** Number of the newest captured frame, from 0. */
  get frame(): number {
    return Math.max(0, this.frames.length - 1);
  }

  /** True when nothing more can change at `at`. */
  isOver(at: Instant): boolean {
    if (this.feeds.some((feed) => feed.pollTimeout() !== undefined)) return false;
    return this.strategy.ended || at > instant(this.#lastCapturedAt + this.strategy.drain);
  }

  /** Decides the remaining frames, and returns the totals. */
  conclude(now: Instant): TransportFigures {
    const figures = this.strategy.conclude(now);
    enterDecodability(this.frames);
    return figures;
  }
}

/** Ends a source after a number of frames. */
function limited(source: OpenCellSource, framesMax: number | undefined): OpenCellSource {
  if (framesMax === undefined) return source;
  const { next, nextTimestamp } = source;
  let frames = 0;
  return {
    next: () => (frames++ < framesMax ? next() : undefined),
    ...(nextTimestamp && { nextTimestamp: () => (frames < framesMax ? nextTimestamp() : undefined) }),
  };
}
