import type { AccessUnit } from '../protocol/access-unit.ts';
import type { Endpoint } from '../protocol/endpoint.ts';
import { type FrameMark, parseFrameMark } from '../protocol/frame-mark.ts';
import { unpackPayloads } from '../protocol/h264/rtp-payload.ts';
import { CLOCK_RATE, type Instant, type Microseconds, type Ticks, ticksToMicroseconds } from '../protocol/instant.ts';
import { classifyDatagram } from '../protocol/multiplex.ts';
import { unwrapRetransmission } from '../protocol/retransmission.ts';
import { parseRtcp } from '../protocol/rtcp.ts';
import { parseRtpPacket, type RtpPacket } from '../protocol/rtp-packet.ts';
import { extend, extendTimestamp, type Sequence } from '../protocol/sequence.ts';
import { Feedback } from './feedback.ts';
import type { Arrival, ArrivedPacket, FrameBuffer, Insertion, PendingFrame } from './frame-buffer.ts';
import { Histogram } from './histogram.ts';
import { type FrameFate, Ledger } from './ledger.ts';
import { MarkedFrameBuffer } from './marked-frame-buffer.ts';
import { NackGenerator } from './nack-generator.ts';
import { PlainFrameBuffer } from './plain-frame-buffer.ts';
import { PlayoutClock } from './playout-clock.ts';
import { PLAIN_PACKETS_MAX, type ReceiverOptions } from './receiver-options.ts';
import type { ReceiverStatistics } from './receiver-statistics.ts';

export type ReceiverEvent =
  | {
      readonly kind: 'access-unit';
      readonly unit: AccessUnit;
      readonly frame: number;
      readonly fate: 'onTime' | 'recovered' | 'late';
      /** From the fastest transit seen to the release, microseconds. */
      readonly playoutDelay: Microseconds;
      /** From the fastest transit seen to the last packet's arrival, microseconds. */
      readonly completionDelay: Microseconds;
    }
  | { readonly kind: 'dropped'; readonly frame: number; readonly cause: 'incomplete' | 'neverArrived' | 'undecodable' }
  | { readonly kind: 'malformed'; readonly cause: string }
  /** The sender said goodbye, and everything before it has been decided. */
  | { readonly kind: 'ended' };

/** How far back the fastest transit is looked for. */
const CLOCK_WINDOW: Microseconds = 800_000;
/** A frame of which nothing more came for so long misses its tail (its packets are paced closer than this). */
const SILENCE: Microseconds = 15_000;
const FRAME_INTERVAL_DEFAULT: Ticks = 3_000;
const MISSING_MAX = 4096;
/** How long the first packets may still be on their way when the end is told before any of them came. */
const IN_FLIGHT_DEFAULT: Microseconds = 1_000_000;
const EVENTS_MAX = 4096;

/** One stream from one sender: datagrams in, access units or named drops out, reports and requests back. */
export class Receiver implements Endpoint<ReceiverEvent> {
  readonly #options: ReceiverOptions;
  readonly #clock: PlayoutClock;
  readonly #ledger = new Ledger();
  readonly #nack: NackGenerator;
  readonly #feedback: Feedback;
  readonly #playoutDelay = new Histogram();
  readonly #completionDelay = new Histogram();
  readonly #events: ReceiverEvent[] = [];
  #eventsHead = 0;
  #decodedThrough: Ticks = Number.NEGATIVE_INFINITY;
  #marked: MarkedFrameBuffer | undefined;
  #plain: PlainFrameBuffer | undefined;
  #ssrc: number | undefined;
  #highestSequence: Sequence | undefined;
  #highestTimestamp: Ticks | undefined;
  #highestFrame: number | undefined;
  #timestampBase: number | undefined;
  /** The last frame decided whose media time is known; frames that never arrive are reckoned from it. */
  #decided: { readonly number: number; readonly decodeTimestamp: Ticks } | undefined;
  #frameInterval: Ticks = FRAME_INTERVAL_DEFAULT;
  /** Decoding needs a key frame: nothing has been released yet, or a reference was lost. */
  #needsKey = true;
  #released = false;
  #lastSilenceCheck: { frame: number; at: Instant } | undefined;
  #end:
    | { readonly frames: number; readonly lastSequence?: Sequence | undefined; readonly waitUntil: Instant }
    | undefined;
  #ended = false;
  #counters = {
    datagrams: 0,
    bytes: 0,
    payloadBytes: 0,
    rtpHeaderBytes: 0,
    duplicates: 0,
    foreign: 0,
    malformed: 0,
    overflowed: 0,
  };

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#clock = new PlayoutClock({ latency: options.latency, window: CLOCK_WINDOW });
    this.#nack = new NackGenerator({ reorderWait: options.reorderWait, missingMax: MISSING_MAX });
    this.#feedback = new Feedback(options);
    this.#ssrc = options.ssrc;
    this.#timestampBase = options.timestampBase;
    if (options.initialSequence !== undefined) {
      this.#highestSequence = options.initialSequence - 1;
      this.#ledger.startAt(options.initialSequence);
    }
    if (options.initialFrameNumber !== undefined) this.#highestFrame = options.initialFrameNumber - 1;
  }

  /** Nothing more will come: the sender said so and all is decided. */
  get ended(): boolean {
    return this.#ended;
  }

  get statistics(): ReceiverStatistics {
    const { frames, packets } = this.#ledger;
    return {
      frames: { ...frames, decided: this.#ledger.decidedFrames },
      packets: { ...packets, decided: this.#ledger.decidedPackets },
      ...this.#counters,
      requests: this.#nack.requests,
      keyframeRequests: this.#feedback.keyframeRequests,
      roundTrip: this.#feedback.roundTrip,
      jitter: ticksToMicroseconds(this.#feedback.jitter),
      playoutDelay: percentiles(this.#playoutDelay),
      completionDelay: percentiles(this.#completionDelay),
    };
  }

  /** Throws if a packet or a frame is not in exactly one class. */
  assertBalanced(): void {
    this.#ledger.assertBalanced();
  }

  handleDatagram(now: Instant, datagram: Uint8Array): void {
    this.#counters.datagrams++;
    this.#counters.bytes += datagram.length;
    this.#release(now);
    switch (classifyDatagram(datagram)) {
      case 'rtp': {
        const packet = parseRtpPacket(datagram);
        if (!packet.ok) return this.#malformed(packet.malformed);
        this.#handleRtp(now, packet.value, datagram.length);
        break;
      }
      case 'rtcp':
        this.#handleRtcp(now, datagram);
        break;
      case 'foreign':
        this.#counters.foreign++;
        return;
    }
    this.#release(now);
  }

  handleTimeout(now: Instant): void {
    this.#release(now);
    this.#checkSilence(now);
    if (this.#options.recovery === 'nack' && this.#ssrc !== undefined) {
      const asked = this.#nack.poll(now, this.#feedback.roundTrip, (sequence) => this.#deadlineOf(sequence));
      if (asked.length > 0) this.#feedback.requestPackets(this.#ssrc, asked);
    }
    this.#feedback.handleTimeout(now, this.#ssrc);
  }

  pollTransmit(_now: Instant): Uint8Array | undefined {
    return this.#feedback.pollTransmit();
  }

  pollEvent(): ReceiverEvent | undefined {
    const event = this.#events[this.#eventsHead];
    if (event === undefined) return undefined;
    this.#eventsHead++;
    if (this.#eventsHead === this.#events.length) {
      this.#events.length = 0;
      this.#eventsHead = 0;
    }
    return event;
  }

  pollTimeout(): Instant | undefined {
    let at = this.#feedback.pollTimeout();
    const consider = (other: Instant | undefined) => {
      if (other !== undefined && (at === undefined || other < at)) at = other;
    };
    consider(this.#headDueAt());
    if (this.#options.recovery === 'nack') {
      consider(this.#nack.pollTimeout());
      consider(this.#silenceDueAt());
    }
    return at;
  }

  /** Asks the sender for a key frame (PLI), at most twice a second. */
  requestKeyframe(now: Instant): void {
    if (this.#ssrc !== undefined) this.#feedback.requestKeyframe(now, this.#ssrc);
  }

  /**
   * The sender has said how much it sent in all; what is not here by its deadline never will be.
   * @param lastSequence the last packet's number as it stands on the wire; `undefined`: none was sent.
   */
  endOfStream(now: Instant, total: { readonly frames: number; readonly lastSequence: number | undefined }): void {
    const { initialFrameNumber: first = 0 } = this.#options;
    const lastSequence =
      total.lastSequence === undefined || this.#highestSequence === undefined
        ? undefined
        : extend(total.lastSequence, this.#highestSequence);
    const waitUntil = now + this.#clock.latency + (this.#feedback.roundTrip ?? IN_FLIGHT_DEFAULT);
    this.#end = { frames: first + total.frames, lastSequence, waitUntil };
    this.#release(now);
  }

  /** The connection is gone: decides what is left as if every deadline had passed. */
  finish(now: Instant): void {
    const buffer = this.#buffer;
    while (buffer?.earliest()) this.#decideNext(now, buffer, true);
    this.#closeAccounts();
  }

  get #buffer(): FrameBuffer | undefined {
    return this.#marked ?? this.#plain;
  }

  #handleRtp(now: Instant, packet: RtpPacket, datagramBytes: number): void {
    const { retransmissionSsrc, retransmissionPayloadType = -1, payloadType } = this.#options;
    if (retransmissionSsrc !== undefined && packet.ssrc === retransmissionSsrc) {
      if (packet.payloadType !== retransmissionPayloadType) return this.#foreign();
      const original = unwrapRetransmission(packet, { ssrc: this.#ssrc!, payloadType: payloadType ?? 0 });
      if (!original.ok) return this.#malformed(original.malformed);
      return this.#handleMedia(now, original.value, true);
    }
    if (payloadType !== undefined && packet.payloadType !== payloadType) return this.#foreign();
    this.#ssrc ??= packet.ssrc;
    if (packet.ssrc !== this.#ssrc) return this.#foreign();
    this.#counters.rtpHeaderBytes += datagramBytes - packet.payload.length;
    this.#handleMedia(now, packet, false);
  }

  #handleMedia(now: Instant, packet: RtpPacket, retransmitted: boolean): void {
    if (packet.payload.length === 0) return; // padding only: nothing of a frame
    const mark = packet.extension ? parseFrameMark(packet.extension) : undefined;
    if (mark && !mark.ok) return this.#malformed(mark.malformed);
    const frameMark = mark?.value;
    if ((frameMark && this.#plain) || (!frameMark && this.#marked)) return this.#foreign();

    const expected = this.#highestSequence === undefined ? undefined : this.#highestSequence + 1;
    const newest = this.#highestTimestamp;
    const timestamp = this.#mediaTime(packet.timestamp);
    let sequence = expected === undefined ? packet.sequenceNumber : extend(packet.sequenceNumber, expected - 1);
    if (expected !== undefined && sequence < expected && newest !== undefined && timestamp > newest + OUTAGE_MIN) {
      sequence += 0x1_0000;
    }
    if (expected !== undefined && expected - sequence > SEQUENCE_JUMP_MAX) return this.#foreign();
    const ahead = expected === undefined || sequence >= expected;
    if (!ahead && !retransmitted && this.#options.recovery === 'none') {
      this.#enterBehind(sequence);
      return;
    }
    const rounds = this.#nack.onArrival(sequence);
    const arrival: Arrival = retransmitted ? { recoveredInRound: rounds } : ahead ? 'on-time' : 'reordered';
    const arrived: ArrivedPacket = { sequence, timestamp, marker: packet.marker, payload: packet.payload, arrival };
    const insertion = frameMark ? this.#insertMarked(now, frameMark, arrived) : this.#insertPlain(now, arrived);
    switch (insertion) {
      case 'taken':
        break;
      case 'behind':
        this.#enterBehind(sequence);
        break;
      case 'duplicate':
        this.#counters.duplicates++;
        return;
      case 'inconsistent':
        return this.#malformed('a frame mark that contradicts its frame');
      case 'overflow':
        this.#counters.overflowed++;
        return;
    }
    if (!retransmitted) this.#feedback.onPacket(now, sequence, timestamp);
    if (!ahead) return;
    if (expected !== undefined) {
      const from = Math.max(expected, sequence - MISSING_MAX);
      if (this.#options.recovery === 'nack')
        for (let lost = from; lost < sequence; lost++) this.#nack.onMissing(now, lost);
    }
    this.#highestSequence = sequence;
    if (insertion === 'taken' && !retransmitted) this.#clock.observe(now, timestamp - (frameMark?.decodeLead ?? 0));
  }

  #insertMarked(now: Instant, mark: FrameMark, packet: ArrivedPacket): Insertion {
    const number = extend(mark.frameNumber, this.#highestFrame ?? mark.frameNumber);
    if (this.#highestFrame !== undefined && number - this.#highestFrame > this.#options.framesMax) return 'overflow';
    this.#marked ??= new MarkedFrameBuffer({
      firstFrame: this.#highestFrame === undefined ? number : this.#highestFrame + 1,
      framesMax: this.#options.framesMax,
    });
    const insertion = this.#marked.insert(now, number, mark, packet);
    if (insertion === 'taken') this.#highestFrame = Math.max(this.#highestFrame ?? number, number);
    return insertion;
  }

  #insertPlain(now: Instant, packet: ArrivedPacket): Insertion {
    this.#plain ??= new PlainFrameBuffer({ framesMax: this.#options.framesMax, packetsMax: PLAIN_PACKETS_MAX });
    return this.#plain.insert(now, packet);
  }

  #enterBehind(sequence: Sequence): void {
    if (!this.#ledger.enterLate(sequence)) this.#counters.duplicates++;
  }

  #mediaTime(wire: number): Ticks {
    this.#timestampBase ??= wire;
    const relative = (wire - this.#timestampBase) >>> 0;
    const time = extendTimestamp(relative, this.#highestTimestamp ?? FIRST_TIMESTAMP_NEAR);
    this.#highestTimestamp = Math.max(this.#highestTimestamp ?? time, time);
    return time;
  }

  #handleRtcp(now: Instant, datagram: Uint8Array): void {
    const packets = parseRtcp(datagram);
    if (!packets.ok) return this.#malformed(packets.malformed);
    for (const packet of packets.value) {
      if (packet.kind === 'goodbye' && this.#ssrc !== undefined && packet.ssrcs.includes(this.#ssrc)) {
        // Our own senders say on the control channel how much there was; a stranger's BYE is all there is.
        if (this.#plain) this.#end ??= { frames: Number.NaN, waitUntil: now };
      } else this.#feedback.handleRtcp(now, packet, this.#ssrc);
    }
  }

  #release(now: Instant): void {
    const buffer = this.#buffer;
    if (buffer) {
      for (;;) {
        const head = buffer.head();
        if (head?.complete && (this.#options.release === 'asap' || now >= this.#deadline(head))) {
          this.#decideNext(now, buffer, false);
        } else if (this.#options.overdue === 'drop' && this.#overdue(now, buffer)) this.#decideNext(now, buffer, true);
        else break;
      }
    }
    if (this.#end && !this.#ended && this.#everythingDecided(now)) this.#closeAccounts();
  }

  /** Whether the next frame has missed its deadline, be it here in part or not at all. */
  #overdue(now: Instant, buffer: FrameBuffer): boolean {
    const dueAt = this.#dueAt(buffer);
    return dueAt !== undefined && now >= dueAt;
  }

  /** When the frame would have been here on the fastest path seen. */
  #expected(frame: PendingFrame): Instant {
    return frame.arrivedAt ?? this.#clock.expected(frame.decodeTimestamp);
  }

  #deadline(frame: PendingFrame): Instant {
    return this.#expected(frame) + this.#clock.latency;
  }

  /** By when the next frame must be decided; one that never arrived is reckoned from its neighbors. */
  #dueAt(buffer: FrameBuffer): Instant | undefined {
    const earliest = buffer.earliest();
    if (earliest) {
      const ahead = (earliest.number - buffer.next) * this.#frameInterval;
      return this.#deadline(earliest) - ticksToMicroseconds(ahead);
    }
    if (!this.#end || !(buffer.next < this.#end.frames)) return undefined;
    if (!this.#decided) return this.#end.waitUntil;
    const behind = (buffer.next - this.#decided.number) * this.#frameInterval;
    return this.#clock.deadline(this.#decided.decodeTimestamp + behind);
  }

  #headDueAt(): Instant | undefined {
    const buffer = this.#buffer;
    if (!buffer) return this.#ended ? undefined : this.#end?.waitUntil;
    if (this.#options.overdue === 'wait') {
      const head = buffer.head();
      return head?.complete ? this.#deadline(head) : undefined;
    }
    return this.#dueAt(buffer);
  }

  #decideNext(now: Instant, buffer: FrameBuffer, overdue: boolean): void {
    const frame = buffer.head();
    if (!frame) {
      this.#decideMissing(buffer);
      return;
    }
    if (this.#decided && frame.number > this.#decided.number) {
      const step = (frame.decodeTimestamp - this.#decided.decodeTimestamp) / (frame.number - this.#decided.number);
      if (step > 0) this.#frameInterval = step;
    }
    this.#decided = { number: frame.number, decodeTimestamp: frame.decodeTimestamp };
    if (overdue && !frame.complete) this.#drop(frame, 'incomplete');
    else this.#deliver(now, frame);
    buffer.advance();
    const { decidedThrough } = this.#ledger;
    if (decidedThrough !== undefined) this.#nack.forgetThrough(decidedThrough);
  }

  #decideMissing(buffer: FrameBuffer): void {
    const frame = buffer.next;
    this.#ledger.decideMissing(1);
    this.#push({ kind: 'dropped', frame, cause: 'neverArrived' });
    this.#needsKey = true;
    buffer.skipTo(frame + 1);
  }

  #drop(frame: PendingFrame, cause: 'incomplete' | 'undecodable'): void {
    this.#ledger.decide(frame, cause);
    this.#push({ kind: 'dropped', frame: frame.number, cause });
    if (frame.importance !== 'discardable') this.#needsKey = true;
  }

  #deliver(now: Instant, frame: PendingFrame): void {
    const importance = frame.importance ?? 'reference';
    if (importance === 'key') this.#needsKey = false;
    const smearing = this.#options.onLoss === 'smear' && this.#released;
    if (this.#needsKey && !smearing) {
      this.requestKeyframe(now);
      return this.#drop(frame, 'undecodable');
    }
    const nalUnits = unpackPayloads(frame.payloads());
    if (!nalUnits.ok || nalUnits.value.length === 0) {
      this.#malformed(nalUnits.ok ? 'a frame without NAL units' : nalUnits.malformed);
      return this.#drop(frame, 'undecodable');
    }
    const recovered = frame.arrivals.some((arrival) => typeof arrival === 'object');
    const late = this.#options.overdue === 'wait' && frame.lastArrivalAt > this.#deadline(frame);
    const fate: FrameFate & ('onTime' | 'recovered' | 'late') = late ? 'late' : recovered ? 'recovered' : 'onTime';
    const expected = this.#expected(frame);
    const playoutDelay = now - expected;
    const completionDelay = frame.lastArrivalAt - expected;
    this.#ledger.decide(frame, fate);
    this.#playoutDelay.add(playoutDelay);
    this.#completionDelay.add(completionDelay);
    for (const nalUnit of nalUnits.value) this.#counters.payloadBytes += nalUnit.length;
    this.#released = true;
    const { timestamp } = frame;
    // A stranger's decode times are a guess; what leaves here never runs backwards.
    const decodeTimestamp = Math.min(timestamp, Math.max(frame.decodeTimestamp, this.#decodedThrough));
    this.#decodedThrough = decodeTimestamp;
    const unit: AccessUnit = { nalUnits: nalUnits.value, timestamp, decodeTimestamp, importance };
    this.#push({ kind: 'access-unit', unit, frame: frame.number, fate, playoutDelay, completionDelay });
  }

  #everythingDecided(now: Instant): boolean {
    const buffer = this.#buffer;
    if (!buffer) return now >= this.#end!.waitUntil;
    return !buffer.earliest() && !(buffer.next < this.#end!.frames);
  }

  #closeAccounts(): void {
    const buffer = this.#marked;
    if (this.#end && buffer && buffer.next < this.#end.frames) {
      this.#ledger.decideMissing(this.#end.frames - buffer.next);
      buffer.skipTo(this.#end.frames);
    }
    if (this.#end?.lastSequence !== undefined) this.#ledger.decidePacketsThrough(this.#end.lastSequence);
    if (this.#ended) return;
    this.#ended = true;
    this.#push({ kind: 'ended' });
  }

  /** By when a packet must be here: the deadline of its frame, or of the first frame after it. */
  #deadlineOf(sequence: Sequence): Instant | undefined {
    const buffer = this.#buffer;
    if (!buffer) return undefined;
    for (const frame of buffer.frames()) {
      if (sequence <= frame.lastSequence) return this.#deadline(frame);
    }
    return undefined;
  }

  #silentFrame(): PendingFrame | undefined {
    const head = this.#buffer?.head();
    if (!head || head.complete || this.#lastSilenceCheck?.frame === head.number) return undefined;
    return head;
  }

  #silenceDueAt(): Instant | undefined {
    const frame = this.#silentFrame();
    return frame && frame.lastArrivalAt + SILENCE;
  }

  /** Nothing of the next frame came for a while: what its mark promised and no gap has shown is missing as well. */
  #checkSilence(now: Instant): void {
    const frame = this.#silentFrame();
    if (!frame || now < frame.lastArrivalAt + SILENCE) return;
    this.#lastSilenceCheck = { frame: frame.number, at: now };
    for (const sequence of frame.missing()) this.#nack.onMissing(now, sequence);
  }

  #foreign(): void {
    this.#counters.foreign++;
  }

  #malformed(cause: string): void {
    this.#counters.malformed++;
    this.#push({ kind: 'malformed', cause });
  }

  #push(event: ReceiverEvent): void {
    if (this.#events.length < EVENTS_MAX || event.kind !== 'malformed') this.#events.push(event);
  }
}

/** The first timestamp is taken to lie from a minute before media time 0 to 13 hours after it. */
const FIRST_TIMESTAMP_NEAR: Ticks = 2 ** 31 - 60 * CLOCK_RATE;
/** Media time that runs ahead by this while sequence numbers fall behind: these wrapped in an outage. */
const OUTAGE_MIN: Ticks = CLOCK_RATE / 2;
/** A packet this far behind is no straggler (RFC 3550 §A.1 has 100; a fast stream's reordering is longer). */
const SEQUENCE_JUMP_MAX = 30_000;

function percentiles(histogram: Histogram): ReceiverStatistics['playoutDelay'] {
  const p50 = histogram.percentile(0.5);
  const p95 = histogram.percentile(0.95);
  const p99 = histogram.percentile(0.99);
  if (p50 === undefined || p95 === undefined || p99 === undefined) return { max: 0 };
  return { p50, p95, p99, max: histogram.max };
}
