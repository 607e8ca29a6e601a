import type { AcknowledgmentNews } from './acknowledgment.ts';
import type { ByteSequence } from './byte-sequence.ts';
import type { ByteRange } from './receive-buffer.ts';

/** Tail loss probe: at most one in flight, and the evaluation of its acknowledgment (RFC 8985 §7.3, §7.4). */
export class TailProbe {
  /** SND.NXT when the probe was sent. */
  #end: ByteSequence | undefined;
  #repeated = false;

  get isOut(): boolean {
    return this.#end !== undefined;
  }

  /** @param repeated true when the probe retransmitted a segment. */
  begin(end: ByteSequence, repeated: boolean): void {
    this.#end = end;
    this.#repeated = repeated;
  }

  forget(): void {
    this.#end = undefined;
  }

  /** True when the D-SACK block reports the probe itself as a duplicate. */
  isDuplicate(block: ByteRange): boolean {
    return this.#repeated && block.end === this.#end;
  }

  /** Returns `repaired` when the probe replaced a lost segment that was not detected otherwise. */
  judge(acknowledgment: ByteSequence, news: AcknowledgmentNews): 'repaired' | 'nothing' {
    if (this.#end === undefined || acknowledgment < this.#end) return 'nothing';
    if (this.#repeated && !news.probeDuplicate && acknowledgment > this.#end) {
      this.#end = undefined;
      return 'repaired';
    }
    const isPureDuplicate = !(news.advanced || news.carriesData || news.windowUpdated || news.sacked);
    if (!this.#repeated || news.probeDuplicate || isPureDuplicate) this.#end = undefined;
    return 'nothing';
  }
}
