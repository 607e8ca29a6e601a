import type { AccessUnit } from '../protocol/access-unit.ts';
import { assert } from '../protocol/base/assert.ts';
import { BufferSlab } from '../protocol/base/buffer-slab.ts';
import { type Ticks, ticks } from '../protocol/base/units.ts';
import type { Codec } from '../protocol/codec/codec.ts';
import { FRAME_MARK_BYTES_MAX, frameMarkBytes, type MarkedPackets } from '../protocol/rtp/frame-mark.ts';
import { RETRANSMISSION_OVERHEAD_BYTES } from '../protocol/rtp/retransmission.ts';
import { toRtpTicks } from '../protocol/rtp/rtp-clock.ts';
import { RTP_HEADER_BYTES } from '../protocol/rtp/rtp-packet.ts';
import {
  asSequence,
  type Sequence,
  type WireSequence,
  type WireTimestamp,
  wireTimestamp,
} from '../protocol/rtp/sequence.ts';
import { writeOwnHeader } from './own-header.ts';
import { OwnFrame, type PacketLengths, packetizeUnit, type SharedPackets } from './shared-packets.ts';

/** Options of the packetizer, which are part of a sender's. */
export interface PacketizerOptions {
  /** Codec of the access units; it also determines the RTP payload format. */
  readonly codec: Codec;
  /** SSRC of the media stream, 32 bits. */
  readonly ssrc: number;
  /** RTP payload type of the media, 0 … 127. */
  readonly payloadType: number;
  /** RTP clock rate, ticks per second; access units are timed at 90 kHz whatever it is. */
  readonly clockRate: number;
  /** First sequence number; should be random (RFC 3550 §5.1). */
  readonly initialSequence: WireSequence;
  /** Wire timestamp of media time 0; should be random (RFC 3550 §5.1). */
  readonly timestampBase: WireTimestamp;
  /** The first frame's number, 0 … 65535. */
  readonly initialFrameNumber: number;
  /** Largest datagram, UDP payload bytes. */
  readonly datagramBytesMax: number;
  /**
   * True to add the frame mark to each packet, `edges` to the first and last of a frame every 32nd and, of eight packets or more, the middle one; false for receivers
   * without the header extension.
   */
  readonly frameMarks: boolean | 'edges';
  /**
   * Payloads shared with the senders of other receivers of the stream; `undefined` when this sender packetizes for itself. The
   * caller that polls the datagrams has to call its `release` when they have been transmitted.
   * @internal
   */
  readonly sharedPackets?: SharedPackets | undefined;
}

/** RTP packets of one frame. */
export interface PacketizedFrame {
  /** Packets; with `own`, they are shared and have no headers. */
  readonly datagrams: readonly Uint8Array[];
  /** Makes the packets from shared payloads. */
  readonly own: OwnFrame | undefined;
  readonly firstSequence: Sequence;
}

const PACKETS_PER_FRAME_MAX = 65_535;

/** Converts access units to RTP packets: RFC 3550 header, frame mark, and the codec's payload. */
export class Packetizer {
  readonly #options: PacketizerOptions;
  readonly #slab = new BufferSlab();
  readonly #allocate = (bytes: number): Uint8Array => this.#slab.take(bytes);
  /** Largest datagram from the next frame on, UDP payload bytes. */
  datagramBytesMax: number;
  readonly #reserveBytes: number;
  readonly #marked: MarkedPackets | undefined;
  #sequence: Sequence;
  #frameNumber: number;
  #frames = 0;

  constructor(options: PacketizerOptions) {
    this.#options = options;
    // Receivers of frame marks may request retransmissions, which are longer than the original by this.
    this.#reserveBytes = options.frameMarks ? RETRANSMISSION_OVERHEAD_BYTES : 0;
    this.#marked = options.frameMarks === true ? 'every' : options.frameMarks || undefined;
    this.datagramBytesMax = options.datagramBytesMax;
    this.#sequence = asSequence(options.initialSequence);
    this.#frameNumber = options.initialFrameNumber;
  }

  /** Sequence number of the next packet, not wrapped. */
  get nextSequence(): Sequence {
    return this.#sequence;
  }

  get frames(): number {
    return this.#frames;
  }

  /** Returns the wire timestamp of a media time. */
  wireTimestamp(mediaTime: Ticks): WireTimestamp {
    const { clockRate, timestampBase } = this.#options;
    return wireTimestamp((toRtpTicks(mediaTime, clockRate) + timestampBase) >>> 0);
  }

  /** Length of most packets whose payload is full, UDP payload bytes; those of the edges of a frame are longer. */
  get fullDatagramBytes(): number {
    return this.#datagramBytes - (this.#marked === 'edges' ? FRAME_MARK_BYTES_MAX : 0);
  }

  /** Longest packet. */
  get #datagramBytes(): number {
    return this.datagramBytesMax - this.#reserveBytes;
  }

  /** False when a part of the access unit is longer than the payload format can carry in packets of the present length. */
  carries(unit: AccessUnit): boolean {
    const partBytesMax = this.#options.codec.partBytesMax?.(this.#lengths(decodeLeadOf(unit)).payloadBytesMax);
    return partBytesMax === undefined || unit.parts.every((part) => part.length <= partBytesMax);
  }

  /** Lengths of the packets of a frame. With marks at its edges only, the lengths are the same whether there is a decode lead or not. */
  #lengths(decodeLead: Ticks): PacketLengths {
    const marked = this.#marked;
    const markBytes =
      marked === 'every'
        ? frameMarkBytes({ packetIndex: 0, packetCount: 1, decodeLead }, marked)
        : FRAME_MARK_BYTES_MAX;
    const payloadBytesMax = this.#datagramBytes - RTP_HEADER_BYTES - (marked ? markBytes : 0);
    return { payloadBytesMax, marked, decodeLead };
  }

  packetize(unit: AccessUnit): PacketizedFrame {
    const { codec, ssrc, payloadType, sharedPackets } = this.#options;
    const decodeLead = decodeLeadOf(unit);
    const lengths = this.#lengths(decodeLead);
    const datagrams = sharedPackets
      ? sharedPackets.packetize(unit, codec, lengths)
      : packetizeUnit(unit, codec, lengths, this.#allocate);
    const packetCount = datagrams.length;
    assert(packetCount <= PACKETS_PER_FRAME_MAX, 'the packet count of a frame must fit in 16 bits');
    const firstSequence = this.#sequence;
    const header = {
      payloadType,
      ssrc,
      firstSequence,
      packetCount,
      timestamp: this.wireTimestamp(unit.timestamp),
      marked: this.#marked,
      frameNumber: this.#frameNumber,
      importance: unit.importance,
      decodeOnly: unit.decodeOnly === true,
      decodeLead,
    };
    if (!sharedPackets) {
      for (let index = 0; index < packetCount; index++) writeOwnHeader(datagrams[index]!, header, index);
    }
    this.#sequence = asSequence(firstSequence + packetCount);
    this.#frameNumber = (this.#frameNumber + 1) & 0xffff;
    this.#frames++;
    const own = sharedPackets && new OwnFrame(sharedPackets, datagrams, header);
    return { datagrams, firstSequence, own };
  }
}

/** Time from decoding to showing, as the frame mark carries it. */
const decodeLeadOf = ({ timestamp, decodeTimestamp }: AccessUnit): Ticks =>
  ticks(Math.min(timestamp - decodeTimestamp, 0xff_ffff));
