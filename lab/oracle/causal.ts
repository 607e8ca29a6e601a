import {
  amountIn,
  earlier,
  type Microseconds,
  microseconds,
  milliseconds,
  perSecond,
} from '../../protocol/base/units.ts';
import type { CapacityCurve } from '../../sim/link/capacity-curve.ts';
import { type FrameDemand, type FrameJob, frameJobs } from './clairvoyant.ts';

/** A rule by which the causal oracle chooses the size of a frame. */
export interface CausalRule {
  /** Time over which the past capacity is averaged. */
  readonly memory: Microseconds;
  /** Share of the averaged capacity that is used. */
  readonly share: number;
  /** Standing queue that is allowed, as the time that it takes at the averaged capacity. */
  readonly queue: Microseconds;
}

/** Misses and bytes in time under one rule. */
export interface CausalResult {
  readonly rule: CausalRule;
  readonly missed: number;
  readonly bytes: number;
}

const MEMORIES: readonly Microseconds[] = [50, 100, 200, 400, 800, 1_600].map((ms) => milliseconds(ms));
const SHARES = [0.4, 0.6, 0.75, 0.85, 0.95, 1.05] as const;
/** Shares of the time that the budget leaves for the queue. */
const QUEUES = [0, 0.15, 0.3, 0.5] as const;

export interface CausalOptions {
  /** Time from capture to use. */
  readonly budget: Microseconds;
  readonly frameInterval: Microseconds;
  /** Delay after which the source knows what the bottleneck has carried. */
  readonly knownAfter: Microseconds;
}

/**
 * Sources that know exactly what the path has carried, one way's delay late, and nothing of what it will carry. Each
 * one chooses the size of every frame by a fixed rule: the averaged capacity of one frame interval, and what the
 * allowed queue leaves in addition to the bytes known to be in flight. Nothing is lost, no byte is spent on finding the
 * capacity, and frames go out in order.
 *
 * @param frames in order of capture.
 * @returns the rules of which none has both fewer misses and more bytes than another, by ascending misses.
 */
export function causalFront(
  frames: readonly FrameDemand[],
  curve: CapacityCurve,
  options: CausalOptions,
): readonly CausalResult[] {
  const { budget, knownAfter } = options;
  const jobs = frameJobs(frames, curve, budget);
  const room = Math.max(0, budget - curve.delay);
  const known = (before: Microseconds) =>
    Float64Array.from(frames, ({ capturedAt }) => curve.through(earlier(capturedAt, before)));
  const carried = known(knownAfter);
  const results = MEMORIES.flatMap((memory) => {
    const earlierCarried = known(microseconds(knownAfter + memory));
    return SHARES.flatMap((share) =>
      QUEUES.map((queue) => {
        const rule: CausalRule = { memory, share, queue: microseconds(Math.round(queue * room)) };
        return follow(rule, jobs, { carried, earlierCarried }, options);
      }),
    );
  });
  results.sort((one, other) => one.missed - other.missed || other.bytes - one.bytes);
  let most = -1;
  return results.filter(({ bytes }) => {
    if (bytes <= most) return false;
    most = bytes;
    return true;
  });
}

/** Bytes that the path is known to have carried when a frame is captured, and one memory before that. */
interface Known {
  readonly carried: Float64Array;
  readonly earlierCarried: Float64Array;
}

function follow(rule: CausalRule, jobs: readonly FrameJob[], known: Known, options: CausalOptions): CausalResult {
  const { frameInterval, knownAfter } = options;
  /** End of each frame on the scale of the service curve, and the bytes up to and including it. */
  const ends = new Float64Array(jobs.length);
  const sent = new Float64Array(jobs.length);
  /** First frame not known to have been carried completely. */
  let unknown = 0;
  let missed = 0;
  let bytes = 0;
  for (const [index, job] of jobs.entries()) {
    const carried = known.carried[index]!;
    while (unknown < index && ends[unknown]! <= carried) unknown++;
    const rate = rule.share * perSecond(carried - known.earlierCarried[index]!, rule.memory);
    const total = index === 0 ? 0 : sent[index - 1]!;
    const size = unknown < index ? sent[unknown]! - (sent[unknown - 1] ?? 0) : 0;
    const begun = unknown < index ? Math.min(size, Math.max(0, carried - (ends[unknown]! - size))) : 0;
    const underWay = unknown < index ? total - (sent[unknown - 1] ?? 0) - begun : 0;
    const waiting = Math.max(0, underWay - amountIn(knownAfter, rate));
    const wanted = amountIn(microseconds(frameInterval + rule.queue), rate) - waiting;
    const taken = Math.min(job.bytesMax, Math.max(job.bytesMin, wanted));
    ends[index] = Math.max(job.release, index === 0 ? 0 : ends[index - 1]!) + taken;
    sent[index] = total + taken;
    if (ends[index]! > job.due) missed++;
    else bytes += taken;
  }
  return { rule, missed, bytes };
}
