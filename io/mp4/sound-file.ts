import type { AccessUnit } from '../../protocol/access-unit.ts';
import { CLOCK_RATE, type Ticks, ticks } from '../../protocol/base/units.ts';
import { ascii, box, fullBox, uint32Bytes } from './box-writing.ts';
import { movieBox } from './movie-box.ts';
import { type Mp4Sound, SoundFragments } from './sound-fragments.ts';

/** Duration of a fragment, 90 kHz: the most that a crash loses. */
const FRAGMENT_TICKS: Ticks = ticks(CLOCK_RATE);

/** A fragmented MP4 of sound alone, whose first unit is at 0. */
export class SoundFileSerializer {
  readonly #fragments: SoundFragments;
  #epoch: Ticks | undefined;
  #fragmentFrom: Ticks = ticks(0);
  #sequence = 0;

  constructor(sound: Mp4Sound) {
    this.#fragments = new SoundFragments(sound);
  }

  push(unit: AccessUnit): Uint8Array | undefined {
    let bytes: Uint8Array | undefined;
    if (this.#epoch === undefined) {
      this.#epoch = unit.timestamp;
      this.#fragmentFrom = unit.timestamp;
      bytes = this.#header();
    }
    this.#fragments.push(unit);
    if (unit.timestamp - this.#fragmentFrom < FRAGMENT_TICKS) return bytes;
    this.#fragmentFrom = unit.timestamp;
    return this.#fragment(false);
  }

  flush(): Uint8Array | undefined {
    return this.#epoch === undefined ? undefined : this.#fragment(true);
  }

  #header(): Uint8Array {
    const brands = [ascii('iso6'), uint32Bytes(512), ascii('iso6'), ascii('mp41'), ascii('M4A ')];
    return Buffer.concat([box('ftyp', ...brands), movieBox([this.#fragments.track(ticks(0))])]);
  }

  #fragment(isEnd: boolean): Uint8Array | undefined {
    const run = this.#fragments.take(this.#epoch!, isEnd);
    if (!run) return undefined;
    this.#sequence += 1;
    const moof = (dataOffset: number): Uint8Array =>
      box('moof', fullBox('mfhd', 0, 0, uint32Bytes(this.#sequence)), run.fragment(dataOffset));
    return Buffer.concat([moof(moof(0).length + 8), box('mdat', ...run.samples)]);
  }
}
