import type { AccessUnit } from '../protocol/access-unit.ts';
import { earliestOf, type Instant, type Microseconds } from '../protocol/base/units.ts';
import type { Endpoint } from '../protocol/endpoint.ts';
import { Receiver, type ReceiverEvent } from './receiver.ts';
import type { ReceiverOptions } from './receiver-options.ts';
import type { ReceiverStatistics } from './receiver-statistics.ts';
import { createRecovery } from './recovery/create-recovery.ts';
import type { StreamTotal } from './sent-total.ts';

/** Events of the viewer's stream, and the frames of the recording, which have their own order. */
export type RecordedReceiverEvent =
  | ReceiverEvent
  | { readonly kind: 'recorded'; readonly unit: AccessUnit; readonly frame: number };

/**
 * Receives a stream for a viewer who is shown damage, and for a recording that is mended: two receivers of the same
 * datagrams. That of the viewer decides each frame at its display deadline (`smear`). That of the recording holds a
 * missing frame and all behind it, key frames included, until it is mended (`freeze`); it alone speaks to the sender. A
 * single receiver cannot do both: a decoder that was given what follows a frame does not take that frame any more.
 */
export class RecordedReceiver implements Endpoint<RecordedReceiverEvent> {
  /** Receiver of what the viewer is shown. */
  readonly shown: Receiver;
  readonly #recorded: Receiver;
  #endReported = false;

  /**
   * @param options of a recovery that mends; `onLoss` and `records` are those of the two receivers.
   */
  constructor(options: ReceiverOptions) {
    this.shown = new Receiver({ ...options, onLoss: 'smear', records: false });
    this.#recorded = new Receiver({
      ...options,
      onLoss: 'freeze',
      records: true,
      recordsOnly: true,
      // Notices to the sender say that damage is shown, so that it keeps sending frames whose reference it dropped.
      createRecovery: options.createRecovery ?? (() => createRecovery({ ...options, onLoss: 'smear', records: true })!),
    });
  }

  /** True when the sender has ended the stream, and all frames are decided for both. */
  get ended(): boolean {
    return this.shown.ended && this.#recorded.ended;
  }

  /** Frames that the viewer was shown, and requests. */
  get statistics(): ReceiverStatistics {
    const { requests, keyFrameRequests } = this.#recorded.statistics;
    return { ...this.shown.statistics, requests, keyFrameRequests };
  }

  stalledFor(now: Instant): Microseconds {
    return this.shown.stalledFor(now);
  }

  /** Throws if a packet or a frame is not in exactly one class. */
  assertBalanced(): void {
    for (const each of this.#both) each.assertBalanced();
  }

  handleDatagram(now: Instant, datagram: Uint8Array): void {
    for (const each of this.#both) each.handleDatagram(now, datagram);
  }

  handleTimeout(now: Instant): void {
    for (const each of this.#both) each.handleTimeout(now);
  }

  /** See `Receiver.handleSent`. */
  handleSent(now: Instant, total: StreamTotal): void {
    for (const each of this.#both) each.handleSent(now, total);
  }

  /** See `Receiver.endOfStream`. */
  endOfStream(now: Instant, total: Parameters<Receiver['endOfStream']>[1]): void {
    for (const each of this.#both) each.endOfStream(now, total);
  }

  /** See `Receiver.finish`. */
  finish(now: Instant): void {
    for (const each of this.#both) each.finish(now);
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    while (this.shown.pollTransmit(now)) {
      // Both ask for the same packets until their display deadline.
    }
    return this.#recorded.pollTransmit(now);
  }

  pollEvent(): RecordedReceiverEvent | undefined {
    for (let event = this.shown.pollEvent(); event; event = this.shown.pollEvent()) {
      if (event.kind !== 'ended') return event;
    }
    for (let event = this.#recorded.pollEvent(); event; event = this.#recorded.pollEvent()) {
      if (event.kind === 'access-unit') return { kind: 'recorded', unit: event.unit, frame: event.frame };
    }
    if (!this.ended || this.#endReported) return undefined;
    this.#endReported = true;
    return { kind: 'ended' };
  }

  pollTimeout(): Instant | undefined {
    return earliestOf(this.shown.pollTimeout(), this.#recorded.pollTimeout());
  }

  get #both(): readonly Receiver[] {
    return [this.shown, this.#recorded];
  }
}
