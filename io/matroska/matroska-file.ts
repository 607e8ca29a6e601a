import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Ticks, ticks } from '../../protocol/base/units.ts';
import { SOUND_BEFORE_MAX } from '../../protocol/codec/sound/sound-units.ts';
import type { MatroskaPictures, MatroskaStream } from '../../protocol/matroska/matroska-tracks.ts';
import { MatroskaWriter } from '../../protocol/matroska/matroska-writer.ts';

/** Units of sound kept until the first picture: what a decoder needs to get going, with a margin. */
const EARLY_SOUND_MAX = 64;

/** Most pictures that wait for sound: H.264 and HEVC reorder no more. */
const EARLY_PICTURES_MAX = 16;

/** A Matroska file, written block by block: a crash loses nothing that was written. It begins with a key frame. */
export class MatroskaFileSerializer {
  readonly #pictures: MatroskaPictures | undefined;
  readonly #sound: MatroskaStream | undefined;
  #writer: MatroskaWriter | undefined;
  #earlySound: AccessUnit[] = [];
  /** Pictures from the first key frame on that wait for sound due before it is shown. */
  readonly #early: AccessUnit[] = [];
  #headerChanged = false;

  constructor(streams: {
    readonly pictures?: MatroskaPictures | undefined;
    readonly sound?: MatroskaStream | undefined;
  }) {
    this.#pictures = streams.pictures;
    this.#sound = streams.sound;
  }

  push(unit: AccessUnit): Uint8Array | undefined {
    if (!this.#pictures) return this.#pushSoundAlone(unit);
    if (this.#writer) return this.#writer.write(unit);
    if (this.#early.length === 0 && unit.importance !== 'key') return undefined;
    this.#early.push(unit);
    // Before the first picture is shown, which is after it is decoded where there are B-frames, sound may begin.
    const isWaiting = unit.decodeTimestamp < this.#early[0]!.timestamp && this.#early.length < EARLY_PICTURES_MAX;
    return this.#sound && isWaiting ? undefined : this.#begin(this.#pictures);
  }

  #begin(pictures: MatroskaPictures): Uint8Array {
    const first = this.#early[0]!;
    const sounds = this.#earlySound.filter(({ timestamp }) => timestamp >= first.timestamp - SOUND_BEFORE_MAX);
    const units = this.#early.splice(0);
    this.#earlySound = [];
    const { codec } = pictures;
    const own = codec.parameterSetsOf(first.parts);
    const parameterSets = own.length > 0 ? own : pictures.parameterSets;
    const writer = this.#start({ ...pictures, parameterSets }, [...units, ...sounds]);
    return Buffer.concat([
      writer.header(),
      ...sounds.map((sound) => writer.writeSound(sound)),
      ...units.map((unit) => writer.write(unit)),
    ]);
  }

  pushSound(unit: AccessUnit): Uint8Array | undefined {
    if (!this.#sound) return undefined;
    if (this.#writer) return this.#writer.writeSound(unit);
    this.#earlySound.push(unit);
    if (this.#earlySound.length > EARLY_SOUND_MAX) this.#earlySound.shift();
    const first = this.#early[0];
    return this.#pictures && first && unit.timestamp >= first.timestamp ? this.#begin(this.#pictures) : undefined;
  }

  flush(): Uint8Array | undefined {
    const begun = this.#pictures && this.#early.length > 0 ? this.#begin(this.#pictures) : undefined;
    const end = this.#writer?.finish();
    if (begun && end) {
      begun.set(this.#writer!.header());
      return Buffer.concat([begun, end]);
    }
    this.#headerChanged = this.#writer !== undefined;
    return end;
  }

  takeHeader(): Uint8Array | undefined {
    const header = this.#headerChanged ? this.#writer?.header() : undefined;
    this.#headerChanged = false;
    return header;
  }

  #pushSoundAlone(unit: AccessUnit): Uint8Array {
    if (this.#writer) return this.#writer.writeSound(unit);
    const writer = this.#start(undefined, [unit]);
    return Buffer.concat([writer.header(), writer.writeSound(unit)]);
  }

  #start(pictures: MatroskaPictures | undefined, units: readonly AccessUnit[]): MatroskaWriter {
    const epoch: Ticks = ticks(Math.min(...units.map(({ timestamp }) => timestamp)));
    this.#writer = new MatroskaWriter({ pictures, sound: this.#sound, epoch });
    return this.#writer;
  }
}
