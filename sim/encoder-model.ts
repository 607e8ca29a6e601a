/**
 * Statistics of an encoder's frame sizes. Sizes are relative to the frame's budget, which is the bit rate divided by the
 * frame rate. A new bit rate holds from the next frame on: x264 with a buffer of one frame has no longer memory.
 */
export interface EncoderModel {
  /** Correlation of the deviations of successive frames, 0 … 1. */
  readonly correlation: number;
  /** Normal scores, ascending, at which `sizes` and `keySizes` are given. */
  readonly scores: readonly number[];
  /** Relative sizes of frames other than key frames at those scores. */
  readonly sizes: readonly number[];
  /** Relative sizes of key frames at those scores. */
  readonly keySizes: readonly number[];
  /** Sizes below which the encoder cannot go, however low the bit rate, bytes: of other frames and of key frames. */
  readonly bytesLeast: number;
  readonly keyBytesLeast: number;
}

/** x264, `veryfast`, `zerolatency`, with a buffer (VBV) of one frame, as this project drives it. */
export const X264_MODEL: EncoderModel = {
  correlation: 0.5,
  scores: [-2.5, -1.5, 0, 1.5, 2.5],
  sizes: [0.86, 0.93, 1, 1.07, 1.12],
  keySizes: [0.99, 1.02, 1.07, 1.11, 1.14],
  bytesLeast: 60,
  keyBytesLeast: 600,
};
