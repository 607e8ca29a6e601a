import { percentile, sorted } from '../../lab/metrics/percentile.ts';
import type { PeerRecord } from './peer.ts';
import { FRAME_PAYLOAD_BYTES, PAYLOADS_PER_FRAME } from './workload.ts';

/** Which frames count, and until when they are in time. */
export interface Judgement {
  /** From hand-over to release, milliseconds. */
  readonly budgetMs: number;
  /** What a frame may take beyond its budget and still be in time, milliseconds. */
  readonly toleranceMs: number;
  /** The stream's first frames that are not counted: handshakes, first measurements, compilers. */
  readonly warmUpFrames: number;
  /** The stream's last frames that are not counted: nothing follows that would tell that they are missing. */
  readonly tailFrames: number;
}

/** What one run came to. */
export interface Outcome {
  readonly frames: number;
  /** Frames of which at least one payload never came out. */
  readonly lost: number;
  /** Frames that came out whole, later than budget and tolerance. */
  readonly late: number;
  /** Bytes that the link was offered towards the receiver (UDP payload) over payload bytes, less one. */
  readonly overhead: number;
  /** From hand-over to the last payload's release, milliseconds, of whole frames; `null`: there were none. */
  readonly delayMs: { readonly p50: number; readonly p99: number; readonly max: number } | null;
  /** By how much frames were handed over later than one thirtieth of a second after another, milliseconds. */
  readonly feedLateMs: number;
}

export type Evidence = Pick<PeerRecord, 'handedOverAt' | 'releases' | 'readings' | 'mediaWay'>;

/** What a run came to, by its records alone. */
export function outcomeOf(evidence: Evidence, judgement: Judgement): Outcome {
  const { handedOverAt, releases } = evidence;
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
    overhead: overheadOf(evidence, window),
    delayMs: delaysOf(delays),
    feedLateMs: feedLateness(handedOverAt.slice(first, end)),
  };
}

function delaysOf(milliseconds: readonly number[]): Outcome['delayMs'] {
  if (milliseconds.length === 0) return null;
  const delays = sorted(milliseconds);
  return { p50: percentile(delays, 0.5)!, p99: percentile(delays, 0.99)!, max: delays.at(-1)! };
}

/** Between the first and the last of the relay's readings in the window: their bytes over those of the frames between. */
function overheadOf({ readings, handedOverAt, mediaWay }: Evidence, window: { from: number; to: number }): number {
  const within = readings.filter(({ at }) => at >= window.from && at <= window.to);
  const [first, last] = [within[0], within.at(-1)];
  if (!first || !last || first === last) return Number.NaN;
  const name = `${mediaWay}Bytes` as const;
  const frames = handedOverAt.filter((at) => at > first.at && at <= last.at).length;
  return (last[name] - first[name]) / (frames * FRAME_PAYLOAD_BYTES) - 1;
}

/** The most that a frame came after its time, counted from the promptest. */
function feedLateness(handedOverAt: readonly number[]): number {
  const offsets = handedOverAt.map((at, frame) => at / 1e3 - (frame * 1e3) / 30);
  return offsets.length === 0 ? Number.NaN : Math.max(...offsets) - Math.min(...offsets);
}
