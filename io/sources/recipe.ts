import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { Ticks } from '../../protocol/base/units.ts';
import type { CodecName } from '../../protocol/codec/codecs.ts';
import type { Rotation } from '../../protocol/codec/nal/display-orientation.ts';
import type { EntryGate } from './entry-gate.ts';
import type { MediaDescription } from './media-source.ts';

/** One pass over the media. */
export interface UnitStream {
  readonly gate: EntryGate;
  readonly units: AsyncGenerator<AccessUnit>;
  /** Makes a pending `next()` return. */
  close(): Promise<void>;
}

/** Factory of passes over a source, with the source's properties. */
export interface Recipe {
  readonly name: string;
  readonly mode: MediaDescription['mode'];
  readonly codecName: CodecName;
  /** Measured frame rate, 1/s; `undefined` if it was not measured. */
  readonly framesPerSecond: number | undefined;
  /** Frame rate, 1/s, used when neither `framesPerSecond` nor the stream gives one. */
  readonly assumedFramesPerSecond?: number;
  readonly durationSeconds: number | undefined;
  /** Rotation clockwise that a player applies; none by default. */
  readonly rotation?: Rotation | undefined;
  /** True when the times of the pictures are those of the container, less a constant. */
  readonly hasContainerTimes?: true;
  /** Opens a pass from the beginning. */
  open(gate: EntryGate): UnitStream;
  /** Opens a pass that starts at a place, where the source can be searched. */
  readonly openAt?: ((place: StartPlace, gate: EntryGate) => UnitStream) | undefined;
}

/** A place in a source, 90 kHz. */
export interface StartPlace {
  /** Time since the first picture. */
  readonly at: Ticks;
  /** Time of the first picture in the times of the source. */
  readonly origin: Ticks;
}
