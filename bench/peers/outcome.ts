import { percentile, sorted } from '../../lab/metrics/percentile.ts';
import type { PeerRecord } from './peer.ts';
import { FRAME_PAYLOAD_BYTES, PAYLOADS_PER_FRAME } from './workload.ts';

/** Frames that count, and their deadline. */
export interface Judgement {
  /** From hand-over to release, milliseconds. */
  readonly budgetMs: number;
  /** Tolerance beyond the budget, milliseconds. */
  readonly toleranceMs: number;
  /** Initial frames that do not count: handshakes, first measurements, compilation. */
  readonly warmUpFrames: number;
  /** Final frames that do not count, because no later frame would reveal their loss. */
  readonly tailFrames: number;
}

/** Result of a run. */
export interface PeerOutcome {
  readonly frames: number;
  /** Frames with at least one missing payload. */
  readonly lost: number;
  /** Frames complete after budget and tolerance. */
  readonly late: number;
  /** Bytes offered to the link towards the receiver (UDP payload) divided by payload bytes, minus one. */
  readonly overhead: number;
  /** Hand-over to release of the last payload, complete frames, milliseconds; `null` without any. */
  readonly delayMs: { readonly p50: number; readonly p99: number; readonly max: number } | null;
  /** Lateness of frames relative to intervals of 1/30 s, milliseconds. */
  readonly feedLateMs: number;
}

export type RunRecords = Pick<PeerRecord, 'handedOverAt' | 'releases' | 'readings' | 'mediaWay'>;

/** Evaluates a run from its records. */
export function outcomeOf(records: RunRecords, judgement: Judgement): PeerOutcome {
  const { handedOverAt, releases } = records;
  const { budgetMs, toleranceMs, warmUpFrames, tailFrames } = judgement;
  const released = new Map(releases.map(([frame, payloads, at]) => [frame, { payloads, at }]));
  const first = warmUpFrames;
  const end = Math.max(first, handedOverAt.length - tailFrames);
  const delays: number[] = [];
  let lost = 0;
  let late = 0;
  for (let frame = first; frame < end; frame++) {
    const release = released.get(frame);
    if (release === undefined || release.payloads < PAYLOADS_PER_FRAME) {
      lost++;
      continue;
    }
    const delay = (release.at - handedOverAt[frame]!) / 1e3;
    delays.push(delay);
    if (delay > budgetMs + toleranceMs) late++;
  }
  const window = { from: handedOverAt[first] ?? Number.NaN, to: handedOverAt[end - 1] ?? Number.NaN };
  return {
    frames: end - first,
    lost,
    late,
    overhead: overheadOf(records, window),
    delayMs: delaysOf(delays),
    feedLateMs: feedLateness(handedOverAt.slice(first, end)),
  };
}

function delaysOf(milliseconds: readonly number[]): PeerOutcome['delayMs'] {
  if (milliseconds.length === 0) return null;
  const delays = sorted(milliseconds);
  return { p50: percentile(delays, 0.5)!, p99: percentile(delays, 0.99)!, max: delays.at(-1)! };
}

/**
 * Bytes between the first and last reading within the window, divided by the bytes of the frames in between, minus one.
 */
function overheadOf({ readings, handedOverAt, mediaWay }: RunRecords, window: { from: number; to: number }): number {
  const within = readings.filter(({ at }) => at >= window.from && at <= window.to);
  const [first, last] = [within[0], within.at(-1)];
  if (!first || !last || first === last) return Number.NaN;
  const name = `${mediaWay}Bytes` as const;
  const frames = handedOverAt.filter((at) => at > first.at && at <= last.at).length;
  return (last[name] - first[name]) / (frames * FRAME_PAYLOAD_BYTES) - 1;
}

/** Largest lateness of a frame, relative to the earliest one. */
function feedLateness(handedOverAt: readonly number[]): number {
  const offsets = handedOverAt.map((at, frame) => at / 1e3 - (frame * 1e3) / 30);
  return offsets.length === 0 ? Number.NaN : Math.max(...offsets) - Math.min(...offsets);
}
