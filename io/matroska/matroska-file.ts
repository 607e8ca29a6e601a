import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Ticks, ticks } from '../../protocol/base/units.ts';
import { SOUND_BEFORE_MAX } from '../../protocol/codec/sound/sound-units.ts';
import type { MatroskaPictures, MatroskaStream } from '../../protocol/matroska/matroska-tracks.ts';
import { MatroskaWriter } from '../../protocol/matroska/matroska-writer.ts';

/** Units of sound kept until the first picture: what a decoder needs to get going, with a margin. */
const EARLY_SOUND_MAX = 64;

/** A Matroska file, written block by block: a crash loses nothing that was written. It begins with a key frame. */
export class MatroskaFileSerializer {
  readonly #pictures: MatroskaPictures | undefined;
  readonly #sound: MatroskaStream | undefined;
  #writer: MatroskaWriter | undefined;
  #earlySound: AccessUnit[] = [];
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
    if (unit.importance !== 'key') return undefined;
    const sounds = this.#earlySound.filter(({ timestamp }) => timestamp >= unit.timestamp - SOUND_BEFORE_MAX);
    this.#earlySound = [];
    const { codec } = this.#pictures;
    const own = codec.parameterSetsOf(unit.parts);
    const parameterSets = own.length > 0 ? own : this.#pictures.parameterSets;
    const writer = this.#start({ ...this.#pictures, parameterSets }, [unit, ...sounds]);
    return Buffer.concat([writer.header(), ...sounds.map((sound) => writer.writeSound(sound)), writer.write(unit)]);
  }

  pushSound(unit: AccessUnit): Uint8Array | undefined {
    if (!this.#sound) return undefined;
    if (this.#writer) return this.#writer.writeSound(unit);
    this.#earlySound.push(unit);
    if (this.#earlySound.length > EARLY_SOUND_MAX) this.#earlySound.shift();
    return undefined;
  }

  flush(): Uint8Array | undefined {
    this.#headerChanged = this.#writer !== undefined;
    return this.#writer?.finish();
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
