import { readUint16, readUint32 } from '../../protocol/base/big-endian.ts';
import { elapsed, type Instant, instant, type Microseconds, microseconds, seconds } from '../../protocol/base/units.ts';
import { reportedArrival } from '../../protocol/rtcp/congestion-control-feedback.ts';
import type { CongestionControlFeedback, StreamArrivals } from '../../protocol/rtcp/rtcp.ts';
import type { WireSequence } from '../../protocol/rtp/sequence.ts';
import type { EcnMark, PacketReport, SentKind, SentPacket } from './rate-controller.ts';

/** SSRCs of the streams that count; `undefined` for one that does not exist. */
export interface SentStreams {
  readonly ssrc: number;
  readonly retransmissionSsrc?: number | undefined;
  readonly repairSsrc?: number | undefined;
}

/** New content of one feedback packet. */
export interface MatchedFeedback {
  /** In the order of departure, at least one. */
  readonly packets: readonly PacketReport[];
  readonly bytesInFlight: number;
  /**
   * Departure of the newest packet reported as received to arrival of the report, without the time that the receiver
   * waited; `undefined` when none was received or its arrival time is unknown.
   */
  readonly roundTrip: Microseconds | undefined;
}

/** Initial length of the history, packets; doubled as needed. */
const PACKETS_MIN = 1_024;
/** Half the sequence space, beyond which a wire sequence is ambiguous: 1.5 s of 200 Mb/s. */
const PACKETS_MAX = 32_768;
/** A report later than this is ignored, and the packet no longer counts as in flight. */
const REPORTED_WITHIN: Microseconds = seconds(3);

/** State of a packet. A missing one may still be received, but no more than once. */
const IN_FLIGHT = 1;
const MISSING = 2;
const RECEIVED = 3;
/** Not reported in time. */
const FORGOTTEN = 4;

/** Place of the media stream among the streams. */
const MEDIA = 0;
const KINDS: readonly SentKind[] = ['media', 'retransmission', 'repair'];
const MARKS: readonly EcnMark[] = ['not-ect', 'ect-1', 'ect-0', 'ce'];
/** The report timestamp is in 1/65536 s and wraps. */
const TIMESTAMPS_PER_SECOND = 65_536;

/**
 * Departures of recent datagrams, to be matched with the receiver's reports (RFC 8888). A ring by position, with an
 * index by sequence number for each RTP stream. All loops are bounded by the size of the datagram that reports.
 */
export class SentPacketHistory {
  readonly #ssrcs: readonly (number | undefined)[];
  #size = PACKETS_MIN;
  #sentAt = new Float64Array(PACKETS_MIN);
  #bytes = new Uint32Array(PACKETS_MIN);
  #state = new Uint8Array(PACKETS_MIN);
  #kind = new Uint8Array(PACKETS_MIN);
  #sequence = new Uint16Array(PACKETS_MIN);
  /** Position by sequence number, for each stream. */
  #position: Float64Array[];
  #next = 0;
  /** No packet before this position is in flight. */
  #oldest = 0;
  #bytesInFlight = 0;
  #timestamp: number | undefined;
  #receiverTime = 0;

  constructor(streams: SentStreams) {
    this.#ssrcs = [streams.ssrc, streams.retransmissionSsrc, streams.repairSsrc];
    this.#position = this.#ssrcs.map(() => new Float64Array(PACKETS_MIN).fill(-1));
  }

  /** Bytes sent and not yet reported, nor older than reports are accepted. */
  get bytesInFlight(): number {
    return this.#bytesInFlight;
  }

  /** Departure of the oldest packet in flight; `undefined` when there is none. */
  get oldestSentAt(): Instant | undefined {
    return this.#oldest < this.#next ? instant(this.#sentAt[this.#oldest & (this.#size - 1)]!) : undefined;
  }

  /** Records a datagram of one of the streams as it leaves. */
  onSent(now: Instant, datagram: Uint8Array): SentPacket {
    const number = this.#next;
    if (number - this.#oldest >= this.#size) this.#makeRoom(now);
    const stream = Math.max(0, this.#ssrcs.indexOf(readUint32(datagram, 8)));
    const sequence = readUint16(datagram, 2);
    const place = number & (this.#size - 1);
    this.#sentAt[place] = now;
    this.#bytes[place] = datagram.length;
    this.#state[place] = IN_FLIGHT;
    this.#kind[place] = stream;
    this.#sequence[place] = sequence;
    this.#position[stream]![sequence & (this.#size - 1)] = number;
    this.#next++;
    this.#bytesInFlight += datagram.length;
    return { number, bytes: datagram.length, kind: KINDS[stream]! };
  }

  /** True when neither this media packet nor one sent later has been reported yet. */
  isUnderway(wire: WireSequence): boolean {
    const number = this.#position[MEDIA]![wire & (this.#size - 1)]!;
    if (number < 0 || number < this.#next - this.#size) return false;
    const place = number & (this.#size - 1);
    return this.#sequence[place] === wire && this.#kind[place] === MEDIA && this.#state[place] === IN_FLIGHT;
  }

  /** Returns the new content of a feedback packet; `undefined` when there is none. */
  match(now: Instant, feedback: CongestionControlFeedback): MatchedFeedback | undefined {
    const reportedAt = this.#receiverTimeOf(feedback.reportTimestamp);
    const packets: PacketReport[] = [];
    let newest: PacketReport | undefined;
    let before: Microseconds | undefined;
    for (const stream of feedback.streams) {
      const kind = this.#ssrcs.indexOf(stream.ssrc);
      if (kind < 0) continue;
      for (let index = 0; index < stream.reports.length; index++) {
        const place = this.#placeOf(now, kind, (stream.beginSequence + index) & 0xffff);
        const packet = place === undefined ? undefined : this.#read(place, stream, index, reportedAt);
        if (!packet) continue;
        packets.push(packet);
        if (packet.arrivedAt === undefined || (newest && packet.number < newest.number)) continue;
        newest = packet;
        before = reportedArrival(stream.reports[index]!)!.before;
      }
    }
    this.#forget(now);
    if (packets.length === 0) return undefined;
    packets.sort((one, other) => one.number - other.number);
    const roundTrip = newest && before !== undefined ? microseconds(elapsed(newest.sentAt, now) - before) : undefined;
    return {
      packets,
      bytesInFlight: this.#bytesInFlight,
      // Ignore a reported delay longer than the time since departure.
      roundTrip: roundTrip !== undefined && roundTrip >= 0 ? roundTrip : undefined,
    };
  }

  #read(place: number, { reports }: StreamArrivals, index: number, reportedAt: number): PacketReport | undefined {
    const arrival = reportedArrival(reports[index]!);
    const state = this.#state[place]!;
    // Without an arrival time there is no delay sample; wait for the next report.
    if (arrival ? state === RECEIVED || arrival.before === undefined : state !== IN_FLIGHT) return undefined;
    if (state === IN_FLIGHT) this.#bytesInFlight -= this.#bytes[place]!;
    this.#state[place] = arrival ? RECEIVED : MISSING;
    return {
      number: this.#numberAt(place),
      bytes: this.#bytes[place]!,
      kind: KINDS[this.#kind[place]!]!,
      sentAt: instant(this.#sentAt[place]!),
      arrivedAt: arrival && microseconds(Math.round(reportedAt - arrival.before!)),
      mark: arrival ? MARKS[arrival.ecn]! : 'not-ect',
    };
  }

  /** Place of the packet in the ring; `undefined` when it was not sent, or too long ago. */
  #placeOf(now: Instant, stream: number, sequence: number): number | undefined {
    const number = this.#position[stream]![sequence & (this.#size - 1)]!;
    if (number < 0 || number < this.#next - this.#size) return undefined;
    const place = number & (this.#size - 1);
    if (this.#sequence[place] !== sequence || this.#kind[place] !== stream) return undefined;
    return this.#state[place] === FORGOTTEN || now - this.#sentAt[place]! > REPORTED_WITHIN ? undefined : place;
  }

  #numberAt(place: number): number {
    const newest = this.#next - 1;
    return newest - ((newest - place) & (this.#size - 1));
  }

  /** Moves past packets that have been reported, or will not be any more. */
  #forget(now: Instant): void {
    while (this.#oldest < this.#next) {
      const place = this.#oldest & (this.#size - 1);
      if (this.#state[place] === IN_FLIGHT) {
        if (now - this.#sentAt[place]! <= REPORTED_WITHIN) return;
        this.#state[place] = FORGOTTEN;
        this.#bytesInFlight -= this.#bytes[place]!;
      }
      this.#oldest++;
    }
  }

  #makeRoom(now: Instant): void {
    this.#forget(now);
    if (this.#next - this.#oldest < this.#size) return;
    if (this.#size < PACKETS_MAX) return this.#grow();
    const place = this.#oldest & (this.#size - 1);
    this.#bytesInFlight -= this.#bytes[place]!;
    this.#state[place] = FORGOTTEN;
    this.#oldest++;
    this.#forget(now);
  }

  #grow(): void {
    const before = this.#size;
    const [sentAt, bytes, state, kind, sequence] = [this.#sentAt, this.#bytes, this.#state, this.#kind, this.#sequence];
    this.#size = before * 2;
    this.#sentAt = new Float64Array(this.#size);
    this.#bytes = new Uint32Array(this.#size);
    this.#state = new Uint8Array(this.#size);
    this.#kind = new Uint8Array(this.#size);
    this.#sequence = new Uint16Array(this.#size);
    this.#position = this.#position.map(() => new Float64Array(this.#size).fill(-1));
    for (let number = Math.max(0, this.#next - before); number < this.#next; number++) {
      const from = number & (before - 1);
      const to = number & (this.#size - 1);
      this.#sentAt[to] = sentAt[from]!;
      this.#bytes[to] = bytes[from]!;
      this.#state[to] = state[from]!;
      this.#kind[to] = kind[from]!;
      this.#sequence[to] = sequence[from]!;
      this.#position[kind[from]!]![sequence[from]! & (this.#size - 1)] = number;
    }
  }

  /** Time of a report on the receiver's clock without wrapping, microseconds. */
  #receiverTimeOf(timestamp: number): number {
    // The difference to the last report as a signed number: reports may overtake each other.
    const step = this.#timestamp === undefined ? 0 : (timestamp - this.#timestamp) | 0;
    this.#timestamp = timestamp;
    this.#receiverTime += (step * 1_000_000) / TIMESTAMPS_PER_SECOND;
    return this.#receiverTime;
  }
}
