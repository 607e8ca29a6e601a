import type { Instant } from '../../protocol/base/units.ts';
import type { ByteSequence } from './byte-sequence.ts';
import type { Flow } from './flow.ts';
import type { ByteRange } from './receive-buffer.ts';

/** Acknowledgment fields of an incoming segment, with extended sequence numbers. */
export interface AcknowledgmentFields {
  /** SEG.ACK: everything below has arrived. */
  readonly acknowledgment: ByteSequence;
  /** SEG.SEQ; orders window updates. */
  readonly sequence: ByteSequence;
  /** SEG.WND, bytes. */
  readonly window: number;
  readonly blocks: readonly ByteRange[];
  /** Timestamp echo, milliseconds: send time of the segment that triggered this acknowledgment. */
  readonly echo: number | undefined;
  readonly carriesData: boolean;
}

/** Effects of one acknowledgment (the FLAG_… bits of Linux). */
export class AcknowledgmentNews {
  readonly echo: number | undefined;
  readonly carriesData: boolean;
  /** SND.UNA before this acknowledgment. */
  readonly priorUnacknowledged: ByteSequence;
  /**
   * End of the highest range acknowledged or sacked before. Data acknowledged now below it was overtaken (reordering).
   */
  readonly priorHighest: ByteSequence;
  advanced = false;
  acknowledged = false;
  sacked = false;
  /** A duplicate of our data was reported (D-SACK, RFC 2883). */
  duplicate = false;
  /** The duplicate was the tail loss probe. */
  probeDuplicate = false;
  windowUpdated = false;
  /** A segment sent only once, before the current recovery episode, has arrived. */
  originalArrived = false;
  retransmissionAcknowledged = false;
  retransmissionLost = false;
  /** Restarts the retransmission timer. */
  restartsTimer = false;
  /** Send times of the first and the last newly sacked segment, without retransmitted ones. */
  sackedFirstSentAt: Instant | undefined;
  sackedLastSentAt: Instant | undefined;

  constructor(fields: AcknowledgmentFields, { unacknowledged, sackedOut, highestSacked }: Flow) {
    this.priorUnacknowledged = unacknowledged;
    this.priorHighest = sackedOut === 0 ? unacknowledged : highestSacked;
    this.echo = fields.echo;
    this.carriesData = fields.carriesData;
  }

  /** True when the acknowledgment is a duplicate, carries SACK information, or arrives outside the open state. */
  isDubious(open: boolean): boolean {
    return !open || this.sacked || this.duplicate || !(this.carriesData || this.windowUpdated || this.acknowledged);
  }
}
