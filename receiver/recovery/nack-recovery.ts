import { elapsed, type Instant, instant, type Microseconds, milliseconds } from '../../protocol/base/units.ts';
import { recoveryNoticePacket } from '../../protocol/rtcp/recovery-notice.ts';
import type { RtcpPacket } from '../../protocol/rtcp/rtcp.ts';
import { type Sequence, wireSequence } from '../../protocol/rtp/sequence.ts';
import type { PendingFrame } from '../frames/frame-buffer.ts';
import { type LossRecovery, MISSING_MAX, type StreamView, type TakenPacket } from './loss-recovery.ts';
import { NackGenerator } from './nack-generator.ts';
import { ReorderingEstimator } from './reordering-estimator.ts';

/** Silence after which the rest of a frame counts as missing: its packets are paced at most 20 ms apart. */
const SILENCE: Microseconds = milliseconds(25);
/** Silence detection skips frames with more missing packets than this. */
const SILENCE_MISSING_MAX = 512;

/**
 * Requests missing packets once per round trip, while an answer can arrive in time, and not before the reorder wait of
 * this path is over.
 */
export class NackRecovery implements LossRecovery {
  readonly #reportSsrc: number;
  readonly #nack: NackGenerator;
  readonly #reordering: ReorderingEstimator;
  #silenceCheckedOf: number | undefined;
  #number = 0;

  constructor(options: { readonly reportSsrc: number; readonly reorderWait: Microseconds }) {
    this.#reportSsrc = options.reportSsrc;
    this.#reordering = new ReorderingEstimator(options.reorderWait);
    this.#nack = new NackGenerator({ reorderWait: options.reorderWait, missingMax: MISSING_MAX });
  }

  get requests(): number {
    return this.#nack.requests;
  }

  roundsOf(sequence: Sequence): number {
    return this.#nack.roundsOf(sequence);
  }

  onMissing(now: Instant, sequence: Sequence): void {
    this.#nack.onMissing(now, sequence);
  }

  onPacket(now: Instant, { sequence, origin, ahead }: TakenPacket): void {
    const missingSince = this.#nack.onArrival(sequence);
    if (missingSince !== undefined && origin === 'sent' && !ahead) this.#reordering.observe(now, missingSince);
  }

  forgetThrough(sequence: Sequence): void {
    this.#nack.forgetThrough(sequence);
  }

  poll(now: Instant, view: StreamView): readonly RtcpPacket[] | undefined {
    this.#checkSilence(now, view);
    if (view.mediaSsrc === undefined) return undefined;
    const { mediaSsrc } = view;
    const { inTime, late, lateUntil } = this.#nack.poll(now, {
      roundTrip: view.roundTrip,
      reordering: this.#reordering.wait(now),
      deadlineOf: (sequence) => view.deadlineOf(sequence),
      referenceDeadlines: () => view.referenceDeadlines(),
    });
    const packets: RtcpPacket[] = [];
    const ask = (sequences: readonly Sequence[]) => {
      const sequenceNumbers = sequences.map(wireSequence);
      packets.push({ kind: 'nack', senderSsrc: this.#reportSsrc, mediaSsrc, sequenceNumbers });
    };
    if (inTime.length > 0) ask(inTime);
    if (late.length > 0) {
      if (view.newest) packets.push(this.#lateNotice(elapsed(now, lateUntil)));
      ask(late);
    }
    return packets.length === 0 ? undefined : packets;
  }

  /** Notice for our own senders; other senders get the NACK alone. */
  #lateNotice(usefulFor: Microseconds): RtcpPacket {
    const number = this.#number;
    this.#number = (number + 1) & 0xffff;
    return recoveryNoticePacket(this.#reportSsrc, { kind: 'request', number, last: false, late: true, usefulFor });
  }

  pollTimeout(view: StreamView): Instant | undefined {
    const frame = this.#silentFrame(view);
    const silentAt = frame ? frame.lastArrivalAt + SILENCE : Number.POSITIVE_INFINITY;
    const at = instant(Math.min(silentAt, this.#nack.pollTimeout() ?? Number.POSITIVE_INFINITY));
    return Number.isFinite(at) ? at : undefined;
  }

  /** Returns the newest frame; packets missing from older ones are detected by later sequence numbers. */
  #silentFrame({ newest }: StreamView): PendingFrame | undefined {
    if (!newest || newest.complete || this.#silenceCheckedOf === newest.number) return undefined;
    return newest;
  }

  /**
   * Declares the rest of the newest frame missing after a silence: packets announced by its mark without a gap to show
   * them.
   */
  #checkSilence(now: Instant, view: StreamView): void {
    const frame = this.#silentFrame(view);
    if (!frame || now < frame.lastArrivalAt + SILENCE) return;
    this.#silenceCheckedOf = frame.number;
    for (const sequence of frame.missing().slice(0, SILENCE_MISSING_MAX)) this.#nack.onMissing(now, sequence);
  }
}
