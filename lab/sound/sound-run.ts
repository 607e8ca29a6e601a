import type { AccessUnit } from '../../protocol/access-unit.ts';
import { CLOCK_RATE, type Instant } from '../../protocol/base/units.ts';
import { LiveFeed } from '../../sim/synthetic-stream.ts';
import { FrameTable } from '../frame-table.ts';
import type { PackedFiles } from '../packed-units.ts';
import type { StrategySound } from '../strategy.ts';
import { type CellSound, codecOf, openCellSound, unitsBefore } from './cell-sound.ts';

/** The sound of a run, and the table of its access units. */
export class CellSoundRun {
  readonly units = new FrameTable();
  readonly measuredFrom: number;
  readonly #sound: CellSound;
  readonly #next: () => AccessUnit | undefined;

  readonly #origin: number;

  /**
   * @param options.origin decode time of the first picture, 90 kHz. @param options.warmUpSeconds access units captured
   *   earlier are not counted.
   */
  constructor(
    sound: CellSound,
    files: PackedFiles,
    { origin, warmUpSeconds }: { readonly origin: number; readonly warmUpSeconds: number },
  ) {
    this.#sound = sound;
    this.#next = openCellSound(sound, files);
    this.#origin = origin;
    this.measuredFrom = unitsBefore(sound, files, origin + warmUpSeconds * CLOCK_RATE);
  }

  /** The sound, its units and the first that counts. */
  get observations() {
    const { units, measuredFrom } = this;
    return { sound: this.#sound, units, measuredFrom };
  }

  /** Bytes of the units captured after the warm-up. */
  get bytes(): number {
    let bytes = 0;
    for (let row = this.measuredFrom; row < this.units.length; row++) bytes += this.units.bytes(row);
    return bytes;
  }

  get strategySound(): StrategySound {
    const { units, measuredFrom } = this;
    return { ...codecOf(this.#sound), units, measuredFrom };
  }

  /**
   * Returns the feed of the access units.
   * @param startsAt time of the first picture.
   */
  openFeed(
    startsAt: Instant,
    {
      deliver,
      finish,
    }: {
      readonly deliver: (now: Instant, unit: AccessUnit, row: number) => void;
      readonly finish: () => void;
    },
  ): LiveFeed {
    return new LiveFeed({
      startAt: startsAt,
      origin: this.#origin,
      next: this.#next,
      deliver: (now, unit) => deliver(now, unit, this.units.add(now, unit)),
      finish,
    });
  }
}
