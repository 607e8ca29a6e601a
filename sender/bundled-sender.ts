import { readUint32 } from '../protocol/base/big-endian.ts';
import { earliestOf, type Instant } from '../protocol/base/units.ts';
import { type Ecn, NOT_ECT } from '../protocol/ecn.ts';
import type { Endpoint } from '../protocol/endpoint.ts';
import type { Sender } from './sender.ts';
import type { SenderEvent } from './sender-event.ts';

/**
 * Sends pictures and sound over one path, a sender for each. The receiver reports on each stream with an SSRC of its own.
 * Events are those of the pictures; the sound asks for nothing.
 */
export class BundledSender implements Endpoint<SenderEvent> {
  readonly video: Sender;
  #sound: Sender | undefined;
  /** True when the last datagram was one of the sound, whose receiver does not report marks. */
  #isSound = false;
  #videoReports: number | undefined;
  #soundReports: number | undefined;

  constructor(video: Sender, sound: Sender | undefined) {
    this.video = video;
    this.#sound = sound;
  }

  /** `undefined` without sound, or when the receiver has refused it. */
  get sound(): Sender | undefined {
    return this.#sound;
  }

  /** Sends no more sound. */
  dropSound(): void {
    this.#sound = undefined;
  }

  /** Sets the SSRC of the receiver's reports about a stream; see `Sender.expectReportsFrom`. */
  expectReportsFrom(stream: 'video' | 'sound', reportSsrc: number): void {
    if (stream === 'sound') this.#soundReports = reportSsrc;
    else this.#videoReports = reportSsrc;
    this[stream]?.expectReportsFrom(reportSsrc);
  }

  /** Ends the streams; see `Sender.finish`. */
  finish(): void {
    this.video.finish();
    this.#sound?.finish();
  }

  /** True when the streams were finished and their last datagrams have been polled. */
  get finished(): boolean {
    return this.video.finished && this.#sound?.finished !== false;
  }

  /** The largest datagram from the next frames on; see `Sender.limitDatagrams`. */
  limitDatagrams(bytes: number): void {
    this.video.limitDatagrams(bytes);
    this.#sound?.limitDatagrams(bytes);
  }

  handleDatagram(now: Instant, datagram: Uint8Array): void {
    const ssrc = datagram.length < 8 ? undefined : readUint32(datagram, 4);
    if (this.#sound === undefined || ssrc === this.#videoReports) return this.video.handleDatagram(now, datagram);
    this.#sound.handleDatagram(now, datagram);
    // Until both are announced, each takes what names its media.
    if (ssrc !== this.#soundReports) this.video.handleDatagram(now, datagram);
  }

  handleTimeout(now: Instant): void {
    this.video.handleTimeout(now);
    this.#sound?.handleTimeout(now);
  }

  /** Sound first: its packets are few and small, and would wait behind the largest picture. */
  pollTransmit(now: Instant): Uint8Array | undefined {
    const sound = this.#sound?.pollTransmit(now);
    this.#isSound = sound !== undefined;
    return sound ?? this.video.pollTransmit(now);
  }

  get transmitEcn(): Ecn {
    return this.#isSound ? NOT_ECT : this.video.transmitEcn;
  }

  pollEvent(): SenderEvent | undefined {
    while (this.#sound?.pollEvent()) {
      // Nothing to do for sound.
    }
    return this.video.pollEvent();
  }

  pollTimeout(): Instant | undefined {
    return earliestOf(this.video.pollTimeout(), this.#sound?.pollTimeout());
  }
}
