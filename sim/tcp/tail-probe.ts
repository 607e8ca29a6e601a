import type { AcknowledgmentNews } from './acknowledgment.ts';
import type { ByteSequence } from './byte-sequence.ts';
import type { ByteRange } from './receive-buffer.ts';

/** One tail-loss probe at a time, and what its acknowledgment says (RFC 8985 §7.3, §7.4). */
export class TailProbe {
  /** SND.NXT when it left. */
  #end: ByteSequence | undefined;
  #repeated = false;

  get isOut(): boolean {
    return this.#end !== undefined;
  }

  /** @param repeated whether it was a segment that had been sent before. */
  begin(end: ByteSequence, repeated: boolean): void {
    this.#end = end;
    this.#repeated = repeated;
  }

  forget(): void {
    this.#end = undefined;
  }

  /** Whether it is the probe that came twice. */
  isDuplicate(block: ByteRange): boolean {
    return this.#repeated && block.end === this.#end;
  }

  /** `repaired`: the probe stood for a segment that was lost, which no one else has noticed. */
  judge(acknowledgment: ByteSequence, news: AcknowledgmentNews): 'repaired' | 'nothing' {
    if (this.#end === undefined || acknowledgment < this.#end) return 'nothing';
    if (this.#repeated && !news.probeDuplicate && acknowledgment > this.#end) {
      this.#end = undefined;
      return 'repaired';
    }
    const saysNothing = !(news.advanced || news.carriesData || news.windowUpdated || news.sacked);
    if (!this.#repeated || news.probeDuplicate || saysNothing) this.#end = undefined;
    return 'nothing';
  }
}
