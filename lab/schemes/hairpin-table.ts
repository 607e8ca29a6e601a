import { assert } from '../../protocol/base/assert.ts';
import { binomial } from '../bounds/binomial.ts';

/** Ratios of repair packets to packets that are tried: 0 to 0.95 in steps of 0.05, and 1 to 5. */
const RATIOS: readonly number[] = [...Array.from({ length: 20 }, (_, step) => step * 0.05), 1, 2, 3, 4, 5];

/** Largest batch of packets, and number of transmissions, that the table distinguishes. */
export const BATCH_PACKETS_MAX = 55;
export const TRANSMISSIONS_MAX = 15;
/** Loss is rounded to this, and is at most half. */
const LOSS_STEP = 0.01;
const LOSS_MAX = 0.5;
/** Frame sizes are rounded up to this, and are 5 to 55 packets. */
const FRAME_STEP = 5;

/** Rounds as the published program does: a half to the even neighbor. */
const roundHalfEven = (value: number): number => {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
};

const countsFor = (packets: number): readonly number[] => [
  ...new Set(RATIOS.map((ratio) => roundHalfEven(ratio * packets))),
];

/** Inputs of a decision. */
export interface HairpinState {
  /** Share of packets lost, 0 … 1. */
  readonly loss: number;
  /** Packets of the frame, in whose terms the cost is counted. */
  readonly framePackets: number;
  /** Transmissions that are left before the deadline, this one included; 1 or more. */
  readonly transmissions: number;
  /** Packets of the batch that is to be sent, 1 or more. */
  readonly packets: number;
}

interface Plan {
  /** Repair packets by transmissions left and packets, and the value of the state. */
  readonly repairs: readonly Uint16Array[];
  readonly values: readonly Float64Array[];
}

/**
 * Number of repair packets with each batch of a frame's packets by Hairpin (Meng et al., NSDI 2024): the maximum of
 * −P(deadline missed) − weight · E(repair packets) / packets of the frame, by backward induction over the transmissions
 * that are left. Batches are coded alone; what is missing after one is sent anew as a whole batch. Retransmissions cost
 * nothing. Ranges and steps are those of the published program.
 */
export class HairpinTable {
  readonly #weight: number;
  readonly #plans = new Map<number, Plan>();

  constructor(weight: number) {
    this.#weight = weight;
  }

  repairs(state: HairpinState): number {
    const packets = Math.max(1, Math.min(state.packets, BATCH_PACKETS_MAX));
    const transmissions = Math.max(1, Math.min(state.transmissions, TRANSMISSIONS_MAX));
    return this.#planFor(state).repairs[transmissions]![packets]!;
  }

  /** Returns the value of a state under the best decisions, −1 … 0. */
  value(state: HairpinState): number {
    return this.#planFor(state).values[state.transmissions]![state.packets]!;
  }

  #planFor({ loss, framePackets }: HairpinState): Plan {
    const step = Math.round(Math.min(loss, LOSS_MAX) / LOSS_STEP);
    const size = FRAME_STEP * Math.ceil(Math.max(FRAME_STEP, Math.min(framePackets, BATCH_PACKETS_MAX)) / FRAME_STEP);
    const key = step * (BATCH_PACKETS_MAX + 1) + size;
    let plan = this.#plans.get(key);
    if (!plan) {
      plan = planOf({ loss: step * LOSS_STEP, costOfRepair: this.#weight / size });
      this.#plans.set(key, plan);
    }
    return plan;
  }
}

function planOf({ loss, costOfRepair }: { loss: number; costOfRepair: number }): Plan {
  const options = optionsAt(loss);
  const repairs = [new Uint16Array(BATCH_PACKETS_MAX + 1)];
  const values = [new Float64Array(BATCH_PACKETS_MAX + 1).fill(-1)];
  values[0]![0] = 0;
  for (let transmissions = 1; transmissions <= TRANSMISSIONS_MAX; transmissions++) {
    const after = values[transmissions - 1]!;
    const chosen = new Uint16Array(BATCH_PACKETS_MAX + 1);
    const best = new Float64Array(BATCH_PACKETS_MAX + 1);
    for (let packets = 1; packets <= BATCH_PACKETS_MAX; packets++) {
      best[packets] = Number.NEGATIVE_INFINITY;
      for (const { count, missing } of options[packets]!) {
        let value = -costOfRepair * count;
        for (let left = 1; left <= packets; left++) value += missing[left]! * after[left]!;
        if (value <= best[packets]!) continue;
        best[packets] = value;
        chosen[packets] = count;
      }
    }
    repairs.push(chosen);
    values.push(best);
  }
  return { repairs, values };
}

/** A number of repair packets with a batch, and the probabilities of 1, 2, … packets that are missing after it. */
interface RepairOption {
  readonly count: number;
  readonly missing: Float64Array;
}

/** Options by the packets of a batch. */
function optionsAt(loss: number): readonly (readonly RepairOption[])[] {
  const lossesOf = new Map<number, Float64Array>();
  const losses = (packets: number): Float64Array => {
    const shares = lossesOf.get(packets) ?? binomial(packets, loss);
    lossesOf.set(packets, shares);
    return shares;
  };
  return Array.from({ length: BATCH_PACKETS_MAX + 1 }, (_, packets) =>
    countsFor(packets).map((count) => {
      const missing = new Float64Array(packets + 1);
      const repairsLost = losses(count);
      // More losses than repair packets, of which `left` are packets: at least `count + 1 - left` repair packets.
      let enough = 0;
      for (let left = 1, lost = count; left <= packets; left++, lost--) {
        if (lost >= 0) enough += repairsLost[lost]!;
        missing[left] = losses(packets)[left]! * enough;
      }
      assert(enough <= 1 + 1e-9, 'probabilities must not exceed one');
      return { count, missing };
    }),
  );
}
