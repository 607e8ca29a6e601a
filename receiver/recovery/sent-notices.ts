import { asSequence, extend, type Sequence, type WireSequence } from '../../protocol/rtp/sequence.ts';

/** Packets of the widest repair window of our senders; no frame ends further ahead. */
const SENT_AHEAD_MAX = 512;

/** Notices of the sender of what it has sent. Each packet is reported once, however often it is named. */
export class SentNotices {
  #through: Sequence = asSequence(Number.NEGATIVE_INFINITY);

  /**
   * Takes a notice. One further ahead than a sender can be is damaged.
   * @param highest newest packet that has arrived.
   * @returns the packets around those that are missing; `undefined` when there is none.
   */
  take(wire: WireSequence, highest: Sequence): { readonly after: Sequence; readonly before: Sequence } | undefined {
    const sent = extend(wire, highest);
    const after = asSequence(Math.max(highest, this.#through));
    if (sent <= after || sent > highest + SENT_AHEAD_MAX) return undefined;
    this.#through = sent;
    return { after, before: asSequence(sent + 1) };
  }
}
