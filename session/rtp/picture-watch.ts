import type { AccessUnit } from '../../protocol/access-unit.ts';
import { NAL_UNIT_TYPE, nalUnitType } from '../../protocol/codec/h264/nal-unit.ts';
import { ParameterSetTracker } from '../../protocol/codec/h264/parameter-sets.ts';
import { codecString, parseSequenceParameterSet } from '../../protocol/codec/h264/sequence-parameter-set.ts';
import type { StreamAnnouncement } from '../stream/client.ts';

/** What a stranger's pictures are: it shows by the parameter sets known beforehand, and by those in the stream. */
export class PictureWatch {
  readonly #name: string;
  readonly #beforehand: readonly Uint8Array[];
  #tracker = new ParameterSetTracker();
  #news: Pick<StreamAnnouncement, 'media' | 'parameterSets'> | undefined;
  #announced: Uint8Array | undefined;

  constructor(name: string, parameterSets: readonly Uint8Array[]) {
    this.#name = name;
    this.#beforehand = parameterSets;
  }

  get known(): boolean {
    return this.#announced !== undefined;
  }

  /** Another stream begins. */
  begin(): void {
    this.#tracker = new ParameterSetTracker();
    this.#announced = undefined;
    for (const set of this.#beforehand) this.#tracker.add(set);
    this.#describe();
  }

  observe(unit: AccessUnit): void {
    if (unit.importance !== 'key') return;
    for (const nalUnit of unit.parts) this.#tracker.add(nalUnit);
    this.#describe();
  }

  /** The description, if it is another one since the last call. */
  takeNews(): Pick<StreamAnnouncement, 'media' | 'parameterSets'> | undefined {
    const news = this.#news;
    this.#news = undefined;
    return news;
  }

  #describe(): void {
    const parameterSets = this.#tracker.sets();
    for (const set of parameterSets) {
      if (nalUnitType(set) !== NAL_UNIT_TYPE.sequenceParameterSet) continue;
      const sps = parseSequenceParameterSet(set);
      if (!sps.ok) continue;
      if (this.#announced && Buffer.compare(this.#announced, set) === 0) return;
      this.#announced = set;
      const { width, height, framesPerSecond = null } = sps.value;
      const media = { name: this.#name, codec: codecString(sps.value), width, height, framesPerSecond };
      this.#news = { media: { ...media, durationMs: null, mode: 'rtp' }, parameterSets };
      return;
    }
  }
}
