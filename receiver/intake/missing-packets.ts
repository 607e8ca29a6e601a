import type { Instant } from '../../protocol/base/units.ts';
import type { Codec } from '../../protocol/codec/codec.ts';
import { asSequence, type Sequence, type WireSequence } from '../../protocol/rtp/sequence.ts';
import type { Ledger } from '../ledger.ts';
import { type LossRecovery, MISSING_MAX } from '../recovery/loss-recovery.ts';
import { SentNotices } from '../recovery/sent-notices.ts';
import type { IncomingPacket } from './incoming-packet.ts';
import type { MarkCompletion } from './mark-completion.ts';
import type { PacketAdmission } from './packet-admission.ts';

/** Packets asked for before the first one that arrived: more are seldom lost in a row. */
const START_PACKETS = 4;

/** Reports gaps in the sequence numbers to the recovery. */
export class MissingPackets {
  readonly #recovery: LossRecovery | undefined;
  readonly #ledger: Ledger;
  readonly #admission: PacketAdmission;
  readonly #marks: MarkCompletion | undefined;
  readonly #sentNotices = new SentNotices();

  constructor(parts: {
    readonly recovery: LossRecovery | undefined;
    readonly ledger: Ledger;
    readonly admission: PacketAdmission;
    readonly marks: MarkCompletion | undefined;
  }) {
    this.#recovery = parts.recovery;
    this.#ledger = parts.ledger;
    this.#admission = parts.admission;
    this.#marks = parts.marks;
  }

  /** Reports the sequence numbers between two packets as missing, unless their frames are decided or they are held. */
  between(now: Instant, after: Sequence, before: Sequence): void {
    if (!this.#recovery || before === after + 1) return;
    const first = Math.max(after + 1, before - MISSING_MAX, (this.#ledger.decidedThrough ?? after) + 1);
    for (let lost = asSequence(first); lost < before; lost++) {
      if (!this.#marks?.holds(lost)) this.#recovery.onMissing(now, lost);
    }
  }

  /**
   * Reports the packets before the first as missing, of which nothing else shows the loss: when it is in the middle of a
   * frame, or of a key frame, whose parameter sets may have been in another packet.
   */
  beforeFirst(now: Instant, { sequence, payload }: IncomingPacket, codec: Codec): void {
    if (codec.startsFrame(payload) && codec.importanceOf([payload]) !== 'key') return;
    this.between(now, asSequence(Math.max(-1, sequence - 1 - START_PACKETS)), sequence);
  }

  /** Reports what is missing up to a packet that the sender names. */
  through(now: Instant, wire: WireSequence): void {
    const { highest } = this.#admission;
    const missing = highest === undefined ? undefined : this.#sentNotices.take(wire, highest);
    if (missing) this.between(now, missing.after, missing.before);
  }
}
