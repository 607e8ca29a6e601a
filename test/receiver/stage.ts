import type { AccessUnit, Importance } from '../../protocol/access-unit.ts';
import { assert } from '../../protocol/base/assert.ts';
import { type Instant, instant, latest, microseconds, milliseconds, ticks } from '../../protocol/base/units.ts';
import { parseRtcp, type RtcpPacket, serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { frameMarkBytes, writeFrameMark } from '../../protocol/rtp/frame-mark.ts';
import { wrapRetransmission } from '../../protocol/rtp/retransmission.ts';
import { serializeRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { Receiver } from '../../receiver/receiver.ts';
import type { ReceiverOptions } from '../../receiver/receiver-options.ts';
import {
  checkRelease,
  MEDIA_SSRC,
  RECEIVER_OPTIONS,
  RETRANSMISSION_SSRC,
  SENDER_OPTIONS,
} from '../simulated-session.ts';

export const at = (ms: number): Instant => instant(milliseconds(ms));

/** 25 frames per second, for mental arithmetic. */
export const FRAME_MS = 40;
export const FRAME_TICKS = 3_600;
export const INITIAL_SEQUENCE = SENDER_OPTIONS.initialSequence;

const LINES_MAX = 1_000;

export interface PacketOptions {
  readonly frame: number;
  readonly index?: number;
  readonly count?: number;
  /** Counted from the stream's first packet; by default frames of `count` packets follow one another. */
  readonly sequence?: number;
  readonly importance?: Importance;
  readonly timestamp?: number;
  readonly lead?: number;
  readonly ssrc?: number;
  readonly payloadType?: number;
  readonly payload?: Uint8Array;
  /** `edges`: a mark only if the packet is at an edge of its frame. */
  readonly mark?: boolean | 'edges';
}

/** A packet of a frame, whose payload identifies it. Frame 0 is a key frame. */
export function packet({ frame, index = 0, count = 1, ...options }: PacketOptions): Uint8Array {
  const {
    sequence = frame * count + index,
    importance = frame === 0 ? 'key' : 'reference',
    timestamp = frame * FRAME_TICKS,
    lead = 0,
    ssrc = MEDIA_SSRC,
    payloadType = 96,
    payload = payloadOf(frame, index),
    mark = true,
  } = options;
  const fields = {
    frameNumber: frame & 0xffff,
    packetIndex: index,
    packetCount: count,
    importance,
    decodeLead: ticks(lead),
  };
  const marked = mark === 'edges' ? 'edges' : 'every';
  const extension = new Uint8Array(mark === false ? 0 : frameMarkBytes(fields, marked));
  if (extension.length > 0) writeFrameMark(extension, 0, fields, marked);
  return serializeRtpPacket({
    marker: index === count - 1,
    payloadType,
    sequenceNumber: wireSequence((INITIAL_SEQUENCE + sequence) & 0xffff),
    timestamp: wireTimestamp((SENDER_OPTIONS.timestampBase + timestamp) >>> 0),
    ssrc,
    csrcs: [],
    payload,
    ...(extension.length > 0 ? { extension: { profile: 0xbede, data: extension.subarray(4) } } : {}),
  });
}

/** A whole NAL unit, so that any number of packets is a frame. */
export const payloadOf = (frame: number, index: number): Uint8Array =>
  Uint8Array.of(frame === 0 ? 0x65 : 0x41, frame & 0xff, (frame >> 8) & 0xff, index);

/** All packets of a frame. */
export const packets = (options: PacketOptions & { count: number }): Uint8Array[] =>
  Array.from({ length: options.count }, (_, index) => packet({ ...options, index }));

/** The same packet as a retransmission. */
export const retransmissionOf = (original: Uint8Array): Uint8Array =>
  wrapRetransmission(original, { ssrc: RETRANSMISSION_SSRC, payloadType: 97, sequenceNumber: wireSequence(0) });

export const unitOf = (frame: number, count = 1): AccessUnit => ({
  parts: Array.from({ length: count }, (_, index) => payloadOf(frame, index)),
  timestamp: ticks(frame * FRAME_TICKS),
  decodeTimestamp: ticks(frame * FRAME_TICKS),
  importance: frame === 0 ? 'key' : 'reference',
});

/** A receiver on a virtual clock: datagrams arrive at given milliseconds, and timeouts are handled in between. */
export class Stage {
  receiver: Receiver;
  readonly units: AccessUnit[] = [];
  /** One line per event: time in milliseconds, class or cause, frame number. */
  readonly eventLines: string[] = [];
  /** RTCP packets sent by the receiver, with their times. */
  readonly rtcpSent: { readonly ms: number; readonly packet: RtcpPacket }[] = [];
  readonly #events: Parameters<typeof checkRelease>[0][number][] = [];
  #now: Instant = instant(0);

  constructor(options: Partial<ReceiverOptions> = {}) {
    // `nack` is the simplest recovery with requests; deadline recovery has a stage of its own. Most tests end at the
    // display deadline; those of mending override this.
    const chosen = { ...RECEIVER_OPTIONS, recovery: 'nack' as const, mend: microseconds(0), ...options };
    const { initialFrameNumber, ...known } = chosen;
    this.receiver = new Receiver({
      ...known,
      ...(known.frameMarks && initialFrameNumber !== undefined && { initialFrameNumber }),
    });
  }

  /** Continues with another receiver. */
  use(receiver: Receiver): void {
    this.receiver = receiver;
  }

  arrive(ms: number, ...datagrams: readonly Uint8Array[]): this {
    this.until(ms);
    for (const datagram of datagrams) this.receiver.handleDatagram(at(ms), datagram);
    return this.#drain(at(ms));
  }

  rtcp(ms: number, ...rtcpPackets: readonly RtcpPacket[]): this {
    return this.arrive(ms, serializeRtcp(rtcpPackets));
  }

  /** The control channel reports the totals. */
  end(ms: number, frames: number, lastSequence: number | undefined): this {
    this.until(ms);
    const wire = lastSequence === undefined ? undefined : wireSequence(INITIAL_SEQUENCE + lastSequence);
    this.receiver.endOfStream(at(ms), { frames, lastSequence: wire });
    return this.#drain(at(ms));
  }

  /** The connection has closed. */
  finish(ms: number): this {
    this.until(ms);
    this.receiver.finish(at(ms));
    return this.#drain(at(ms));
  }

  until(ms: number): this {
    for (let turns = 0; ; turns++) {
      const due = this.receiver.pollTimeout();
      if (due === undefined || due > at(ms)) break;
      assert(turns < 100_000, 'a receiver must advance its timeout when called');
      this.#now = latest(this.#now, due);
      this.receiver.handleTimeout(this.#now);
      this.#drain(this.#now);
    }
    this.#now = instant(Math.max(this.#now, at(ms)));
    this.receiver.assertBalanced();
    checkRelease(this.#events);
    return this;
  }

  /** All events about frames. */
  get events(): readonly Parameters<typeof checkRelease>[0][number][] {
    return this.#events;
  }

  /** Requested sequence numbers of the stream, with their times. */
  get requests(): { readonly ms: number; readonly sequences: readonly number[] }[] {
    return this.rtcpSent.flatMap(({ ms, packet }) =>
      packet.kind === 'nack'
        ? [{ ms, sequences: packet.sequenceNumbers.map((wire) => (wire - INITIAL_SEQUENCE) & 0xffff) }]
        : [],
    );
  }

  #drain(now: Instant): this {
    const ms = now / 1_000;
    for (let datagram = this.receiver.pollTransmit(now); datagram; datagram = this.receiver.pollTransmit(now)) {
      const rtcp = parseRtcp(datagram);
      if (rtcp.ok) for (const each of rtcp.value) this.rtcpSent.push({ ms, packet: each });
    }
    for (let event = this.receiver.pollEvent(); event; event = this.receiver.pollEvent()) {
      this.#events.push(event);
      if (event.kind === 'access-unit') this.units.push(event.unit);
      if (event.kind === 'access-unit') this.eventLines.push(`${ms} ${event.class} ${event.frame}`);
      else if (event.kind === 'dropped') {
        // One line per frame, with a limit for unread announcements.
        const lines = Math.min(event.frames, LINES_MAX);
        for (let more = 0; more < lines; more++) this.eventLines.push(`${ms} ${event.cause} ${event.frame + more}`);
      } else this.eventLines.push(event.kind === 'ended' ? `${ms} ended` : `${ms} malformed`);
    }
    return this;
  }
}
