import { ticks, toMilliseconds } from '../../protocol/base/units.ts';
import type { LaneFigures, LanePicture } from '../../protocol/page/lane-message.ts';
import { type Frame, isShown, LaneLog, type TimelineLog } from '../lanes/lane-log.ts';
import type { Taught } from '../lanes/lesson.ts';
import { readPageLink } from '../lanes/page-traces.ts';
import { lagOf, RecentFigures, verdictOf } from '../lanes/verdict.ts';
import type { RecordedRun, Recording, RunRecord } from './recording.ts';

/** A picture that can be decoded, and the time at which the lane showed it. */
export interface ReplayedPicture {
  readonly frame: number;
  readonly key: boolean;
  /** Time at which it was on the screen first; `undefined` for one that was decoded and not shown. */
  readonly shownMs: number | undefined;
  /** Index of the last picture that a decoder needs before it gives this one out: those that are shown before it. */
  readonly through: number;
  /** True when a picture before it is missing since the key frame: this window did not receive it. */
  readonly isBroken: boolean;
  readonly picture: LanePicture;
}

/** The figures and words of a lane at a time. */
export interface Standing {
  readonly atMs: number;
  readonly figures: LaneFigures;
  readonly taught: Taught;
}

/** Time span around the present whose packets are at hand for drawing, milliseconds. */
const BEFORE_MS = 8_000;
const AFTER_MS = 2_000;
const PACKETS_MAX = 200_000;

/** One recorded run of a lane, by time. */
export class ReplayedRun {
  readonly recorded: RecordedRun;
  /** All packets and frames of the run. */
  readonly log: LaneLog;
  /** In decoding order. */
  readonly pictures: readonly ReplayedPicture[];
  /** In order of their outcomes. */
  readonly frames: readonly Frame[];
  /** In order of time. */
  readonly #standings: readonly Standing[];
  /** Indices of the pictures that were shown, in the order of showing. */
  readonly #shown: readonly number[];
  readonly #received: ReadonlySet<number>;
  #near: { readonly fromMs: number; readonly untilMs: number; readonly log: TimelineLog } | undefined;

  constructor(recorded: RecordedRun, media: Uint8Array, links: RunRecord['links']) {
    this.recorded = recorded;
    this.log = new LaneLog({ keptMs: Number.POSITIVE_INFINITY, packetsMax: PACKETS_MAX, framesMax: PACKETS_MAX });
    this.log.take(recorded.untilMs, recorded.events);
    this.frames = [...this.log.frames.values()].sort((a, b) => a.decidedMs - b.decidedMs);
    this.#received = new Set(recorded.pictures.map(([frame]) => frame));
    this.pictures = inShowingOrder(this.#readPictures(media));
    this.#shown = [...this.pictures.keys()]
      .filter((index) => this.pictures[index]!.shownMs !== undefined)
      .sort((a, b) => this.pictures[a]!.picture.timestamp - this.pictures[b]!.picture.timestamp);
    this.#standings = this.#judge(links);
  }

  /** True while the run goes on at a time. */
  isOnAt(ms: number): boolean {
    return ms >= this.recorded.fromMs && ms < this.recorded.untilMs;
  }

  /**
   * Index of the picture that is on the screen at a time; −1 before the first, `undefined` where the window has not
   * received it.
   */
  pictureAt(ms: number): number | undefined {
    const newest = this.#newestAt(ms)?.number;
    const first = this.pictures[0];
    if (newest !== undefined && first !== undefined && newest > first.frame && !this.#received.has(newest))
      return undefined;
    const index = this.#shown.findLast((at) => this.pictures[at]!.shownMs! <= ms) ?? -1;
    return this.pictures[index]?.isBroken ? undefined : index;
  }

  /** How far the newest shown frame is behind live at a time, milliseconds; `undefined` before the first. */
  behindAt(ms: number): number | undefined {
    return lagOf({ newestShown: this.#newestAt(ms), knownMs: ms });
  }

  #newestAt(ms: number): Frame | undefined {
    return this.frames.findLast((frame) => isShown(frame.class) && frame.decidedMs <= ms);
  }

  /** Figures and verdict at a time: the newest ones, or the first of the run. */
  standingAt(ms: number): Standing | undefined {
    return this.#standings.findLast(({ atMs }) => atMs <= ms) ?? this.#standings[0];
  }

  /** Packets and frames near a time: the whole log is too long to draw from. */
  logAt(ms: number): TimelineLog {
    if (!this.#near || ms < this.#near.fromMs || ms > this.#near.untilMs) {
      const [from, to] = [ms - BEFORE_MS, ms + AFTER_MS];
      const packets = [...this.log.packets].filter(([, { sentMs, arrivedMs, freedMs }]) => {
        return sentMs <= to && Math.max(sentMs, arrivedMs ?? 0, freedMs ?? 0) >= from;
      });
      const frames = [...this.log.frames].filter(
        ([, { decidedMs }]) => decidedMs >= from && decidedMs <= to + AFTER_MS,
      );
      const log = { packets: new Map(packets), frames: new Map(frames), knownMs: this.log.knownMs };
      this.#near = { fromMs: ms - AFTER_MS, untilMs: ms + AFTER_MS / 2, log };
    }
    return this.#near.log;
  }

  #readPictures(media: Uint8Array): readonly Omit<ReplayedPicture, 'through'>[] {
    const [firstKnown = Number.POSITIVE_INFINITY] = this.log.frames.keys();
    let isBroken = false;
    let before = -1;
    return this.recorded.pictures.flatMap(([frame, key, timestamp, offset, bytes]) => {
      const outcome = this.log.frames.get(frame);
      // One without an outcome is older than the events, or so new that its outcome has not come.
      if (!outcome && frame > firstKnown) return [];
      isBroken = key === 0 && (isBroken || this.#misses(before, frame));
      before = frame;
      const shownMs = outcome && isShown(outcome.class) ? outcome.decidedMs : undefined;
      const data = media.subarray(offset, offset + bytes);
      const picture = { lane: 0, run: 0, frame, key: key === 1, timestamp: ticks(timestamp), capturedMs: 0, data };
      return [{ frame, key: key === 1, shownMs, isBroken, picture }];
    });
  }

  /** True when a frame between two pictures was decoded by the lane and is not in the recording. */
  #misses(before: number, frame: number): boolean {
    for (let between = before + 1; between < frame; between++) {
      const outcome = this.log.frames.get(between);
      if (outcome && (isShown(outcome.class) || outcome.class === 'mended') && !this.#received.has(between))
        return true;
    }
    return false;
  }

  #judge(links: RunRecord['links']): readonly Standing[] {
    const { settings, figures: all } = this.recorded;
    const recent = new RecentFigures();
    const standings = all.map(([atMs, figures]) => {
      const behindMs = this.behindAt(atMs);
      recent.add(atMs, figures, behindMs);
      const link = links.findLast(({ fromMs }) => fromMs <= atMs) ?? links[0];
      const verdict = verdictOf(recent, behindMs, settings, link === undefined ? 0 : delayMsOf(link.link));
      return { atMs, figures, taught: { settings, verdict, counts: recent.counts, behindMs } };
    });
    const known = standings.filter(({ taught }) => taught.counts !== undefined);
    return known.length > 0 ? known : standings;
  }
}

/** Pictures that are decoded before others that are shown earlier (B-frames) are so few at most. */
const REORDERED_MAX = 16;

/** A picture is on the screen once all that are shown before it were decoded. */
function inShowingOrder(pictures: readonly Omit<ReplayedPicture, 'through'>[]): readonly ReplayedPicture[] {
  return pictures.map((one, index) => {
    let [through, shownMs] = [index, one.shownMs];
    for (let next = index + 1; next < Math.min(pictures.length, index + REORDERED_MAX); next++) {
      const { picture, shownMs: laterMs, key } = pictures[next]!;
      if (key) break;
      if (picture.timestamp > one.picture.timestamp) continue;
      through = next;
      if (shownMs !== undefined) shownMs = Math.max(shownMs, laterMs ?? 0);
    }
    return { ...one, through, shownMs };
  });
}

/** One-way delay of a link, milliseconds; 0 for one that this page cannot read. */
function delayMsOf(link: string): number {
  const read = readPageLink(link);
  return read.ok ? toMilliseconds(read.value.delay) : 0;
}

/** All runs of the recorded lanes, by lane. */
export function replayedRuns({ record, media }: Recording): readonly (readonly ReplayedRun[])[] {
  return record.lanes.map(({ runs }) => runs.map((run) => new ReplayedRun(run, media, record.links)));
}
