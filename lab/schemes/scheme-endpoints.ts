import { readUint16, readUint32 } from '../../protocol/base/big-endian.ts';
import { earliestOf, type Instant } from '../../protocol/base/units.ts';
import { type Ecn, NOT_ECT } from '../../protocol/ecn.ts';
import type { Endpoint } from '../../protocol/endpoint.ts';
import { isRtcp } from '../../protocol/rtp/multiplex.ts';
import { RtpLayout } from '../../protocol/rtp/rtp-packet.ts';
import { asSequence, extend, type Sequence, type WireSequence, wireSequence } from '../../protocol/rtp/sequence.ts';
import { SentFrames } from '../../sim/sent-frames.ts';
import { MEDIA_SSRC, REPAIR_SSRC } from '../../sim/simulated-stream.ts';
import type { SchemePacket, SchemeReceiver, SchemeSender } from './scheme.ts';

const SSRC_OFFSET = 8;
const SSRC_END = 12;

/** Reads the media packets of the pictures, with extended sequence numbers. */
class MediaReader {
  readonly #layout = new RtpLayout();
  #highest: Sequence;

  constructor(initialSequence: WireSequence) {
    this.#highest = asSequence(initialSequence - 1);
  }

  /** Newest sequence number, or the one before the first. */
  get highest(): Sequence {
    return this.#highest;
  }

  /** Returns the packet; `undefined` for a damaged one. */
  read(datagram: Uint8Array): SchemePacket | undefined {
    if (this.#layout.read(datagram) !== undefined) return undefined;
    const sequence = extend(wireSequence(readUint16(datagram, 2)), this.#highest);
    if (sequence > this.#highest) this.#highest = sequence;
    return { sequence, datagram };
  }
}

const ssrcOf = (datagram: Uint8Array): number | undefined =>
  datagram.length < SSRC_END || isRtcp(datagram) ? undefined : readUint32(datagram, SSRC_OFFSET);

/** A sender whose media a scheme protects, without its knowledge. */
export class SchemeSenderEnd<Event> implements Endpoint<Event> {
  readonly #sender: Endpoint<Event>;
  readonly #scheme: SchemeSender;
  readonly #reader: MediaReader;
  readonly #sentFrames = new SentFrames();
  #isOwn = false;

  constructor(sender: Endpoint<Event>, scheme: SchemeSender, initialSequence: WireSequence) {
    this.#sender = sender;
    this.#scheme = scheme;
    this.#reader = new MediaReader(initialSequence);
  }

  handleDatagram(now: Instant, datagram: Uint8Array, ecn?: Ecn): void {
    const rest = this.#scheme.takeFeedback ? this.#scheme.takeFeedback(now, datagram) : datagram;
    if (rest) this.#sender.handleDatagram(now, rest, ecn);
  }

  handleTimeout(now: Instant): void {
    this.#sender.handleTimeout(now);
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    const added = this.#scheme.pollTransmit(now);
    this.#isOwn = added === undefined;
    if (added) return added;
    const datagram = this.#sender.pollTransmit(now);
    const packet = datagram && ssrcOf(datagram) === MEDIA_SSRC ? this.#reader.read(datagram) : undefined;
    if (packet) {
      this.#sentFrames.next(packet.datagram);
      const { packetIndex, packetCount } = this.#sentFrames;
      this.#scheme.onMedia(now, { ...packet, packetIndex, packetCount });
    }
    return datagram;
  }

  get transmitEcn(): Ecn {
    return (this.#isOwn ? this.#sender.transmitEcn : undefined) ?? NOT_ECT;
  }

  pollEvent(): Event | undefined {
    return this.#sender.pollEvent();
  }

  pollTimeout(): Instant | undefined {
    return earliestOf(this.#sender.pollTimeout(), this.#scheme.pollTimeout());
  }
}

/** A receiver that gets what a scheme recovers. */
export class SchemeReceiverEnd<Event> implements Endpoint<Event> {
  readonly #receiver: Endpoint<Event>;
  readonly #scheme: SchemeReceiver;
  readonly #reader: MediaReader;
  readonly #recovered: (now: Instant, packet: Uint8Array) => void;

  /** @param recovered takes a media packet that the scheme recovered. */
  constructor(
    receiver: Endpoint<Event>,
    scheme: SchemeReceiver,
    parts: { initialSequence: WireSequence; recovered: (now: Instant, packet: Uint8Array) => void },
  ) {
    this.#receiver = receiver;
    this.#scheme = scheme;
    this.#reader = new MediaReader(parts.initialSequence);
    this.#recovered = parts.recovered;
  }

  handleDatagram(now: Instant, datagram: Uint8Array, ecn?: Ecn): void {
    const ssrc = ssrcOf(datagram);
    if (ssrc === REPAIR_SSRC) {
      return this.#deliver(now, this.#scheme.onRedundancy(now, datagram, this.#reader.highest));
    }
    this.#receiver.handleDatagram(now, datagram, ecn);
    const packet = ssrc === MEDIA_SSRC ? this.#reader.read(datagram) : undefined;
    if (packet) this.#deliver(now, this.#scheme.onMedia(now, packet));
  }

  handleTimeout(now: Instant): void {
    this.#receiver.handleTimeout(now);
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    return this.#receiver.pollTransmit(now);
  }

  pollEvent(): Event | undefined {
    return this.#receiver.pollEvent();
  }

  pollTimeout(): Instant | undefined {
    return this.#receiver.pollTimeout();
  }

  #deliver(now: Instant, packets: readonly Uint8Array[]): void {
    for (const packet of packets) this.#recovered(now, packet);
  }
}
