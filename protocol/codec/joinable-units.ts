import type { AccessUnit } from '../access-unit.ts';
import type { Codec, ParameterSetTracker } from './codec.ts';
import type { Rotation } from './nal/display-orientation.ts';
import { orientedUnit } from './oriented-unit.ts';

export interface JoinableUnitsOptions {
  readonly codec: Codec;
  /** Those announced with the stream; empty where the stream itself brings them. */
  readonly parameterSets: readonly Uint8Array[];
  /** Rotation that a decoder is told with each key frame. */
  readonly rotation: Rotation | undefined;
}

/**
 * Makes each key frame of a stream one from which a player that knows nothing else can start: with the parameter sets in
 * force, and with the rotation. For plain RTP, RTSP and MPEG-TS, whose players may join at any time.
 */
export class JoinableUnits {
  readonly #options: JoinableUnitsOptions;
  readonly #sets: ParameterSetTracker;

  constructor(options: JoinableUnitsOptions) {
    this.#options = options;
    this.#sets = options.codec.trackParameterSets();
    for (const set of options.parameterSets) this.#sets.add(set);
  }

  /** Takes note of the parameter sets of a unit, in decoding order. */
  learn(unit: AccessUnit): void {
    for (const part of unit.parts) this.#sets.add(part);
  }

  /** Returns the unit as it is sent; a unit that is not a key frame unchanged. */
  of(unit: AccessUnit): AccessUnit {
    if (unit.importance !== 'key') return unit;
    const { codec, rotation } = this.#options;
    const oriented = orientedUnit(codec, unit, rotation);
    return { ...oriented, parts: codec.withParameterSets(oriented.parts, this.#sets.sets(), true) };
  }
}
