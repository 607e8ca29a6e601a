import type { Microseconds } from '../../protocol/base/units.ts';

/** State of a source that follows, for status and page. */
export interface AdaptiveState {
  /** Bit rate in force, bits per second of the access units. */
  readonly bitrate: number;
  /** Preset of x264; `undefined` for another kind of adaptive source. */
  readonly preset: string | undefined;
  /** Number of encodes between which the source changes at key frames; absent: one that follows picture by picture. */
  readonly renditions?: number | undefined;
  /** Size of the picture, luma samples. */
  readonly width: number;
  readonly height: number;
}

/** Controls of an adaptive source while it runs. */
export interface AdaptiveControl {
  /** Range of the bit rate, bits per second. */
  readonly bitrateMin: number;
  readonly bitrateMax: number;
  /** Sets the bit rate from the next access unit on, bits per second, limited to the range. */
  setTarget(bitsPerSecond: number): void;
  /** Makes the next access unit a key frame. */
  requestKeyFrame(): void;
  /**
   * Leaves out the pictures of this much media before the next access unit: a source that is late continues at the
   * present picture. Absent: the source cannot.
   */
  skip?(span: Microseconds): void;
  readonly state: AdaptiveState;
  /**
   * Lead time at which an access unit should be requested before it is due, microseconds; the shorter, the newer its
   * bit rate.
   */
  readonly leadTime: Microseconds;
}
