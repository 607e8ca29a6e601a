import { isMemoryless, type RecoveryBound, recoveryBound } from '../lab/bounds/recovery-bound.ts';
import { sum } from '../lab/report/operating-point.ts';
import { microseconds, milliseconds, SECOND } from '../protocol/base/units.ts';
import { parseLinkSpecification } from '../sim/link/link-parse.ts';
import { meanLoss } from '../sim/link/loss/loss-model.ts';
import { type BenchPoint, FRAMES_PER_SECOND, PACKETS_PER_FRAME, type PointOutcome } from './point.ts';

/** Least overhead at the loss that the runs of a point had; without `scheme` where only the floor is known. */
export function boundOf(point: BenchPoint, outcomes: readonly PointOutcome[]): RecoveryBound | undefined {
  const link = parseLinkSpecification(point.forward);
  const back = parseLinkSpecification(point.back);
  if (!link.ok || !back.ok || link.value.rate > 0) return undefined;
  const { value: forward } = link;
  const packets = point.packets ?? PACKETS_PER_FRAME;
  const bound = recoveryBound(
    {
      loss: forward.lossModel ? meanLoss(forward.lossModel) : forward.loss,
      oneWay: forward.delay,
      roundTrip: microseconds(forward.delay + back.value.delay),
      budget: milliseconds(point.budgetMs),
      frameInterval: microseconds(SECOND / (point.framesPerSecond ?? FRAMES_PER_SECOND)),
      packets,
      headers: sum(outcomes.map(({ headers }) => headers)) / outcomes.length,
    },
    sum(outcomes.map(({ framesLost }) => framesLost)) / sum(outcomes.map(({ frames }) => frames)),
  );
  const equalFrames = point.keyPackets === undefined || point.keyPackets === packets;
  return isMemoryless(forward) && equalFrames ? bound : { floor: bound.floor, scheme: undefined };
}

/** Formats a bound and the distance from it, percent: `7.66 (+0.03)`; `≥ 13.32` where only the floor is known. */
export function boundText(bound: RecoveryBound | undefined, overhead: number): string {
  if (!bound) return '–';
  const { floor, scheme } = bound;
  const text = (share: number) => (share * 100).toFixed(2);
  if (scheme === undefined) return `≥ ${text(floor)}`;
  const above = overhead - scheme;
  return `${text(scheme)} (${above < 0 ? '−' : '+'}${text(Math.abs(above))})`;
}
