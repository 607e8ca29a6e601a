import { assert } from '../../protocol/base/assert.ts';
import { binomial } from './binomial.ts';

/** Frames of equal length that are repaired without feedback. */
export interface RepairSchedule {
  /** Share of packets lost, independently, 0 to below 1. */
  readonly loss: number;
  readonly packets: number;
  /** Frame intervals, that of the frame itself included, whose repair packets arrive before the frame's deadline. */
  readonly slots: number;
}

/** Phases of a fractional number of repair packets per frame over which the loss is averaged. */
const PHASES = 50;
/** Probabilities below this are omitted from sums. */
const NEGLIGIBLE = 1e-16;
/** Halvings of the interval in which the number of repair packets is sought. */
const HALVINGS = 40;

/**
 * Least share of lost frames of any code without feedback that sends repair packets after each frame: a frame fails
 * unless, within its slots, there is a moment at which the repair packets received since it are at least as many as
 * the losses since it. Fractional numbers of repair packets are spread evenly over the frames.
 *
 * @param repair packets per frame, 0 or more.
 */
export function causalLoss({ loss, packets, slots }: RepairSchedule, repair: number): number {
  assert(loss >= 0 && loss < 1 && packets > 0 && slots >= 0 && repair >= 0, 'the schedule must be possible');
  const lostShares = binomial(packets, loss);
  const receivedShares = [Math.floor(repair), Math.floor(repair) + 1].map((count) => binomial(count, 1 - loss));
  let sum = 0;
  for (let phase = 0; phase < PHASES; phase++) {
    let due = phase / PHASES;
    // Probabilities by packets that are missing beyond the repair, in frames that have not been complete yet.
    let missing = Float64Array.of(1);
    for (let slot = 0; slot < slots; slot++) {
      due += repair - Math.floor(repair);
      const extra = due >= 1 - 1e-9 ? 1 : 0;
      due -= extra;
      missing = afterSlot(missing, lostShares, receivedShares[extra]!);
    }
    for (const share of missing) sum += share / PHASES;
  }
  // Without a slot, a frame is lost with its first packet.
  return slots === 0 ? 1 - lostShares[0]! : sum;
}

/** Returns the packets per frame, media included, that any such code needs for a share of lost frames. */
export function causalPackets(schedule: RepairSchedule, lost: number): number | undefined {
  if (causalLoss(schedule, 0) <= lost) return schedule.packets;
  let [low, high] = [0, 1];
  while (causalLoss(schedule, high) > lost) {
    if (high > schedule.packets * 8 || schedule.slots === 0) return undefined;
    low = high;
    high *= 2;
  }
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2;
    if (causalLoss(schedule, middle) > lost) low = middle;
    else high = middle;
  }
  return schedule.packets + high;
}

function afterSlot(missing: Float64Array, lost: Float64Array, received: Float64Array): Float64Array<ArrayBuffer> {
  const after = new Float64Array(missing.length + lost.length - 1);
  for (let before = 0; before < missing.length; before++) {
    if (missing[before]! < NEGLIGIBLE) continue;
    for (let more = 0; more < lost.length; more++) {
      for (let repaired = 0; repaired < received.length; repaired++) {
        const left = before + more - repaired;
        if (left > 0) after[left]! += missing[before]! * lost[more]! * received[repaired]!;
      }
    }
  }
  return after;
}
