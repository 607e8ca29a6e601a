import { readUint16, writeUint16 } from '../../protocol/base/big-endian.ts';
import { type CoefficientRule, fillCodingCoefficients } from '../../protocol/repair/coding-coefficients.ts';
import type { RepairPayload } from '../../protocol/repair/repair-payload.ts';
import { asSequence } from '../../protocol/rtp/sequence.ts';
import { STREAM_DEFAULTS } from '../../protocol/stream-parameters.ts';
import { CodingReceiver, CodingSender, type Combination, REPAIR_HEADROOM_BYTES, repairsFor } from './coded-repair.ts';
import type { ProtectedStream, SchemeKind, SentSchemePacket } from './scheme.ts';

/**
 * Streaming code of Tambur (Rudow et al., NSDI 2023) with a delay of τ frames: packets of a frame are V and U in turn. The
 * repair packets of a frame cover V of it and of the τ frames before, U of it, and U of the frame τ before:
 *
 *     frame       i−3   i−2   i−1    i
 *     V            x     x     x     x
 *     U            x                 x
 *
 * After a burst, the frames that follow recover V first, as nothing else is unknown in their repair packets; U comes back
 * with those of the frame τ later, just in time. A block code of the same bytes would have to wait for its block.
 *
 * The authors' program divides packets into stripes that are V and U, and its field has 2³² elements. Here whole packets
 * are, and coefficients are random in GF(2⁸), which fails once in 255 when nothing is to spare.
 */

/** Delay of the published experiments, frames. */
const DELAY_FRAMES = 3;
const COUNT_BYTES = 2;
/** Widest window of a repair packet. */
const WINDOW_PACKETS_MAX = 1_000;

/** Rule for the packets of a window, by the numbers of packets of its frames, the oldest first. */
export const streamingRule =
  (counts: readonly number[], delayFrames: number): CoefficientRule =>
  (coefficients, key) => {
    fillCodingCoefficients(coefficients, key);
    let at = 0;
    for (const [index, count] of counts.entries()) {
      const age = counts.length - 1 - index;
      // Only U of the newest frame and of the oldest one is covered.
      if (age > 0 && age < delayFrames) for (let u = 1; u < count; u += 2) coefficients[at + u] = 0;
      at += count;
    }
  };

class StreamingSender extends CodingSender {
  readonly #redundancy: number;
  readonly #delayFrames: number;
  /** Packets of the frames in the window, the newest last. */
  #counts: number[] = [];
  #repairKey = 0;

  constructor({ redundancy, delayFrames }: { redundancy: number; delayFrames: number }, stream: ProtectedStream) {
    super(fillCodingCoefficients, stream);
    this.#redundancy = redundancy;
    this.#delayFrames = delayFrames;
  }

  protected override combinationsAfter({
    sequence,
    packetIndex,
    packetCount,
  }: SentSchemePacket): readonly Combination[] {
    if (packetIndex < packetCount - 1) return [];
    this.#counts.push(packetCount);
    let covered = this.#counts.reduce((sum, count) => sum + count, 0);
    while (this.#counts.length > this.#delayFrames + 1 || covered > WINDOW_PACKETS_MAX)
      covered -= this.#counts.shift()!;
    const counts = [...this.#counts];
    if (counts.length === 0) return [];
    const prefix = new Uint8Array(this.#delayFrames * COUNT_BYTES);
    for (const [index, count] of counts.slice(0, -1).entries()) writeUint16(prefix, index * COUNT_BYTES, count);
    const firstSequence = asSequence(sequence - covered + 1);
    const repairs = repairsFor(packetCount, this.#redundancy);
    return Array.from({ length: repairs }, () => {
      this.#repairKey = (this.#repairKey + 1) & 0xffff;
      const rule = streamingRule(counts, this.#delayFrames);
      return { firstSequence, lastSequence: sequence, repairKey: this.#repairKey, rule, prefix };
    });
  }
}

class StreamingReceiver extends CodingReceiver {
  readonly #delayFrames: number;

  constructor(delayFrames: number, stream: ProtectedStream) {
    super(fillCodingCoefficients, stream, delayFrames * COUNT_BYTES);
    this.#delayFrames = delayFrames;
  }

  protected override ruleOf(prefix: Uint8Array, { windowPackets }: RepairPayload): CoefficientRule | undefined {
    const counts: number[] = [];
    let older = 0;
    for (let at = 0; at < prefix.length; at += COUNT_BYTES) {
      const count = readUint16(prefix, at);
      if (count > 0) counts.push(count);
      older += count;
    }
    if (older >= windowPackets) return undefined;
    return streamingRule([...counts, windowPackets - older], this.#delayFrames);
  }
}

/** Streaming code over the frames of a delay, of a fixed ratio. */
export const TAMBUR: SchemeKind = {
  headroomBytes: ({ delayFrames = DELAY_FRAMES }) => REPAIR_HEADROOM_BYTES + delayFrames * COUNT_BYTES,
  build: ({ redundancy = STREAM_DEFAULTS.redundancy, delayFrames = DELAY_FRAMES }, stream) => ({
    sender: new StreamingSender({ redundancy, delayFrames }, stream),
    receiver: new StreamingReceiver(delayFrames, stream),
  }),
};
