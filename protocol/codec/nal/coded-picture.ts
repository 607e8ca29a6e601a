import type { Importance } from '../../access-unit.ts';

/** One coded picture, a frame or a field, with its whole access unit. */
export interface CodedPicture {
  /** Its NAL units in stream order, none of them empty. */
  readonly parts: readonly Uint8Array[];
  readonly importance: Importance;
  /** Picture order count; `undefined` when slice header or parameter sets are missing or damaged. */
  readonly pictureOrder: number | undefined;
  /** True when all earlier pictures are shown before this one and the picture order count restarts. */
  readonly startsSequence: boolean;
  readonly field: 'frame' | 'top' | 'bottom';
  /** Sequence parameter set of its first slice. */
  readonly sequenceParameterSet: SequenceTiming | undefined;
  /** Maximum number of frames decoded before a frame and shown after it, 0 to 16; 0 when its parameter set is unknown. */
  readonly reorderFramesMax: number;
  /**
   * True when the picture refers to pictures before the last random access point, so that a decoder which started there
   * cannot decode it.
   */
  readonly refersBeforeEntry: boolean;
}

/** Elements of a sequence parameter set about times. */
export interface SequenceTiming {
  /** True when no picture is a field. */
  readonly framesOnly: boolean;
  /** Frame rate, when stated plausibly (1 to 1,000 frames per second). */
  readonly framesPerSecond: number | undefined;
  /** Declared number of frames decoded before a frame and shown after it, 0 to 16. */
  readonly reorderFrames: number | undefined;
}

/** Groups NAL units into pictures. A picture is complete when the next one begins. */
export interface PictureSplitter {
  /** Takes the next, non-empty NAL unit; returns the picture that it completes. */
  push(nalUnit: Uint8Array): CodedPicture | undefined;
  /** Ends the stream; returns the last picture, if there is one. */
  flush(): CodedPicture | undefined;
}
