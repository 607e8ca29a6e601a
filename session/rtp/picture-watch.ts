import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { Codec, ParameterSetTracker } from '../../protocol/codec/codec.ts';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import type { StreamAnnouncement } from '../stream/client.ts';

/** Derives the description of a plain RTP stream from parameter sets known in advance and those in the stream. */
export class PictureWatch {
  readonly #codecName: CodecName;
  readonly #codec: Codec;
  readonly #name: string;
  readonly #beforehand: readonly Uint8Array[];
  #tracker: ParameterSetTracker;
  #news: Pick<StreamAnnouncement, 'codecName' | 'media' | 'parameterSets'> | undefined;
  #announced: Uint8Array | undefined;

  constructor(codecName: CodecName, name: string, parameterSets: readonly Uint8Array[]) {
    this.#codecName = codecName;
    this.#codec = codecByName(codecName);
    this.#tracker = this.#codec.trackParameterSets();
    this.#name = name;
    this.#beforehand = parameterSets;
  }

  get known(): boolean {
    return this.#announced !== undefined;
  }

  /** Prepares for another stream. */
  begin(): void {
    this.#tracker = this.#codec.trackParameterSets();
    this.#announced = undefined;
    for (const set of this.#beforehand) this.#tracker.add(set);
    this.#describe();
  }

  observe(unit: AccessUnit): void {
    if (unit.importance !== 'key') return;
    for (const part of unit.parts) this.#tracker.add(part);
    this.#describe();
  }

  /** Returns the description if it has changed since the last call. */
  takeNews(): Pick<StreamAnnouncement, 'codecName' | 'media' | 'parameterSets'> | undefined {
    const news = this.#news;
    this.#news = undefined;
    return news;
  }

  #describe(): void {
    const parameterSets = this.#tracker.sets();
    const format = this.#codec.describe(parameterSets);
    if (!format || (this.#announced && Buffer.compare(this.#announced, format.parameterSet) === 0)) return;
    this.#announced = format.parameterSet;
    const { decoder, width, height, framesPerSecond = null } = format;
    const media = { name: this.#name, codec: decoder, width, height, framesPerSecond, durationMs: null, mode: 'rtp' };
    this.#news = { codecName: this.#codecName, media, parameterSets };
  }
}
