import {
  earliest,
  elapsed,
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
} from '../../protocol/base/units.ts';
import { recoveryNoticePacket } from '../../protocol/rtcp/recovery-notice.ts';
import type { RtcpPacket } from '../../protocol/rtcp/rtcp.ts';
import { type Sequence, wireSequence } from '../../protocol/rtp/sequence.ts';
import { RoundTrip } from '../feedback/round-trip.ts';
import {
  type LossRecovery,
  MISSING_MAX,
  type NewestFrame,
  type StreamView,
  type TakenPacket,
} from './loss-recovery.ts';
import { NackGenerator } from './nack-generator.ts';
import { QueueMeter } from './queue-meter.ts';
import { ReorderingEstimator } from './reordering-estimator.ts';

/** Silence after which the rest of a frame counts as missing: its packets are paced at most 20 ms apart. */
const SILENCE: Microseconds = milliseconds(25);
/** Silence detection skips frames with more missing packets than this. */
const SILENCE_MISSING_MAX = 512;

/**
 * Time from a late request to each of its copies. A lost request delays every frame that waits by a round trip, and the
 * return path, which carries little traffic, may lose several packets in a row.
 */
const COPY_OFFSETS: readonly Microseconds[] = [microseconds(0), milliseconds(4), milliseconds(11), milliseconds(22)];

/** A request for more packets follows an outage or a forged number, and is sent once per round. */
const COPIED_SEQUENCES_MAX = 16;

interface Copy {
  readonly at: Instant;
  readonly number: number;
  readonly sequences: readonly Sequence[];
  readonly lateUntil: Instant;
}

export interface NackRecoveryOptions {
  readonly reportSsrc: number;
  readonly latency: Microseconds;
  readonly reorderWait: Microseconds;
  /** True when all frames are recorded. */
  readonly records: boolean;
}

/**
 * Requests missing packets once per round trip, while an answer can arrive in time, and not before the reorder wait of
 * this path is over.
 */
export class NackRecovery implements LossRecovery {
  readonly #reportSsrc: number;
  readonly #queue: QueueMeter;
  readonly #nack: NackGenerator;
  readonly #reordering: ReorderingEstimator;
  #silenceCheckedOf: number | undefined;
  #copies: Copy[] = [];
  /** Times from a request to its answer, for a sender that does not measure the round trip with us (RFC 3611 §4.4). */
  readonly #answers = new RoundTrip();
  /** True when the sender is one of ours, which understands notices: its packets have frame marks. */
  #ours = false;
  #number = 0;

  constructor(options: NackRecoveryOptions) {
    this.#reportSsrc = options.reportSsrc;
    this.#queue = new QueueMeter(options);
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

  onHeld(now: Instant, sequence: Sequence): void {
    const missingSince = this.#nack.onArrival(sequence);
    if (missingSince !== undefined) this.#reordering.observe(now, missingSince);
  }

  onPacket(now: Instant, packet: TakenPacket): void {
    const { sequence, origin, ahead, mark } = packet;
    this.#ours ||= mark !== undefined;
    if (origin === 'sent') this.#queue.onPacket(now, packet);
    if (origin === 'sent-again') this.#observeAnswer(now, sequence);
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
      roundTrip: view.roundTrip ?? this.#answers.typical,
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
      const number = this.#number;
      this.#number = (number + 1) & 0xffff;
      // Only our own senders know a copy from another request.
      const copied = this.#ours && late.length <= COPIED_SEQUENCES_MAX;
      const offsets = copied ? COPY_OFFSETS : COPY_OFFSETS.slice(0, 1);
      for (const offset of offsets) this.#copies.push({ at: later(now, offset), number, sequences: late, lateUntil });
    }
    for (const { number, sequences, lateUntil: until } of this.#copiesDue(now)) {
      if (this.#ours) packets.push(this.#lateNotice(number, elapsed(now, until)));
      ask(sequences);
    }
    const queue = this.#ours ? this.#queue.poll(now) : undefined;
    if (queue) packets.push(recoveryNoticePacket(this.#reportSsrc, queue));
    return packets.length === 0 ? undefined : packets;
  }

  /**
   * An answer to the second of two requests cannot be told from one to the first. Until the time is known, that since
   * the first is taken for it: too long, but it ends requests that are repeated too early for any of them to be alone.
   */
  #observeAnswer(now: Instant, sequence: Sequence): void {
    const asked = this.#nack.askedFor(now, sequence);
    if (asked && (asked.once || this.#answers.typical === undefined)) this.#answers.observe(asked.time);
  }

  /** Returns the late requests and copies that are due, with what is still missing of each. */
  #copiesDue(now: Instant): Copy[] {
    const due = this.#copies.filter(({ at }) => at <= now);
    if (due.length > 0) this.#copies = this.#copies.filter(({ at }) => at > now);
    return due
      .map((copy) => ({ ...copy, sequences: copy.sequences.filter((sequence) => this.#nack.isMissing(sequence)) }))
      .filter(({ sequences }) => sequences.length > 0);
  }

  /** Notice for our own senders; other senders get the NACK alone. */
  #lateNotice(number: number, usefulFor: Microseconds): RtcpPacket {
    return recoveryNoticePacket(this.#reportSsrc, { kind: 'request', number, last: false, late: true, usefulFor });
  }

  pollTimeout(view: StreamView): Instant | undefined {
    const frame = this.#silentFrame(view);
    const silentAt = frame ? frame.lastArrivalAt + SILENCE : Number.POSITIVE_INFINITY;
    let at = instant(Math.min(silentAt, this.#nack.pollTimeout() ?? Number.POSITIVE_INFINITY));
    for (const copy of this.#copies) at = earliest(at, copy.at);
    return Number.isFinite(at) ? at : undefined;
  }

  /** Returns the newest frame; packets missing from older ones are detected by later sequence numbers. */
  #silentFrame({ newest }: StreamView): NewestFrame | undefined {
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
