import type { AcknowledgmentFields } from './acknowledgment.ts';
import type { ByteSequence } from './byte-sequence.ts';

/** How far the other end's receive window reaches (SND.WND, SND.WL1; RFC 9293 §3.10.7.4). */
export class SendWindow {
  #end: ByteSequence;
  #bytes = 0;
  #sequence: ByteSequence = Number.NEGATIVE_INFINITY;

  constructor(start: ByteSequence) {
    this.#end = start;
  }

  /** One after the last byte that may be sent. */
  get end(): ByteSequence {
    return this.#end;
  }

  open(unacknowledged: ByteSequence, bytes: number, sequence: ByteSequence): void {
    this.#bytes = bytes;
    this.#sequence = sequence;
    this.#end = unacknowledged + bytes;
  }

  /** Whether the window is another one now. A segment that was overtaken does not bring an old one back. */
  update({ acknowledgment, sequence, window }: AcknowledgmentFields, advanced: boolean): boolean {
    const isNewer = advanced || sequence > this.#sequence;
    if (!isNewer && !(sequence === this.#sequence && (window > this.#bytes || window === 0))) return false;
    const changed = window !== this.#bytes;
    this.open(acknowledgment, window, sequence);
    return changed;
  }
}
