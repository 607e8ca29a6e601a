import { assert } from '../../base/assert.ts';
import { type Ticks, ticks } from '../../base/units.ts';

/** H.264 §A.3.1: no decoder delays output by more than 16 frames (max_dec_frame_buffering). */
const REORDER_FRAMES_MAX = 16;

/**
 * Decode timestamps for frames in decode order that have presentation timestamps only (Matroska, or a reader that hides
 * them): the presentation timestamps in ascending order, delayed by the reorder depth. Frame `i` gets the
 * `i - depth`-th smallest; the first `depth` frames mirror the spacing after them, and so may lie before zero. The
 * result never decreases, never exceeds the presentation timestamp, and preserves a variable frame rate:
 *
 *     presentation   0  3  1  2  6  4  5
 *     decode        -1  0  1  2  3  4  5      (depth 1)
 *
 * With `reorderFrames`, only the first frames, twice that many, wait for later ones, until the spacing to mirror is
 * known; after that every frame is returned at once. Without it, frames wait until 16 more are known, and the detected
 * depth may grow.
 */
export class DecodeTimestamps<Frame extends { readonly timestamp: Ticks }> {
  readonly #lookahead: number;
  readonly #declared: boolean;
  #depth: number;
  /** Depth in effect; it follows `#depth` by repeating a timestamp for one frame. */
  #depthGiven = 0;
  /** Frames in decode order, still without a decode timestamp. */
  #waiting: Frame[] = [];
  /** Presentation timestamps, ascending, that have not been used as decode timestamps yet. */
  readonly #ascending: Ticks[] = [];
  /** Latest presentation timestamps in decode order, from which the depth is detected. */
  #recent: Ticks[] = [];
  #started = false;
  #last = ticks(Number.NEGATIVE_INFINITY);
  #timestampsRaised = 0;

  /** @param options.reorderFrames max_num_reorder_frames of the sequence parameter set, 0 to 16, when known. */
  constructor({ reorderFrames }: { readonly reorderFrames?: number | undefined } = {}) {
    this.#declared = reorderFrames !== undefined;
    this.#depth = reorderFrames ?? 0;
    assert(this.#depth >= 0, 'the reorder depth must not be negative');
    assert(this.#depth <= REORDER_FRAMES_MAX, 'the reorder depth must not exceed 16 frames (H.264)');
    // The `depth`-th smallest is certain once as many further frames have arrived.
    this.#lookahead = this.#declared ? 2 * this.#depth : REORDER_FRAMES_MAX;
  }

  /**
   * Number of frames whose presentation timestamp was raised to their decode timestamp, because the source went back
   * further than the depth allows: a damaged file, or a jump for which the caller should have created a new instance.
   */
  get timestampsRaised(): number {
    return this.#timestampsRaised;
  }

  /** Takes a frame; returns the frames with a final decode timestamp, in decode order: often one, none at first. */
  push(frame: Frame): (Frame & { readonly decodeTimestamp: Ticks })[] {
    this.#waiting.push(frame);
    insertAscending(this.#ascending, frame.timestamp);
    if (!this.#declared) this.#learnDepth(frame.timestamp);
    if (!this.#declared) return this.#settle(this.#lookahead);
    return this.#started || this.#waiting.length > this.#lookahead ? this.#settle(0) : [];
  }

  /**
   * Sets the reorder depth, 0 to 16, from a new sequence parameter set. The depth never shrinks; it grows by repeating
   * a decode timestamp.
   */
  expectDepth(reorderFrames: number): void {
    assert(reorderFrames <= REORDER_FRAMES_MAX, 'the reorder depth must not exceed 16 frames (H.264)');
    this.#depth = Math.max(this.#depth, reorderFrames);
  }

  /** Ends the stream; returns all waiting frames. */
  flush(): (Frame & { readonly decodeTimestamp: Ticks })[] {
    return this.#settle(0);
  }

  /** Detects the depth: the largest number of frames decoded before a frame and shown after it. */
  #learnDepth(timestamp: Ticks): void {
    let later = 0;
    for (const earlier of this.#recent) if (earlier > timestamp) later += 1;
    this.#depth = Math.max(this.#depth, later);
    this.#recent.push(timestamp);
    if (this.#recent.length > REORDER_FRAMES_MAX) this.#recent = this.#recent.slice(1);
  }

  #settle(keep: number): (Frame & { readonly decodeTimestamp: Ticks })[] {
    const settled: (Frame & { readonly decodeTimestamp: Ticks })[] = [];
    if (!this.#started && this.#waiting.length > keep) this.#start();
    while (this.#waiting.length > keep) {
      const candidate = this.#next();
      // The depth may have grown since: do not exceed the timestamp of any waiting frame.
      let bound = candidate;
      for (const waiting of this.#waiting) bound = ticks(Math.min(bound, waiting.timestamp));
      const decodeTimestamp = ticks(Math.max(bound, this.#last));
      this.#last = decodeTimestamp;
      const frame = this.#waiting.shift()!;
      if (frame.timestamp < decodeTimestamp) this.#timestampsRaised += 1;
      settled.push({ ...frame, timestamp: ticks(Math.max(frame.timestamp, decodeTimestamp)), decodeTimestamp });
    }
    return settled;
  }

  /** Decode timestamps of the first `depth` frames: mirrored at the first shown picture. */
  #start(): void {
    this.#started = true;
    const first = this.#ascending[0]!;
    const depth = Math.min(this.#depth, this.#ascending.length - 1);
    const mirrored = this.#ascending.slice(1, depth + 1).map((timestamp) => ticks(2 * first - timestamp));
    this.#ascending.unshift(...mirrored.reverse());
    this.#depthGiven = this.#depth;
  }

  #next(): Ticks {
    if (this.#depthGiven < this.#depth) {
      this.#depthGiven += 1;
      return this.#last;
    }
    return this.#ascending.shift()!;
  }
}

function insertAscending(sorted: Ticks[], value: Ticks): void {
  let at = sorted.length;
  while (at > 0 && sorted[at - 1]! > value) at -= 1;
  sorted.splice(at, 0, value);
}
