import type { AccessUnit } from '../protocol/access-unit.ts';
import { assert } from '../protocol/base/assert.ts';
import { type Ticks, ticks } from '../protocol/base/units.ts';
import type { Codec } from '../protocol/codec/codec.ts';
import { frameMarkBytes, writeFrameMark } from '../protocol/rtp/frame-mark.ts';
import { RETRANSMISSION_OVERHEAD_BYTES } from '../protocol/rtp/retransmission.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from '../protocol/rtp/rtp-packet.ts';
import {
  asSequence,
  type Sequence,
  type WireSequence,
  type WireTimestamp,
  wireSequence,
  wireTimestamp,
} from '../protocol/rtp/sequence.ts';
import { BufferSlab } from './buffer-slab.ts';

export interface PacketizerOptions {
  readonly codec: Codec;
  readonly ssrc: number;
  readonly payloadType: number;
  /** The first packet's sequence number; RFC 3550 §5.1 wants it random. */
  readonly initialSequence: WireSequence;
  /** The wire timestamp of media time 0; RFC 3550 §5.1 wants it random. */
  readonly timestampBase: WireTimestamp;
  /** The first frame's number, 0 … 65535. */
  readonly initialFrameNumber: number;
  /** Largest datagram, UDP payload bytes. */
  readonly datagramBytesMax: number;
  /** Whether each packet carries the frame mark; off for receivers that were told of no extension. */
  readonly frameMarks: boolean;
}

/** The packets of one frame, ready for the wire. */
export interface PacketizedFrame {
  readonly datagrams: readonly Uint8Array[];
  readonly firstSequence: Sequence;
  /** RTP header bytes in front of each payload, the extension included. */
  readonly headerBytes: number;
}

const PACKETS_PER_FRAME_MAX = 65_535;

/** Turns access units into RTP packets: RFC 3550 headers, the codec's payloads, and our frame mark in each of them. */
export class Packetizer {
  readonly #options: PacketizerOptions;
  readonly #slab = new BufferSlab();
  readonly #allocate = (bytes: number): Uint8Array => this.#slab.take(bytes);
  #sequence: Sequence;
  #frameNumber: number;
  #frames = 0;

  constructor(options: PacketizerOptions) {
    this.#options = options;
    this.#sequence = asSequence(options.initialSequence);
    this.#frameNumber = options.initialFrameNumber;
  }

  /** The next packet's sequence number, counted on without wrapping. */
  get nextSequence(): Sequence {
    return this.#sequence;
  }

  get frames(): number {
    return this.#frames;
  }

  /** The wire timestamp of a media time. */
  wireTimestamp(mediaTime: Ticks): WireTimestamp {
    return wireTimestamp((mediaTime + this.#options.timestampBase) >>> 0);
  }

  packetize(unit: AccessUnit): PacketizedFrame {
    const { codec, ssrc, payloadType, datagramBytesMax, frameMarks } = this.#options;
    const { importance } = unit;
    const decodeOnly = unit.decodeOnly === true;
    const frameNumber = this.#frameNumber;
    const decodeLead = ticks(Math.min(unit.timestamp - unit.decodeTimestamp, 0xff_ffff));
    const headroomBytes = RTP_HEADER_BYTES + (frameMarks ? frameMarkBytes({ decodeLead }) : 0);
    // Those who see the marks may ask again, and a retransmission is longer than its original by this.
    const reserveBytes = frameMarks ? RETRANSMISSION_OVERHEAD_BYTES : 0;
    const payloadBytesMax = datagramBytesMax - headroomBytes - reserveBytes;
    const datagrams = codec.packetize(unit.parts, { payloadBytesMax, headroomBytes, allocate: this.#allocate });
    const packetCount = datagrams.length;
    assert(packetCount <= PACKETS_PER_FRAME_MAX, 'the frame mark counts packets in sixteen bits');
    const timestamp = this.wireTimestamp(unit.timestamp);
    const firstSequence = this.#sequence;
    for (let index = 0; index < packetCount; index++) {
      const datagram = datagrams[index]!;
      writeRtpHeader(datagram, {
        marker: index === packetCount - 1,
        extension: frameMarks,
        payloadType,
        sequenceNumber: wireSequence(this.#sequence++ & 0xffff),
        timestamp,
        ssrc,
      });
      if (frameMarks) {
        // Each field by name: a spread takes longer than all the rest of a packet.
        const mark = { frameNumber, packetIndex: index, packetCount, importance, decodeOnly, decodeLead };
        writeFrameMark(datagram, RTP_HEADER_BYTES, mark);
      }
    }
    this.#frameNumber = (this.#frameNumber + 1) & 0xffff;
    this.#frames++;
    return { datagrams, firstSequence, headerBytes: headroomBytes };
  }
}
