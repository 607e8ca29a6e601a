import type { LaneFigures, LaneSettings } from '../../protocol/page/lane-message.ts';
import type { LaneLog } from './lane-log.ts';
import { roughly, share } from './text.ts';

/** Time span that verdict and lesson describe, milliseconds. */
export const SPAN_MS = 3_000;
/** Lag beyond latency and path delay that counts as late, milliseconds. */
const LATE_MS = 150;
/** Change of the lag over the time span that counts as growing or shrinking: a share of it, and milliseconds. */
const TREND_SHARE = 0.1;
const TREND_MS = 150;
/** Age of the newest event at which a frame counts as the current one, milliseconds: three frames at 30 per second. */
const CURRENT_MS = 100;

export type VerdictKind = 'waiting' | 'whole' | 'gaps' | 'damaged' | 'late' | 'late-damaged';

/** State of a lane, in words. */
export interface Verdict {
  readonly kind: VerdictKind;
  /** `On time, whole`. */
  readonly words: string;
  /** The words without figures, for announcements: they change seldom. */
  readonly plain: string;
}

const WAITING: Verdict = { kind: 'waiting', words: 'Waiting for a picture', plain: 'waiting for a picture' };

/** Counts of a lane during the last seconds. */
export interface Recent {
  readonly shown: number;
  readonly recovered: number;
  readonly late: number;
  readonly lost: number;
  readonly damaged: number;
  readonly packetsLost: number;
}

interface Sample {
  readonly atMs: number;
  readonly figures: LaneFigures;
  readonly behindMs: number | undefined;
}

/** The last seconds of one lane's figures and lag. */
export class RecentFigures {
  #samples: Sample[] = [];

  add(atMs: number, figures: LaneFigures, behindMs: number | undefined): void {
    const newest = this.#samples.at(-1);
    if (newest && (newest.figures.run !== figures.run || newest.atMs > atMs)) this.#samples = [];
    this.#samples.push({ atMs, figures, behindMs });
    // The oldest sample is the one at the beginning of the time span.
    while (this.#samples.length > 2 && this.#samples[1]!.atMs <= atMs - SPAN_MS) this.#samples.shift();
  }

  clear(): void {
    this.#samples = [];
  }

  /** Counts since the beginning of the time span; `undefined` before the second sample. */
  get counts(): Recent | undefined {
    const [from, to] = [this.#samples[0]?.figures, this.#samples.at(-1)?.figures];
    if (!from || !to || from === to) return undefined;
    return {
      shown: to.framesShown - from.framesShown,
      recovered: to.framesRecovered - from.framesRecovered,
      late: to.framesLate - from.framesLate,
      lost: to.framesLost - from.framesLost,
      damaged: to.framesDamaged - from.framesDamaged,
      packetsLost: to.packetsLost - from.packetsLost,
    };
  }

  /** Change of the lag over the time span, milliseconds; 0 while unknown. */
  get lagChangeMs(): number {
    const [from, to] = [this.#samples[0]?.behindMs, this.#samples.at(-1)?.behindMs];
    return from === undefined || to === undefined ? 0 : to - from;
  }
}

/**
 * Returns how far the newest shown frame is behind live, milliseconds, as the network made it: the window's own delay is
 * not part of it. `undefined` while no frame has been shown.
 */
export function lagOf(log: Pick<LaneLog, 'newestShown' | 'knownMs'>): number | undefined {
  const { newestShown, knownMs } = log;
  if (!newestShown) return undefined;
  const { capturedMs, decidedMs } = newestShown;
  return decidedMs - capturedMs + Math.max(0, knownMs - decidedMs - CURRENT_MS);
}

/** Share of the frames with a known outcome that were shown undamaged, 0 to 1; `undefined` while there are none. */
export function shownRight(figures: LaneFigures): number | undefined {
  const { framesOnTime, framesRecovered, framesLate, framesMended, framesLost } = figures;
  const frames = framesOnTime + framesRecovered + framesLate + framesMended + framesLost;
  return frames === 0 ? undefined : (figures.framesShown - figures.framesDamaged) / frames;
}

/** @param delayMs one-way delay of the link, milliseconds. */
export function verdictOf(
  recent: Pick<RecentFigures, 'counts' | 'lagChangeMs'>,
  behindMs: number | undefined,
  { latencyMs }: Pick<LaneSettings, 'latencyMs'>,
  delayMs: number,
): Verdict {
  const { counts, lagChangeMs } = recent;
  if (behindMs === undefined || !counts) return WAITING;
  const { damaged, lost } = counts;
  const isLate = behindMs - latencyMs - delayMs > LATE_MS;
  if (!isLate) {
    if (damaged > 0) return { kind: 'damaged', words: 'On time, damaged', plain: 'on time, damaged' };
    if (lost > 0) return { kind: 'gaps', words: 'On time, with gaps', plain: 'on time, with gaps' };
    return { kind: 'whole', words: 'On time, whole', plain: 'on time, whole' };
  }
  const isChanging = Math.abs(lagChangeMs) > Math.max(TREND_MS, TREND_SHARE * behindMs);
  const trend = isChanging ? (lagChangeMs > 0 ? ', growing' : ', catching up') : '';
  const state = damaged > 0 ? 'Damaged' : lost > 0 ? 'With gaps' : 'Whole';
  return {
    kind: state === 'Whole' ? 'late' : 'late-damaged',
    words: `${state}, ${roughly(behindMs)} late${trend}`,
    plain: `${state.toLowerCase()}, late${trend}`,
  };
}

/** Text of the hero figure "pictures shown right". */
export function shownRightText(figures: LaneFigures): string {
  const part = shownRight(figures);
  return part === undefined ? '–' : share(part);
}
