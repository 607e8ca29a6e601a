import type { CoefficientRule } from '../../protocol/repair/coding-coefficients.ts';
import { asSequence, type Sequence } from '../../protocol/rtp/sequence.ts';
import { CodingReceiver, CodingSender, type Combination, REPAIR_HEADROOM_BYTES } from './coded-repair.ts';
import type { ProtectedStream, SchemeKind, SentSchemePacket } from './scheme.ts';

/** Matrix of consecutive packets whose rows and columns get a parity packet each. */
export interface ParityMatrix {
  /** Packets in a row, "L" in RFC 8627 §1.1.7. */
  readonly columns: number;
  /** Packets in a column, "D". */
  readonly rows: number;
  /** Lines that get parity packets. */
  readonly parity: 'rows' | 'columns' | 'both';
}

/** Parity (XOR) of packets at equal distances in the window; the key is the distance. */
export const parityAtStride: CoefficientRule = (coefficients, { repairKey: stride }) => {
  for (let index = 0; index < coefficients.length; index++) coefficients[index] = index % stride === 0 ? 1 : 0;
};

/**
 * Sends the parity of a row after its last packet, and that of a column after the column's last packet. The matrix does
 * not depend on frames. Packets after the last whole row or matrix of the stream have no parity.
 */
class ParitySender extends CodingSender {
  readonly #matrix: ParityMatrix;
  #origin: Sequence | undefined;

  constructor(matrix: ParityMatrix, stream: ProtectedStream) {
    super(parityAtStride, stream);
    this.#matrix = matrix;
  }

  protected override combinationsAfter({ sequence }: SentSchemePacket): readonly Combination[] {
    const { columns, rows, parity } = this.#matrix;
    this.#origin ??= sequence;
    const place = (sequence - this.#origin) % (columns * rows);
    const found: Combination[] = [];
    const cover = (firstSequence: number, repairKey: number) =>
      found.push({ firstSequence: asSequence(firstSequence), lastSequence: sequence, repairKey });
    if (parity !== 'columns' && place % columns === columns - 1) cover(sequence - columns + 1, 1);
    if (parity !== 'rows' && place >= columns * (rows - 1)) cover(sequence - columns * (rows - 1), columns);
    return found;
  }
}

/** Row and column parity of RFC 8627, which is also that of SMPTE 2022-1 and of SRT's packet filter. */
export const FLEXFEC: SchemeKind = {
  headroomBytes: () => REPAIR_HEADROOM_BYTES,
  build: ({ columns = 10, rows = 5, parity = 'both' }, stream) => ({
    sender: new ParitySender({ columns, rows, parity }, stream),
    receiver: new CodingReceiver(parityAtStride, stream),
  }),
};
