import type { LaneEvents, LaneFigures, LaneSettings, LanesState } from '../../protocol/page/lane-message.ts';

/** Longest recording, milliseconds. */
export const RECORDED_MS = 30_000;
/**
 * Limit of the pictures in a recording, bytes: half a minute of four lanes of different pictures at 2 Mb/s. Of larger
 * pictures, fewer seconds are kept.
 */
export const RECORDED_BYTES_MAX = 32_000_000;

/** [frame, 1 for a key frame, timestamp in 90 kHz ticks, offset in the media, bytes] */
export type RecordedPicture = readonly [number, 0 | 1, number, number, number];

/** [time on the lanes' clock, milliseconds; figures at that time] */
export type RecordedFigures = readonly [number, LaneFigures];

/** Events of one lane between two of its restarts. All times are milliseconds on the lanes' clock. */
export interface RecordedRun {
  readonly run: number;
  readonly settings: LaneSettings;
  readonly fromMs: number;
  readonly untilMs: number;
  /** In decoding order; the first one is a key frame. */
  readonly pictures: readonly RecordedPicture[];
  readonly events: LaneEvents;
  readonly figures: readonly RecordedFigures[];
}

export interface RecordedLane {
  /** Identifies the lane on the page. */
  readonly id: number;
  /** Place among the lanes when it was last seen, from 0. */
  readonly place: number;
  /** In order of time. */
  readonly runs: readonly RecordedRun[];
}

/** A link of all lanes, from a time on. */
export interface RecordedLink {
  readonly fromMs: number;
  readonly link: string;
}

/** The last seconds of all lanes, as a window of the page has received them. */
export interface RunRecord {
  readonly version: 1;
  readonly fromMs: number;
  readonly untilMs: number;
  /** Settings at the end. */
  readonly state: LanesState;
  /** Size of the picture at the end, pixels. */
  readonly width: number;
  readonly height: number;
  /** In order of time; the first one was in force at the beginning. */
  readonly links: readonly RecordedLink[];
  readonly lanes: readonly RecordedLane[];
}

export interface Recording {
  readonly record: RunRecord;
  /** All pictures, one after the other; a picture of several lanes is there once. */
  readonly media: Uint8Array;
}
