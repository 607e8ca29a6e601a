import type { Instant } from '../../protocol/base/instant.ts';
import type { ByteSequence } from './byte-sequence.ts';
import type { Flow } from './flow.ts';
import type { ByteRange } from './receive-buffer.ts';

/** What an incoming segment says about what we sent, its numbers extended. */
export interface AcknowledgmentFields {
  /** SEG.ACK: everything before it has arrived. */
  readonly acknowledgment: ByteSequence;
  /** SEG.SEQ, which tells a newer window from an older one. */
  readonly sequence: ByteSequence;
  /** SEG.WND in bytes. */
  readonly window: number;
  readonly blocks: readonly ByteRange[];
  /** The millisecond in which the segment was sent that caused it. */
  readonly echo: number | undefined;
  readonly carriesData: boolean;
}

/** What one acknowledgment turned out to mean (Linux' FLAG_…). */
export class AcknowledgmentNews {
  readonly echo: number | undefined;
  readonly carriesData: boolean;
  /** SND.UNA before it. */
  readonly priorUnacknowledged: ByteSequence;
  /** One after the last byte that had been acknowledged in either way before it: what is below and comes now was overtaken. */
  readonly priorHighest: ByteSequence;
  advanced = false;
  acknowledged = false;
  sacked = false;
  /** Something of ours came twice (RFC 2883). */
  duplicate = false;
  /** What came twice was the tail-loss probe. */
  probeDuplicate = false;
  windowUpdated = false;
  /** A segment that was sent once only, before the present episode, has arrived. */
  originalArrived = false;
  retransmissionAcknowledged = false;
  retransmissionLost = false;
  /** The retransmission timer starts anew. */
  restartsTimer = false;
  /** When the first and the last of the newly sacked segments were sent, retransmitted ones left out. */
  sackedFirstSentAt: Instant | undefined;
  sackedLastSentAt: Instant | undefined;

  constructor(fields: AcknowledgmentFields, { unacknowledged, sackedOut, highestSacked }: Flow) {
    this.priorUnacknowledged = unacknowledged;
    this.priorHighest = sackedOut === 0 ? unacknowledged : highestSacked;
    this.echo = fields.echo;
    this.carriesData = fields.carriesData;
  }

  /** It brings nothing new, selectively new things only, or it comes in the midst of an episode. */
  isDubious(open: boolean): boolean {
    return !open || this.sacked || this.duplicate || !(this.carriesData || this.windowUpdated || this.acknowledged);
  }
}
