import { type Instant, instant, type Microseconds } from '../../protocol/base/units.ts';
import type { CapacityCurve } from '../../sim/link/capacity-curve.ts';

/** Demand of a frame on the path. */
export interface FrameDemand {
  readonly capturedAt: Instant;
  /** Least size on the path that is of use, bytes, headers included. */
  readonly bytesMin: number;
  /** Greatest size, bytes; at least `bytesMin`. */
  readonly bytesMax: number;
}

/** Best possible transmission of a stream over a path whose future is known. */
export interface ClairvoyantResult {
  /** Frames that no sender could have delivered in time. */
  readonly missed: number;
  /** Bytes of each frame in time; 0 when missed. */
  readonly bytes: Float64Array;
}

/** A frame on the scale of the service curve: bytes that the path could have carried. */
export interface FrameJob {
  /** Place of the frame in the stream. */
  readonly index: number;
  /** Bytes before its capture, and by the latest instant at which it can leave and be in time. */
  readonly release: number;
  readonly due: number;
  readonly bytesMin: number;
  readonly bytesMax: number;
}

/**
 * Finds the fewest frames that must miss their budget, and, with those misses, the most bytes in time. Frames are
 * carried in order (all have the same budget, so this is earliest deadline first) and those to be missed are skipped.
 * References between frames are ignored, so it is a bound for every sender.
 *
 * The fewest misses follow Kise, Ibaraki and Mine (1978): when a frame would be late, the frame whose omission lets the
 * others finish earliest is skipped. The bytes are a maximum flow: frames never lose their least size to others.
 *
 * @param frames in order of capture.
 * @param budget time from capture to use.
 */
export function clairvoyant(
  frames: readonly FrameDemand[],
  curve: CapacityCurve,
  budget: Microseconds,
): ClairvoyantResult {
  const kept = fewestMisses(frameJobs(frames, curve, budget));
  return { missed: frames.length - kept.length, bytes: greatestBytes(kept, frames.length) };
}

/** Places frames on the scale of a service curve. @param budget time from capture to use. */
export function frameJobs(
  frames: readonly FrameDemand[],
  curve: CapacityCurve,
  budget: Microseconds,
): readonly FrameJob[] {
  const { packetBytes } = curve;
  const whole = (bytes: number) => (packetBytes === undefined ? bytes : Math.ceil(bytes / packetBytes) * packetBytes);
  return frames.map(({ capturedAt, bytesMin, bytesMax }, index) => ({
    index,
    release: curve.before(capturedAt),
    due: curve.through(instant(capturedAt + budget - curve.delay)),
    bytesMin: whole(bytesMin),
    bytesMax: Math.max(whole(bytesMin), bytesMax),
  }));
}

/** Jobs to carry, in order, at their least size. */
function fewestMisses(jobs: readonly FrameJob[]): readonly FrameJob[] {
  const kept: FrameJob[] = [];
  /** Begin of each kept job. */
  const begins: number[] = [];
  for (const job of jobs) {
    const last = kept.at(-1);
    begins.push(Math.max(job.release, last ? begins.at(-1)! + last.bytesMin : 0));
    kept.push(job);
    if (begins.at(-1)! + job.bytesMin > job.due) skip(kept, begins);
  }
  return kept;
}

/** Removes the kept job whose omission lets the last one finish earliest. */
function skip(kept: FrameJob[], begins: number[]): void {
  const last = kept.length - 1;
  // Without the last job, all others finish where the one before it does.
  let chosen = last;
  let gain = last === 0 ? Number.POSITIVE_INFINITY : begins[last]! - (begins[last - 1]! + kept[last - 1]!.bytesMin);
  gain += kept[last]!.bytesMin;
  /** By how much the jobs behind the one considered could begin earlier. */
  let slack = Number.POSITIVE_INFINITY;
  for (let index = last; index > 0; index--) {
    slack = Math.min(slack, begins[index]! - kept[index]!.release);
    const candidate = Math.min(slack, kept[index - 1]!.bytesMin);
    if (candidate > gain) {
      gain = candidate;
      chosen = index - 1;
    }
    if (slack <= gain) break;
  }
  kept.splice(chosen, 1);
  begins.splice(chosen, 1);
  for (let index = chosen; index < kept.length; index++) {
    const before = index === 0 ? 0 : begins[index - 1]! + kept[index - 1]!.bytesMin;
    begins[index] = Math.max(kept[index]!.release, before);
  }
}

/** Gives each kept job as much as it can take without making a later one miss. */
function greatestBytes(kept: readonly FrameJob[], frames: number): Float64Array {
  const bytes = new Float64Array(frames);
  /** Latest end of each job that leaves the least size to all later ones. */
  const ends = new Float64Array(kept.length);
  let end = Number.POSITIVE_INFINITY;
  for (let index = kept.length - 1; index >= 0; index--) {
    const job = kept[index]!;
    ends[index] = Math.min(job.due, end);
    end = ends[index]! - job.bytesMin;
  }
  let free = 0;
  for (const [index, job] of kept.entries()) {
    const begin = Math.max(free, job.release);
    const taken = Math.min(job.bytesMax, ends[index]! - begin);
    bytes[job.index] = taken;
    free = begin + taken;
  }
  return bytes;
}
