import type { CoefficientRule } from '../../protocol/repair/coding-coefficients.ts';
import { inverse } from '../../protocol/repair/galois-field.ts';
import { asSequence, type Sequence } from '../../protocol/rtp/sequence.ts';
import { STREAM_DEFAULTS } from '../../protocol/stream-parameters.ts';
import { CodingReceiver, CodingSender, type Combination, REPAIR_HEADROOM_BYTES, repairsFor } from './coded-repair.ts';
import type { ProtectedStream, SchemeKind, SentSchemePacket } from './scheme.ts';

/** Largest block: with as many repair packets it is the 256 elements of the field. */
const BLOCK_PACKETS_MAX = 128;

/**
 * Row of a Cauchy matrix over GF(2⁸), 1/(x + y): a systematic Reed–Solomon code, each square part of whose matrix is
 * regular. Any k of the packets of a block recover it (MDS), without exception.
 *
 * The key is the number of the repair packet in its block, 0 … 127; its x is 255 − key, and the y of a packet its place in
 * the block, 0 … 127.
 */
export const cauchyRow: CoefficientRule = (coefficients, { repairKey }) => {
  for (let index = 0; index < coefficients.length; index++) {
    coefficients[index] = inverse((0xff - repairKey) ^ index);
  }
};

/** Sends the repair packets of each block after it. A block ends with a frame, or when it is full. */
class BlockSender extends CodingSender {
  readonly #redundancy: number;
  readonly #frames: number;
  #first: Sequence | undefined;
  #framesDone = 0;

  constructor({ redundancy, frames }: { redundancy: number; frames: number }, stream: ProtectedStream) {
    super(cauchyRow, stream);
    this.#redundancy = redundancy;
    this.#frames = frames;
  }

  protected override combinationsAfter({
    sequence,
    packetIndex,
    packetCount,
  }: SentSchemePacket): readonly Combination[] {
    this.#first ??= sequence;
    const firstSequence = this.#first;
    const packets = sequence - firstSequence + 1;
    const endsFrame = packetIndex === packetCount - 1;
    if (endsFrame) this.#framesDone++;
    if (this.#framesDone < this.#frames && packets < BLOCK_PACKETS_MAX) return [];
    this.#first = undefined;
    this.#framesDone = endsFrame ? 0 : this.#framesDone;
    const repairs = repairsFor(packets, this.#redundancy);
    return Array.from({ length: repairs }, (_, repairKey) => ({
      firstSequence,
      lastSequence: asSequence(sequence),
      repairKey,
    }));
  }
}

/** Reed–Solomon code over a frame or several, of a fixed ratio. */
export const RS_BLOCK: SchemeKind = {
  headroomBytes: () => REPAIR_HEADROOM_BYTES,
  build: ({ redundancy = STREAM_DEFAULTS.redundancy, blockFrames = 1 }, stream) => ({
    sender: new BlockSender({ redundancy, frames: blockFrames }, stream),
    receiver: new CodingReceiver(cauchyRow, stream),
  }),
};
