import { readUint32 } from '../protocol/base/big-endian.ts';
import { earliestOf, type Instant } from '../protocol/base/units.ts';
import type { Ecn } from '../protocol/ecn.ts';
import type { Endpoint } from '../protocol/endpoint.ts';
import { classifyDatagram } from '../protocol/rtp/multiplex.ts';
import { Receiver, type ReceiverEvent } from './receiver.ts';
import type { ReceiverOptions } from './receiver-options.ts';
import { RecordedReceiver, type RecordedReceiverEvent } from './recorded-receiver.ts';

/** Events of the pictures, and those of the sound, apart. `ended` is that of both. */
export type BundledReceiverEvent =
  | RecordedReceiverEvent
  | { readonly kind: 'sound'; readonly event: Exclude<ReceiverEvent, { kind: 'ended' }> };

/** The streams of a session on one path. */
export interface BundledStreams {
  readonly video: ReceiverOptions;
  /** True to receive the pictures for a viewer and for a recording apart. */
  readonly recordsApart: boolean;
  /** Options of a stream whose SSRC is known; `undefined` without sound. */
  readonly sound: (ReceiverOptions & { readonly ssrc: number }) | undefined;
}

/**
 * Receives pictures and sound that share a path and the sender's clock: a receiver for each, told apart by SSRC, and one
 * play-out clock, so that what was sent together is due together.
 */
export class BundledReceiver implements Endpoint<BundledReceiverEvent> {
  readonly video: Receiver | RecordedReceiver;
  readonly sound: Receiver | undefined;
  readonly #soundSources: ReadonlySet<number>;
  #videoEnded = false;
  #soundEnded: boolean;
  #endReported = false;

  constructor({ video, sound, recordsApart }: BundledStreams) {
    this.video = recordsApart ? new RecordedReceiver(video) : new Receiver(video);
    this.sound = sound && new Receiver(sound, this.video instanceof RecordedReceiver ? this.video.shown : this.video);
    this.#soundEnded = sound === undefined;
    const sources = sound ? [sound.ssrc, sound.retransmissionSsrc, sound.repairSsrc] : [];
    this.#soundSources = new Set(sources.filter((ssrc) => ssrc !== undefined));
  }

  /** True when the sender has ended the streams, and all frames are decided. */
  get ended(): boolean {
    return this.video.ended && this.sound?.ended !== false;
  }

  /** Throws if a packet or a frame of a stream is not in exactly one class. */
  assertBalanced(): void {
    this.video.assertBalanced();
    this.sound?.assertBalanced();
  }

  handleDatagram(now: Instant, datagram: Uint8Array, ecn?: Ecn): void {
    const receiver = this.sound && this.#soundSources.has(sourceOf(datagram)) ? this.sound : this.video;
    receiver.handleDatagram(now, datagram, ecn);
  }

  handleTimeout(now: Instant): void {
    this.video.handleTimeout(now);
    this.sound?.handleTimeout(now);
  }

  /** Decides all remaining frames as if every deadline had passed, after the connection has closed. */
  finish(now: Instant): void {
    if (!this.video.ended) this.video.finish(now);
    if (this.sound?.ended === false) this.sound.finish(now);
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    return this.video.pollTransmit(now) ?? this.sound?.pollTransmit(now);
  }

  pollEvent(): BundledReceiverEvent | undefined {
    for (let event = this.video.pollEvent(); event; event = this.video.pollEvent()) {
      if (event.kind !== 'ended') return event;
      this.#videoEnded = true;
    }
    for (let event = this.sound?.pollEvent(); event; event = this.sound?.pollEvent()) {
      if (event.kind !== 'ended') return { kind: 'sound', event };
      this.#soundEnded = true;
    }
    if (!this.#videoEnded || !this.#soundEnded || this.#endReported) return undefined;
    this.#endReported = true;
    return { kind: 'ended' };
  }

  pollTimeout(): Instant | undefined {
    return earliestOf(this.video.pollTimeout(), this.sound?.pollTimeout());
  }
}

/** SSRC of the sender of a packet: of RTP (RFC 3550 §5.1), or of the first RTCP packet (§6.4.1); −1 without one. */
function sourceOf(datagram: Uint8Array): number {
  const at = classifyDatagram(datagram) === 'rtp' ? 8 : 4;
  return datagram.length < at + 4 ? -1 : readUint32(datagram, at);
}
