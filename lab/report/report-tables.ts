/** One definition of "freeze" applied to one run. */
export interface FreezeCount {
  readonly count: number;
  /** Frozen time altogether, milliseconds. */
  readonly durationMs: number;
}

/** One run: one strategy over one path, with one budget and one seed. Warm-up and drain are not in it. */
export interface RunRow {
  readonly strategy: string;
  /** The path's canonical lines, without seed. */
  readonly forward: string;
  readonly back: string;
  /** Mean share of datagrams that the forward path loses, 0 … 1; `undefined`: not a plain figure. */
  readonly loss?: number | undefined;
  /** Mean length of a run of losses, datagrams. */
  readonly burst?: number | undefined;
  /** Propagation there and back, milliseconds. */
  readonly roundTripMs?: number | undefined;
  /** From a frame's capture to the instant when it must be shown, milliseconds. */
  readonly budgetMs: number;
  readonly seed: number;
  /** Stream time that was measured, seconds. */
  readonly seconds: number;
  readonly frames: number;
  /** Frames that were decodable within the budget. */
  readonly framesOnTime: number;
  /** Frames that were decodable at any time. */
  readonly framesDecodable: number;
  /** From capture to decodable, milliseconds; frames that never were count as ∞. `undefined`: not measured. */
  readonly delayMs: Readonly<Record<'p50' | 'p95' | 'p99' | 'p999', number | undefined>>;
  /** Bytes both ways over source payload bytes, less one. */
  readonly overhead: number;
  /** Share of the forward bytes that were repair or retransmission and not needed, 0 … 1. */
  readonly waste?: number | undefined;
  /** Bits a second of frames on time. */
  readonly goodputBps?: number | undefined;
  readonly freezes?: Readonly<Record<'w3c' | 'libwebrtc' | 'tambur', FreezeCount>> | undefined;
  /** Share of the stream's time in which the picture stood still, 0 … 1. */
  readonly stallRatio?: number | undefined;
}

/** What became of a frame: fine at once, mended in time, too late, or not at all. */
export type FrameFate = 'on-time' | 'recovered' | 'late' | 'lost';

/** One frame of one run; instants in milliseconds of the run's clock, `undefined`: it did not happen. */
export interface FrameRow {
  readonly frame: number;
  readonly key: boolean;
  readonly packets: number;
  readonly capturedMs: number;
  readonly sentMs?: number | undefined;
  readonly completeMs?: number | undefined;
  readonly decodableMs?: number | undefined;
  readonly shownMs?: number | undefined;
  readonly fate: FrameFate;
}

/** The frames of one run. */
export interface FrameTable {
  /** Its place in `ReportTables.runs`. */
  readonly run: number;
  readonly frames: readonly FrameRow[];
}

export interface ReportTables {
  readonly name: string;
  readonly question: string;
  /** What ran, a name and a text each: source, links, strategies, … */
  readonly scenario: readonly (readonly [string, string])[];
  /** How to repeat it. */
  readonly command: string;
  readonly runId: string;
  /** Of the programs that made it, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly runs: readonly RunRow[];
  readonly frames: readonly FrameTable[];
}
