/** A strategy at a point of the atlas. Shares are 0 … 1. */
export interface AtlasCell {
  readonly strategy: string;
  /** `best`: more frames in time than any other strategy, beyond both intervals; `tied`: not to be told from the best. */
  readonly standing: 'best' | 'tied' | 'behind';
  readonly seeds: number;
  readonly frames: number;
  readonly framesInTime: number;
  /** Share of frames in time, with its interval, valid at 95 % although it was looked at several times. */
  readonly inTime: number;
  readonly low: number;
  readonly high: number;
  /** Bytes offered to the path per byte of the source, minus one; `null` when not computable. */
  readonly overhead: number | null;
  /** Least overhead at which as many frames arrive whole in time; `null` for TCP. */
  readonly leastOverhead: number | null;
  /** `frame`: of any scheme that codes frame by frame; `any`: of any scheme whatever, which is lower. */
  readonly leastOf: 'frame' | 'any' | null;
  /** Greatest share of frames in time that the capacity allows; `null` without a bottleneck. */
  readonly limitInTime: number | null;
}

/** A row of the table: a cell with its place; loss in percent, 0 for an unlimited rate. */
export interface AtlasRow extends AtlasCell {
  readonly loss: number;
  readonly burst: number;
  readonly rttMs: number;
  readonly jitterMs: number;
  readonly budgetMs: number;
  readonly rateKbps: number;
}
