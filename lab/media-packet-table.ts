import { readUint16, readUint32 } from '../protocol/base/big-endian.ts';
import { type Instant, instant, later, type Microseconds } from '../protocol/base/units.ts';
import type { ReleasedFrameClass } from '../protocol/frame-class.ts';
import { isRtcp } from '../protocol/rtp/multiplex.ts';
import { originalSequenceOf } from '../protocol/rtp/retransmission.ts';
import { RTP_HEADER_BYTES } from '../protocol/rtp/rtp-packet.ts';
import { type WireTimestamp, wireTimestamp } from '../protocol/rtp/sequence.ts';
import type { Direction } from '../sim/direction.ts';
import type { DatagramFate, DecidedFate } from '../sim/link/datagram-fate.ts';
import { SentFrames } from '../sim/sent-frames.ts';
import { MEDIA_SSRC, REPAIR_SSRC, RETRANSMISSION_SSRC } from '../sim/simulated-stream.ts';
import { type FrameTable, widened } from './frame-table.ts';
import { InterarrivalJitter } from './metrics/interarrival-jitter.ts';
import { RunLengths } from './metrics/run-lengths.ts';
import type { PathObserver } from './path-observer.ts';
import type { TransportFigures } from './strategy.ts';

const MISSING = 0;
const RECEIVED = 1;
const RETRANSMITTED = 2;

/** The observed stream. */
export interface ObservedStream {
  /** First row that is measured. */
  readonly measuredFrom: number;
  readonly initialSequence: number;
  /** Time after a frame's capture from which nothing that is sent for it arrives by its deadline. */
  readonly sendableFor: Microseconds;
  /** SSRCs of the stream, its retransmissions and its repair packets; those of the pictures by default. */
  readonly ssrcs?: StreamSsrcs;
}

/** SSRCs of a stream and of its companions. */
export interface StreamSsrcs {
  readonly media: number;
  readonly retransmission: number;
  readonly repair: number;
}

const PICTURE_SSRCS: StreamSsrcs = {
  media: MEDIA_SSRC,
  retransmission: RETRANSMISSION_SSRC,
  repair: REPAIR_SSRC,
};

/** State of a frame that is not decided yet. */
interface OpenFrame {
  received: number;
  /** Retransmissions that arrived for missing packets of the frame. */
  readonly retransmissions: { readonly at: Instant; readonly bytes: number }[];
}

/**
 * Observes a stream from outside: which packets were sent, lost, and received (originally or as a retransmission), and
 * the effect on each frame. Uses six bytes per packet. Packets restored by repair appear as completed frames.
 */
export class MediaPacketTable implements PathObserver {
  readonly #frames: FrameTable;
  readonly #measuredFrom: number;
  readonly #initialSequence: number;
  readonly #sendableFor: Microseconds;
  readonly #ssrcs: StreamSsrcs;
  readonly #sentFrames = new SentFrames();
  /** Row of each accepted frame, by frame number. */
  readonly #rows: number[] = [];
  /** First packet of each frame, by frame number. */
  readonly #firstPacket: number[] = [];
  /** Row of each frame, by its timestamp on the wire. */
  readonly #rowAt = new Map<WireTimestamp, number>();
  readonly #open = new Map<number, OpenFrame>();
  /** Number of missing packets of frames that were dropped incomplete. */
  readonly #missing = new Map<number, number>();
  #arrival = new Uint8Array(4_096);
  #frameOf = new Uint32Array(4_096);
  /** 1 for a packet whose first transmission was lost. */
  #lost = new Uint8Array(4_096);
  #sent = 0;
  #highestReceived = -1;
  #decided = 0;
  readonly #after = new RunLengths();
  readonly #jitter = new InterarrivalJitter();
  readonly #jitterFirst = new InterarrivalJitter();
  readonly #repairs = { datagrams: 0, bytes: 0, used: 0 };
  #figures = {
    packetsSent: 0,
    packetsLost: 0,
    packetsResidual: 0,
    packetsLate: 0,
    bytesRetransmission: 0,
    bytesRepair: 0,
    bytesWasted: 0,
    bytesLate: 0,
    retransmissionsSent: 0,
    retransmissionsLost: 0,
    repairsSent: 0,
    repairsLost: 0,
  };
  /** Retransmissions, repair packets and copies in a queue that has not decided about them. */
  readonly #queued = new Set<Uint8Array>();
  /** Copies of media packets, for a second path, in a queue that has not decided about them. */
  readonly #queuedCopies = new Set<Uint8Array>();

  constructor(frames: FrameTable, stream: ObservedStream) {
    this.#frames = frames;
    this.#measuredFrom = stream.measuredFrom;
    this.#initialSequence = stream.initialSequence;
    this.#sendableFor = stream.sendableFor;
    this.#ssrcs = stream.ssrcs ?? PICTURE_SSRCS;
  }

  /** Registers a frame that the sender accepted. */
  addFrame(row: number): void {
    this.#open.set(this.#rows.length, { received: 0, retransmissions: [] });
    this.#rows.push(row);
  }

  onSent(now: Instant, direction: Direction, datagram: Uint8Array, fate: DatagramFate): void {
    if (direction === 'back' || isRtcp(datagram)) return;
    const ssrc = readUint32(datagram, 8);
    const isCopy = ssrc === this.#ssrcs.media && this.#isCopy(datagram);
    if (ssrc === this.#ssrcs.media && !isCopy) return this.#mediaSent(now, datagram, fate);
    if (isCopy && fate === 'queued') this.#queuedCopies.add(datagram);
    if (this.#frames.length <= this.#measuredFrom) return;
    if (ssrc === this.#ssrcs.retransmission) {
      this.#figures.bytesRetransmission += datagram.length;
      this.#figures.retransmissionsSent++;
    } else if (isCopy || ssrc === this.#ssrcs.repair) {
      this.#figures.bytesRepair += datagram.length;
      this.#figures.repairsSent++;
    }
    if (fate === 'queued') this.#queued.add(datagram);
    else this.#noteProtection(isCopy ? this.#ssrcs.repair : ssrc, fate);
    // Both carry the timestamp of a frame that they are for.
    const row = this.#rowAt.get(wireTimestamp(readUint32(datagram, 4)));
    if (row === undefined || now <= later(instant(this.#frames.time(row, 'capturedAt')), this.#sendableFor)) return;
    this.#figures.bytesLate += datagram.length;
  }

  onDecided(_now: Instant, direction: Direction, datagram: Uint8Array, fate: DecidedFate): void {
    if (direction === 'back' || isRtcp(datagram)) return;
    const ssrc = readUint32(datagram, 8);
    const isCopy = this.#queuedCopies.delete(datagram);
    if (this.#queued.delete(datagram)) this.#noteProtection(isCopy ? this.#ssrcs.repair : ssrc, fate);
    if (isCopy || ssrc !== this.#ssrcs.media || fate === 'carried' || fate === 'duplicated') return;
    const packet = this.#packetOf(readUint16(datagram, 2));
    if (packet !== undefined) this.#noteLost(packet);
  }

  onDelivered(now: Instant, direction: Direction, datagram: Uint8Array): void {
    if (direction === 'back' || datagram.length < RTP_HEADER_BYTES || isRtcp(datagram)) return;
    const ssrc = readUint32(datagram, 8);
    if (ssrc === this.#ssrcs.media) {
      const packet = this.#packetOf(readUint16(datagram, 2));
      const timestamp = wireTimestamp(readUint32(datagram, 4));
      this.#jitter.add(now, timestamp);
      if (packet === undefined) return;
      if (packet === this.#firstPacket[this.#frameOf[packet]!]) this.#jitterFirst.add(now, timestamp);
      this.#noteArrival(now, packet, RECEIVED, datagram.length);
      this.#noteLosses(now, packet);
    } else if (ssrc === this.#ssrcs.retransmission) {
      const original = originalSequenceOf(datagram);
      const packet = original === undefined ? undefined : this.#packetOf(original);
      if (packet !== undefined) this.#noteArrival(now, packet, RETRANSMITTED, datagram.length);
    } else if (ssrc === this.#ssrcs.repair && this.#frames.length > this.#measuredFrom) {
      this.#repairs.datagrams++;
      this.#repairs.bytes += datagram.length;
    }
  }

  /** The receiver released a frame. */
  release(
    now: Instant,
    frame: number,
    how: { readonly class: ReleasedFrameClass; readonly completeAt: Instant },
  ): void {
    const row = this.#decide(frame);
    if (row === undefined) return;
    const frames = this.#frames;
    frames.setClass(row, how.class);
    frames.setTime(row, 'completeAt', how.completeAt);
    // A mended frame is for the decoder alone.
    if (how.class !== 'mended') frames.setTime(row, 'renderedAt', now);
    if (how.class !== 'onTime') this.#setMechanism(frame, row, how.completeAt);
    this.#endRun(row);
    this.#open.delete(frame);
  }

  drop(now: Instant, frame: number, cause: 'incomplete' | 'neverArrived' | 'undecodable'): void {
    const row = this.#decide(frame);
    if (row === undefined) return;
    this.#frames.setClass(row, cause);
    if (cause === 'undecodable') {
      if (Number.isNaN(this.#frames.time(row, 'completeAt'))) this.#frames.setTime(row, 'completeAt', now);
      this.#endRun(row);
    } else this.#noteMissing(frame, row);
    this.#countWasted(frame, instant(Number.NEGATIVE_INFINITY));
    this.#open.delete(frame);
  }

  /** Completes the figures, including the packets of frames unknown to the receiver. */
  conclude(): TransportFigures {
    for (let frame = this.#decided; frame < this.#rows.length; frame++) {
      const row = this.#rows[frame]!;
      if (frame < this.#firstPacket.length) this.#noteMissing(frame, row);
    }
    const before = new RunLengths();
    for (let packet = 0; packet < this.#sent; packet++) {
      if (this.#isMeasured(packet)) before.add(this.#lost[packet] === 1);
    }
    const { datagrams, bytes, used } = this.#repairs;
    const unused = Math.max(0, datagrams - used);
    if (datagrams > 0) this.#figures.bytesWasted += Math.round((bytes * unused) / datagrams);
    return {
      ...this.#figures,
      burstsBefore: before.histogram(),
      burstsAfter: this.#after.histogram(),
      jitter: this.#jitter.value,
      jitterFirst: this.#jitterFirst.value,
    };
  }

  #mediaSent(now: Instant, datagram: Uint8Array, fate: DatagramFate): void {
    const packet = this.#sent++;
    if (packet === this.#arrival.length) {
      this.#arrival = widened(this.#arrival, new Uint8Array(packet * 2));
      this.#frameOf = widened(this.#frameOf, new Uint32Array(packet * 2));
      this.#lost = widened(this.#lost, new Uint8Array(packet * 2));
    }
    this.#sentFrames.next(datagram);
    const { frame, packetIndex, packetCount } = this.#sentFrames;
    if (packetIndex === 0) {
      const row = this.#rows[frame]!;
      this.#frames.setTime(row, 'sentAt', now);
      this.#frames.setPackets(row, packetCount);
      this.#firstPacket.push(packet);
      this.#rowAt.set(wireTimestamp(readUint32(datagram, 4)), row);
    }
    this.#frameOf[packet] = frame;
    if (this.#isMeasured(packet)) this.#figures.packetsSent++;
    if (fate === 'lost' || fate === 'overflowed') this.#noteLost(packet);
  }

  /** True for a media packet that was sent before: media packets leave in the order of their numbers. */
  #isCopy(datagram: Uint8Array): boolean {
    return readUint16(datagram, 2) !== ((this.#initialSequence + this.#sent) & 0xffff);
  }

  #isMeasured(packet: number): boolean {
    return this.#rows[this.#frameOf[packet]!]! >= this.#measuredFrom;
  }

  #noteLost(packet: number): void {
    this.#lost[packet] = 1;
    if (this.#isMeasured(packet)) this.#figures.packetsLost++;
  }

  /** The fate of a retransmission or a repair packet is known. */
  #noteProtection(ssrc: number, fate: DecidedFate): void {
    if (fate !== 'lost' && fate !== 'overflowed') return;
    if (ssrc === this.#ssrcs.retransmission) this.#figures.retransmissionsLost++;
    else if (ssrc === this.#ssrcs.repair) this.#figures.repairsLost++;
  }

  /** Returns the packet with a wire sequence number; `undefined` for one that was never sent (bit error). */
  #packetOf(wire: number): number | undefined {
    const last = this.#sent - 1;
    const packet = last - ((((this.#initialSequence + last) & 0xffff) - wire + 0x1_0000) % 0x1_0000);
    return packet < 0 ? undefined : packet;
  }

  #noteArrival(now: Instant, packet: number, how: typeof RECEIVED | typeof RETRANSMITTED, bytes: number): void {
    const frame = this.#frameOf[packet]!;
    const row = this.#rows[frame]!;
    const measured = row >= this.#measuredFrom;
    if (this.#arrival[packet] !== MISSING) {
      if (how === RETRANSMITTED && measured) this.#figures.bytesWasted += bytes;
      return;
    }
    this.#arrival[packet] = how;
    const open = this.#open.get(frame);
    if (open) {
      open.received++;
      if (how === RETRANSMITTED) open.retransmissions.push({ at: now, bytes });
      if (open.received === this.#frames.packets(row)) this.#frames.setTime(row, 'completeAt', now);
      return;
    }
    if (how === RETRANSMITTED && measured) this.#figures.bytesWasted += bytes;
    this.#noteLateArrival(now, frame, row);
  }

  #noteLateArrival(now: Instant, frame: number, row: number): void {
    const missing = this.#missing.get(frame);
    if (missing === undefined) return;
    if (row >= this.#measuredFrom) this.#figures.packetsLate++;
    if (missing > 1) {
      this.#missing.set(frame, missing - 1);
      return;
    }
    this.#missing.delete(frame);
    this.#frames.setTime(row, 'completeAt', now);
    if (this.#frames.class(row) === 'incomplete') this.#frames.setClass(row, 'overdue');
  }

  /** Marks packets as seen missing when a later packet arrives. */
  #noteLosses(now: Instant, packet: number): void {
    for (let missing = this.#highestReceived + 1; missing < packet; missing++) {
      if (this.#arrival[missing] !== MISSING) continue;
      const row = this.#rows[this.#frameOf[missing]!]!;
      if (Number.isNaN(this.#frames.time(row, 'lossSeenAt'))) this.#frames.setTime(row, 'lossSeenAt', now);
    }
    if (packet > this.#highestReceived) this.#highestReceived = packet;
  }

  /**
   * Marks a frame as decided; frames are decided in order. @returns its row; `undefined` for a frame never sent (bit
   * error).
   */
  #decide(frame: number): number | undefined {
    if (frame >= this.#rows.length) return undefined;
    this.#decided = frame + 1;
    return this.#rows[frame];
  }

  #setMechanism(frame: number, row: number, completeAt: Instant): void {
    const { retransmissions } = this.#open.get(frame)!;
    const useful = retransmissions.filter(({ at }) => at <= completeAt).length;
    const first = this.#firstPacket[frame]!;
    let receivedPackets = 0;
    for (let packet = first; packet < first + this.#frames.packets(row); packet++) {
      if (this.#arrival[packet] === RECEIVED) receivedPackets++;
    }
    const repaired = this.#frames.packets(row) - receivedPackets - useful;
    // Nothing was missing: it was slow, or waited for a frame before it.
    if (repaired <= 0 && useful === 0) return this.#countWasted(frame, completeAt);
    if (row >= this.#measuredFrom) this.#repairs.used += repaired;
    this.#frames.setMechanism(row, repaired <= 0 ? 'retransmission' : useful > 0 ? 'both' : 'repair');
    this.#countWasted(frame, completeAt);
  }

  /** Counts retransmissions that arrived after the frame was complete, or for a dropped frame. */
  #countWasted(frame: number, after: Instant): void {
    if (this.#rows[frame]! < this.#measuredFrom) return;
    for (const { at, bytes } of this.#open.get(frame)?.retransmissions ?? []) {
      if (at > after) this.#figures.bytesWasted += bytes;
    }
  }

  #noteMissing(frame: number, row: number): void {
    const first = this.#firstPacket[frame];
    if (first === undefined) return;
    let missing = 0;
    const measured = row >= this.#measuredFrom;
    for (let packet = first; packet < Math.min(first + this.#frames.packets(row), this.#sent); packet++) {
      const lost = this.#arrival[packet] === MISSING;
      if (lost) missing++;
      if (measured) this.#after.add(lost);
    }
    if (measured) this.#figures.packetsResidual += missing;
    if (missing > 0) this.#missing.set(frame, missing);
  }

  #endRun(row: number): void {
    if (row >= this.#measuredFrom) this.#after.add(false);
  }
}
