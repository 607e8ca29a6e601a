import { type Ticks, ticks } from '../../protocol/base/units.ts';
import { NAL_UNIT_TYPE, nalUnitType } from '../../protocol/codec/h264/nal-unit.ts';
import { splitLengthPrefixed } from '../../protocol/codec/nal/length-prefixed.ts';
import { Encoder, type EncoderOptions } from '../ffmpeg/encoder.ts';
import { Failure } from '../os/failure.ts';
import { fromDelimiter } from './encoded.ts';
import type { RenditionPlan } from './rendition-plan.ts';

/** A picture in all its encodes. */
export interface RenditionPicture {
  readonly timestamp: Ticks;
  /** True when a group of pictures begins with it, in every encode. */
  readonly isKey: boolean;
  /** NAL units of each encode, in the order of the plan. */
  readonly encodes: readonly (readonly Uint8Array[])[];
  readonly plan: RenditionPlan;
}

/** Bytes of a NAL unit's length in the MP4 that ffmpeg writes. */
const LENGTH_BYTES = 4;
/** Pictures of one encode before the others have the same one: far more than ffmpeg keeps back. */
const UNEVEN_MAX = 64;

/** One run of ffmpeg that encodes an input several times. */
export class RenditionRun {
  readonly #encoder: Encoder;
  readonly #options: EncoderOptions;
  readonly #plan: RenditionPlan;
  readonly #startsAt: Ticks;

  /** @param startsAt media time of the first picture. */
  constructor(options: Omit<EncoderOptions, 'mode' | 'renditions'>, plan: RenditionPlan, startsAt: Ticks) {
    const { encodings, preset } = plan;
    this.#options = { ...options, mode: 'x264', renditions: { encodings, preset } };
    this.#encoder = new Encoder(this.#options);
    this.#plan = plan;
    this.#startsAt = startsAt;
  }

  /** Yields the pictures of the whole run, once. @throws {Failure} when ffmpeg fails or makes no more pictures. */
  async *pictures(): AsyncGenerator<RenditionPicture> {
    const waiting = this.#plan.encodings.map((): { readonly timestamp: Ticks; readonly bytes: Uint8Array }[] => []);
    for await (const event of this.#encoder.events()) {
      if (event.kind === 'configuration') continue;
      const own = waiting[event.track];
      own?.push(event);
      if (!own || own.length > UNEVEN_MAX) throw new Failure(`${this.#options.name}: ffmpeg's encodes do not agree`);
      if (waiting.some((each) => each.length === 0)) continue;
      const samples = waiting.map((each) => each.shift()!);
      const encodes = samples.map(({ bytes }) => fromDelimiter(splitLengthPrefixed(bytes, LENGTH_BYTES).nalUnits));
      const isKey = encodes.every((parts) => parts.some((part) => nalUnitType(part) === NAL_UNIT_TYPE.idrSlice));
      yield { timestamp: ticks(this.#startsAt + samples[0]!.timestamp), isKey, encodes, plan: this.#plan };
    }
  }

  close(): Promise<void> {
    return this.#encoder.close();
  }
}
