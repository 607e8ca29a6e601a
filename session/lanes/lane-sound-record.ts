import type { SoundDescription } from '../../io/sources/media-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { Instant } from '../../protocol/base/units.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import type { FrameClass } from '../../protocol/frame-class.ts';
import type { LaneSoundFigures } from '../../protocol/page/lane-message.ts';
import type { LaneJournal } from './lane-journal.ts';

const TICKS_PER_MS = 90;
/** Units that are not decided, at most: more than half a minute of units of 2.5 ms. */
const UNDECIDED_MAX = 16_384;

interface Captured {
  readonly at: Instant;
  readonly durationMs: number;
}

/** Fates of the sound of a lane. */
export class LaneSoundRecord {
  readonly #description: SoundDescription;
  readonly #journal: LaneJournal;
  /** Units that are not decided yet, by number. */
  readonly #captured = new Map<number, Captured>();
  #units = 0;
  readonly #counts = { onTime: 0, recovered: 0, late: 0, lost: 0 };
  #concealedMs = 0;

  constructor(description: SoundDescription, journal: LaneJournal) {
    this.#description = description;
    this.#journal = journal;
  }

  /** Records a unit that was handed over to the lane, in order. */
  captured(at: Instant, { parts }: AccessUnit): void {
    const { codecName, parameterSets } = this.#description;
    const durationTicks = codecByName(codecName).sound?.durationOf(parts, parameterSets) ?? 0;
    this.#captured.set(this.#units++, { at, durationMs: durationTicks / TICKS_PER_MS });
    if (this.#captured.size > UNDECIDED_MAX) this.#captured.delete(this.#captured.keys().next().value!);
  }

  /** Returns the time at which a unit was captured; `undefined` when it is decided. */
  capturedAt(number: number): Instant | undefined {
    return this.#captured.get(number)?.at;
  }

  /** Records the outcome of a unit: `late` when it is heard later than it was due. */
  decided(number: number, at: Instant, unitClass: FrameClass): void {
    const captured = this.#captured.get(number);
    if (!captured) return;
    this.#captured.delete(number);
    const fate = unitClass === 'onTime' || unitClass === 'recovered' || unitClass === 'late' ? unitClass : 'lost';
    this.#counts[fate]++;
    if (fate === 'late' || fate === 'lost') this.#concealedMs += captured.durationMs;
    this.#journal.soundDecided(number, captured, at, unitClass);
  }

  get figures(): LaneSoundFigures {
    const { onTime, recovered, late, lost } = this.#counts;
    const concealedMs = Math.round(this.#concealedMs);
    return { unitsOnTime: onTime, unitsRecovered: recovered, unitsLate: late, unitsLost: lost, concealedMs };
  }
}
