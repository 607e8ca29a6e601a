import type { AcknowledgmentFields } from './acknowledgment.ts';
import type { ByteSequence } from './byte-sequence.ts';

/** Receive window of the peer (SND.WND, SND.WL1; RFC 9293 §3.10.7.4). */
export class SendWindow {
  #end: ByteSequence;
  #bytes = 0;
  #sequence: ByteSequence = Number.NEGATIVE_INFINITY;

  constructor(start: ByteSequence) {
    this.#end = start;
  }

  /** End of the range that may be sent, exclusive. */
  get end(): ByteSequence {
    return this.#end;
  }

  open(unacknowledged: ByteSequence, bytes: number, sequence: ByteSequence): void {
    this.#bytes = bytes;
    this.#sequence = sequence;
    this.#end = unacknowledged + bytes;
  }

  /** Updates the window, and returns whether it changed. An overtaken segment does not restore an old window. */
  update({ acknowledgment, sequence, window }: AcknowledgmentFields, advanced: boolean): boolean {
    const isNewer = advanced || sequence > this.#sequence;
    if (!isNewer && !(sequence === this.#sequence && (window > this.#bytes || window === 0))) return false;
    const changed = window !== this.#bytes;
    this.open(acknowledgment, window, sequence);
    return changed;
  }
}
