import type { Microseconds } from '../../protocol/base/units.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { causalPackets } from './causal-bound.ts';
import { framePolicies, packetsForLoss } from './frame-bound.ts';

/** A stream of equal frames on a path with a constant delay. */
export interface BoundedStream {
  /** Share of packets lost, independently, 0 to below 1. */
  readonly loss: number;
  readonly oneWay: Microseconds;
  readonly roundTrip: Microseconds;
  /** From the hand-over of a frame to its deadline. */
  readonly budget: Microseconds;
  readonly frameInterval: Microseconds;
  /** Packets per frame. */
  readonly packets: number;
  /** Header bytes of the media packets per payload byte. */
  readonly headers: number;
}

/** Least overhead at a share of lost frames: bytes offered to the path per payload byte, minus one. */
export interface RecoveryBound {
  /** Of any scheme whatever: each frame that arrives has all its packets received. */
  readonly floor: number;
  /**
   * Of any scheme that codes frame by frame with perfect feedback; without feedback in time, of any code that repairs
   * after each frame. `undefined` when no scheme of this kind loses so few.
   */
  readonly scheme: number | undefined;
}

/**
 * Returns how often a sender can learn what is missing and send again before the deadline: detection takes time, so an
 * answer that would arrive at the deadline itself does not.
 */
export const feedbackRounds = ({
  oneWay,
  roundTrip,
  budget,
}: Pick<BoundedStream, 'oneWay' | 'roundTrip' | 'budget'>): number =>
  Math.max(0, Math.ceil((budget - oneWay) / roundTrip) - 1);

/** Returns the frame intervals whose repair packets arrive before the deadline. */
export const repairSlots = ({
  oneWay,
  budget,
  frameInterval,
}: Pick<BoundedStream, 'oneWay' | 'budget' | 'frameInterval'>): number =>
  Math.max(0, Math.ceil((budget - oneWay) / frameInterval));

/** Returns the least overhead of any scheme with which a stream loses `lost` of its frames, 0 … 1. */
export const overheadFloor = ({ loss, headers }: Pick<BoundedStream, 'loss' | 'headers'>, lost: number): number =>
  ((1 + headers) * (1 - lost)) / (1 - loss) - 1;

/** Returns the least overhead with which a stream loses `lost` of its frames, 0 … 1. */
export function recoveryBound(stream: BoundedStream, lost: number): RecoveryBound {
  const { loss, packets, headers } = stream;
  const rounds = feedbackRounds(stream);
  const sent =
    rounds > 0
      ? packetsForLoss(framePolicies({ loss, packets, rounds }), lost)
      : causalPackets({ loss, packets, slots: repairSlots(stream) }, lost);
  return {
    floor: overheadFloor(stream, lost),
    scheme: sent === undefined ? undefined : ((1 + headers) * sent) / packets - 1,
  };
}

/** True when a link has independent losses and a constant delay only, as these bounds assume. */
export function isMemoryless(link: LinkSpecification): boolean {
  const { burst, lossModel, outages, jitter, fifoJitter, slip, duplicate, corrupt, rate, capacity, netem, changes } =
    link;
  const plainLoss = lossModel === undefined && burst <= 1 && !outages?.length;
  const plainDelay = jitter === 0 && !fifoJitter && !slip && rate === 0 && capacity === undefined;
  return plainLoss && plainDelay && duplicate === 0 && corrupt === 0 && netem === undefined && !changes?.length;
}
