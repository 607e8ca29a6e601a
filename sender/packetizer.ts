import type { AccessUnit } from '../protocol/access-unit.ts';
import { assert } from '../protocol/base/assert.ts';
import { BufferSlab } from '../protocol/base/buffer-slab.ts';
import { type Ticks, ticks } from '../protocol/base/units.ts';
import type { Codec } from '../protocol/codec/codec.ts';
import { frameMarkBytes } from '../protocol/rtp/frame-mark.ts';
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
import { OwnFrame, type SharedPackets } from './shared-packets.ts';

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
  /** True to add the frame mark to each packet; false for receivers without the header extension. */
  readonly frameMarks: boolean;
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
  /** Bytes of the RTP header in front of each payload, extension included. */
  readonly headerBytes: number;
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
  #sequence: Sequence;
  #frameNumber: number;
  #frames = 0;

  constructor(options: PacketizerOptions) {
    this.#options = options;
    // Receivers of frame marks may request retransmissions, which are longer than the original by this.
    this.#reserveBytes = options.frameMarks ? RETRANSMISSION_OVERHEAD_BYTES : 0;
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

  /** Length of a packet whose payload is full, UDP payload bytes. */
  get fullDatagramBytes(): number {
    return this.datagramBytesMax - this.#reserveBytes;
  }

  /** False when a part of the access unit is longer than the payload format can carry in packets of the present length. */
  carries(unit: AccessUnit): boolean {
    const payloadBytesMax = this.fullDatagramBytes - this.#headroomBytes(decodeLeadOf(unit));
    const partBytesMax = this.#options.codec.partBytesMax?.(payloadBytesMax);
    return partBytesMax === undefined || unit.parts.every((part) => part.length <= partBytesMax);
  }

  #headroomBytes(decodeLead: Ticks): number {
    return RTP_HEADER_BYTES + (this.#options.frameMarks ? frameMarkBytes({ decodeLead }) : 0);
  }

  packetize(unit: AccessUnit): PacketizedFrame {
    const { codec, ssrc, payloadType, frameMarks, sharedPackets } = this.#options;
    const decodeLead = decodeLeadOf(unit);
    const headroomBytes = this.#headroomBytes(decodeLead);
    const payloadBytesMax = this.fullDatagramBytes - headroomBytes;
    const datagrams = sharedPackets
      ? sharedPackets.packetize(unit, codec, { payloadBytesMax, headroomBytes })
      : codec.packetize(unit.parts, { payloadBytesMax, headroomBytes, allocate: this.#allocate });
    const packetCount = datagrams.length;
    assert(packetCount <= PACKETS_PER_FRAME_MAX, 'the packet count of a frame must fit in 16 bits');
    const firstSequence = this.#sequence;
    const header = {
      payloadType,
      ssrc,
      firstSequence,
      packetCount,
      timestamp: this.wireTimestamp(unit.timestamp),
      frameMarks,
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
    return { datagrams, firstSequence, headerBytes: headroomBytes, own };
  }
}

/** Time from decoding to showing, as the frame mark carries it. */
const decodeLeadOf = ({ timestamp, decodeTimestamp }: AccessUnit): Ticks =>
  ticks(Math.min(timestamp - decodeTimestamp, 0xff_ffff));
