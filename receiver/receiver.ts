import { readUint32 } from '../protocol/base/big-endian.ts';
import type { Instant, Microseconds, Ticks } from '../protocol/base/units.ts';
import { instant, later, milliseconds, ticks } from '../protocol/base/units.ts';
import type { Endpoint } from '../protocol/endpoint.ts';
import { parseRecoveryNotice } from '../protocol/rtcp/recovery-notice.ts';
import { type ApplicationPacket, parseRtcp } from '../protocol/rtcp/rtcp.ts';
import type { FrameMark } from '../protocol/rtp/frame-mark.ts';
import { classifyDatagram } from '../protocol/rtp/multiplex.ts';
import { unwrapRetransmission } from '../protocol/rtp/retransmission.ts';
import { packetAt, RtpLayout, type RtpPacket } from '../protocol/rtp/rtp-packet.ts';
import { asSequence, extend, type Sequence, type WireSequence } from '../protocol/rtp/sequence.ts';
import { Feedback } from './feedback/feedback.ts';
import type { FrameBuffer, Insertion, PacketArrival } from './frames/frame-buffer.ts';
import { FrameRelease } from './frames/frame-release.ts';
import { MarkedFrameBuffer } from './frames/marked-frame-buffer.ts';
import { PlainFrameBuffer } from './frames/plain-frame-buffer.ts';
import { CLOCK_WINDOW, PlayoutClock, transitOf } from './frames/playout-clock.ts';
import { type IncomingPacket, readIncomingPacket, restoredPacket } from './intake/incoming-packet.ts';
import { PacketAdmission } from './intake/packet-admission.ts';
import type { RepairIntake } from './intake/repair-intake.ts';
import { Ledger } from './ledger.ts';
import { EventQueue, type ReceiverEvent } from './receiver-event.ts';
import { mendOf, PLAIN_PACKETS_MAX, type ReceiverOptions } from './receiver-options.ts';
import type { ReceiverStatistics } from './receiver-statistics.ts';
import { ReceiverView } from './receiver-view.ts';
import { createRecovery, createRepairIntake } from './recovery/create-recovery.ts';
import { type LossRecovery, MISSING_MAX } from './recovery/loss-recovery.ts';

export type { ReceiverEvent } from './receiver-event.ts';

/** How long the first packets may still be on their way when the end is told before any of them came. */
const IN_FLIGHT_DEFAULT = milliseconds(1_000);

/** One stream from one sender: datagrams in, access units or named drops out, reports and requests back. */
export class Receiver implements Endpoint<ReceiverEvent> {
  readonly #options: ReceiverOptions;
  readonly #clock: PlayoutClock;
  readonly #ledger = new Ledger();
  /** `undefined`: nobody asks. */
  readonly #recovery: LossRecovery | undefined;
  readonly #repair: RepairIntake | undefined;
  readonly #view: ReceiverView;
  readonly #feedback: Feedback;
  readonly #events = new EventQueue();
  readonly #frames: FrameRelease;
  #marked: MarkedFrameBuffer | undefined;
  #plain: PlainFrameBuffer | undefined;
  #ssrc: number | undefined;
  readonly #admission: PacketAdmission;
  /** Of the datagram in hand. */
  readonly #layout = new RtpLayout();
  #reorderDepth = 0;
  #forgotten: Sequence = asSequence(Number.NEGATIVE_INFINITY);
  #counters = {
    datagrams: 0,
    bytes: 0,
    rtpHeaderBytes: 0,
    duplicates: 0,
    foreign: 0,
    malformed: 0,
    overflowed: 0,
    framesWithheld: 0,
  };

  constructor(options: ReceiverOptions) {
    this.#options = options;
    const { latency, overdue } = options;
    this.#clock = new PlayoutClock({
      latency,
      mend: mendOf(options),
      window: CLOCK_WINDOW,
      followsStalls: overdue === 'drop',
    });
    this.#frames = new FrameRelease(options, { clock: this.#clock, ledger: this.#ledger, events: this.#events });
    this.#recovery = createRecovery(options);
    this.#repair = createRepairIntake(options);
    this.#feedback = new Feedback(options);
    this.#view = new ReceiverView({
      feedback: this.#feedback,
      frames: this.#frames,
      state: () => ({ ssrc: this.#ssrc, buffer: this.#buffer, marked: this.#marked }),
    });
    this.#ssrc = options.ssrc;
    this.#admission = new PacketAdmission(options);
    if (options.initialSequence !== undefined) this.#ledger.startAt(asSequence(options.initialSequence));
    if (options.initialFrameNumber !== undefined) {
      this.#marked = new MarkedFrameBuffer({ firstFrame: options.initialFrameNumber, framesMax: options.framesMax });
    }
  }

  /** Nothing more will come: the sender said so and all is decided. */
  get ended(): boolean {
    return this.#frames.ended;
  }

  get statistics(): ReceiverStatistics {
    const { frames, packets } = this.#ledger;
    const released = this.#frames.statistics;
    return {
      frames: { ...frames, decided: this.#ledger.decidedFrames },
      packets: { ...packets, decided: this.#ledger.decidedPackets },
      ...released,
      ...this.#counters,
      malformed: this.#counters.malformed + released.malformed,
      requests: this.#recovery?.requests ?? 0,
      keyframeRequests: this.#feedback.keyframeRequests,
      roundTrip: this.#feedback.roundTrip,
      jitter: this.#feedback.jitter,
    };
  }

  /** For how long the next frame has been overdue where nothing is dropped; 0 elsewhere. */
  stalledFor(now: Instant): Microseconds {
    return this.#frames.stalledFor(now);
  }

  /** Throws if a packet or a frame is not in exactly one class. */
  assertBalanced(): void {
    this.#ledger.assertBalanced();
  }

  handleDatagram(now: Instant, datagram: Uint8Array): void {
    this.#counters.datagrams++;
    this.#counters.bytes += datagram.length;
    if (!this.#frames.isQuiet(now)) this.#release(now);
    switch (classifyDatagram(datagram)) {
      case 'rtp': {
        const cause = this.#layout.read(datagram);
        if (cause !== undefined) return this.#malformed(cause);
        this.#handleRtp(now, datagram);
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
    if (!this.#frames.isQuiet(now)) this.#release(now);
    const recovery = this.#recovery;
    for (let packets = recovery?.poll(now, this.#view); packets; packets = recovery?.poll(now, this.#view)) {
      this.#feedback.send(now, packets);
    }
    this.#feedback.handleTimeout(now, this.#ssrc);
  }

  pollTransmit(_now: Instant): Uint8Array | undefined {
    return this.#feedback.pollTransmit();
  }

  pollEvent(): ReceiverEvent | undefined {
    return this.#events.poll();
  }

  pollTimeout(): Instant | undefined {
    const never = Number.POSITIVE_INFINITY;
    const reportAt = this.#feedback.pollTimeout() ?? never;
    const decideAt = this.#frames.pollTimeout(this.#buffer) ?? never;
    const askAt = this.#recovery?.pollTimeout(this.#view) ?? never;
    const at = Math.min(reportAt, decideAt, askAt);
    return at === never ? undefined : instant(at);
  }

  /** Asks the sender for a key frame (PLI), at most twice a second. */
  requestKeyframe(now: Instant): void {
    if (this.#ssrc !== undefined) this.#feedback.requestKeyframe(now, this.#ssrc);
  }

  /**
   * The sender has said how much it sent in all; what is not here by its deadline never will be.
   * @param lastSequence the last packet's number as it stands on the wire; `undefined`: none was sent.
   */
  endOfStream(now: Instant, total: { readonly frames: number; readonly lastSequence: WireSequence | undefined }): void {
    const { initialFrameNumber: first = 0 } = this.#options;
    const highest = this.#admission.highest;
    const lastSequence =
      total.lastSequence === undefined || highest === undefined ? undefined : extend(total.lastSequence, highest);
    const inFlight = this.#feedback.roundTrip ?? IN_FLIGHT_DEFAULT;
    const waitUntil = instant(now + this.#clock.latency + inFlight);
    this.#frames.endOfStream({ frames: first + total.frames, lastSequence, waitUntil });
    // What the control channel has overtaken is still on its way and needs no asking for.
    if (lastSequence !== undefined) this.#askFor(later(now, inFlight), highest!, asSequence(lastSequence + 1));
    this.#release(now);
  }

  /** The connection is gone: decides what is left as if every deadline had passed. */
  finish(now: Instant): void {
    this.#frames.finish(now, this.#buffer);
    this.#forgetDecided();
  }

  get #buffer(): FrameBuffer | undefined {
    return this.#marked ?? this.#plain;
  }

  #handleRtp(now: Instant, datagram: Uint8Array): void {
    const { retransmissionSsrc, repairSsrc, payloadType } = this.#options;
    const ssrc = readUint32(datagram, 8);
    if (retransmissionSsrc !== undefined && ssrc === retransmissionSsrc) {
      return this.#handleRetransmission(now, packetAt(datagram, this.#layout));
    }
    if (repairSsrc !== undefined && ssrc === repairSsrc) {
      return this.#handleRepair(now, packetAt(datagram, this.#layout));
    }
    if (payloadType !== undefined && (datagram[1]! & 0x7f) !== payloadType) return this.#foreign();
    this.#ssrc ??= ssrc;
    if (ssrc !== this.#ssrc) return this.#foreign();
    this.#counters.rtpHeaderBytes += datagram.length - (this.#layout.payloadEnd - this.#layout.payloadAt);
    this.#admit(now, readIncomingPacket(datagram, this.#layout, this.#options.frameMarks));
  }

  #handleRetransmission(now: Instant, packet: RtpPacket): void {
    const { retransmissionPayloadType = -1, payloadType } = this.#options;
    if (packet.payloadType !== retransmissionPayloadType) return this.#foreign();
    const original = unwrapRetransmission(packet, { ssrc: this.#ssrc!, payloadType: payloadType ?? 0 });
    if (!original.ok) return this.#malformed(original.malformed);
    this.#admitAgain(now, original.value, 'sent-again');
  }

  #handleRepair(now: Instant, { payloadType, payload }: RtpPacket): void {
    const { highest } = this.#admission;
    if (!this.#repair || payloadType !== this.#options.repairPayloadType || highest === undefined)
      return this.#foreign();
    const repaired = this.#repair.handleRepair(payload, highest);
    if (!repaired.ok) return this.#malformed(repaired.malformed);
    const { packets, through } = repaired.value;
    for (const packet of packets) this.#admitAgain(now, packet, 'repaired');
    this.#askFor(now, this.#admission.highest!, asSequence(through + 1));
  }

  #admitAgain(now: Instant, packet: RtpPacket, origin: 'sent-again' | 'repaired'): void {
    this.#admit(now, restoredPacket(packet, origin, this.#options.frameMarks));
  }

  /** @param packet or why there is none. */
  #admit(now: Instant, packet: IncomingPacket | string): void {
    if (typeof packet === 'string') return this.#malformed(packet);
    const verdict = this.#admission.admit(now, packet, this.#marked ? 'marked' : this.#plain && 'plain');
    if (verdict === 'admitted') return this.#take(now, packet);
    if (verdict === 'held') return;
    if (verdict === 'foreign') return this.#foreign();
    for (const held of verdict) this.#take(now, held);
  }

  /** @param packet admitted: its place is known. */
  #take(now: Instant, packet: IncomingPacket): void {
    const { sequence, timestamp, ahead, mark, origin, datagram } = packet;
    const sent = origin === 'sent';
    if (!ahead && sent && this.#options.recovery === 'none') return this.#refuseBehind(packet);
    packet.arrival = this.#arrivalOf(packet);
    const mediaTime = ticks(timestamp - (mark?.decodeLead ?? 0));
    if (packet.payloadAt === packet.payloadEnd) this.#handleEmpty(sequence, packet.arrival);
    else {
      const insertion = mark ? this.#insertMarked(now, mark, packet) : this.#insertPlain(now, packet);
      if (!this.#settle(insertion, sequence, mark)) return;
      if (insertion === 'taken' && ahead && sent) this.#observe(now, mediaTime);
    }
    if (this.#recovery) {
      packet.expectedAt = this.#clock.expected(mediaTime);
      packet.transit = transitOf(now, mediaTime);
      this.#recovery.onPacket(now, packet);
    }
    if (sent) this.#feedback.onPacket(now, sequence, timestamp);
    const { highest } = this.#admission;
    if (ahead && highest !== undefined) this.#askFor(now, highest, sequence);
    this.#admission.accept(now, packet);
    if (this.#repair && datagram) this.#mend(now, sequence, datagram);
  }

  /** What this packet was the last to be missing for. */
  #mend(now: Instant, sequence: Sequence, datagram: Uint8Array): void {
    const repaired = this.#repair!.handleMedia(sequence, datagram);
    for (const packet of repaired) this.#admitAgain(now, packet, 'repaired');
  }

  #arrivalOf({ origin, sequence, ahead }: IncomingPacket): PacketArrival {
    if (origin === 'repaired') return 'repaired';
    if (origin === 'sent-again') return { recoveredInRound: this.#recovery?.roundsOf(sequence) ?? 0 };
    return ahead ? 'on-time' : 'reordered';
  }

  /** Counts what became of a packet. @returns whether it is one of the stream's, be it in time or late. */
  #settle(insertion: Insertion, sequence: Sequence, mark: FrameMark | undefined): boolean {
    switch (insertion) {
      case 'taken':
        return true;
      case 'behind':
        // A stranger's frame may have been decided without its end, which is here now.
        if (!mark) this.#ledger.decidePacketsThrough(sequence);
        this.#enterBehind(sequence);
        return true;
      case 'duplicate':
        this.#counters.duplicates++;
        return false;
      case 'inconsistent':
        this.#malformed('a frame mark that contradicts its frame');
        return false;
      case 'overflow':
        this.#counters.overflowed++;
        return false;
    }
  }

  /** Without recovery, what comes after a later packet is not used. */
  #refuseBehind({ sequence, mark, number }: IncomingPacket): void {
    if (mark && this.#marked?.holds(number!, mark.packetIndex)) this.#counters.duplicates++;
    else this.#enterBehind(sequence);
  }

  /** Padding and no more (RFC 3550 §5.1): nothing of a frame, but its number is taken. */
  #handleEmpty(sequence: Sequence, arrival: PacketArrival): void {
    if (!this.#ledger.noteLoose(sequence, arrival)) return this.#enterBehind(sequence);
    this.#plain?.insertEmpty(sequence);
  }

  /** What lies between two sequence numbers is not here: it is asked for unless its frames are decided. */
  #askFor(now: Instant, after: Sequence, before: Sequence): void {
    if (!this.#recovery || before === after + 1) return;
    const first = Math.max(after + 1, before - MISSING_MAX, (this.#ledger.decidedThrough ?? after) + 1);
    for (let lost = asSequence(first); lost < before; lost++) this.#recovery.onMissing(now, lost);
  }

  #observe(now: Instant, decodeTimestamp: Ticks): void {
    const plain = this.#plain;
    if (plain && plain.reorderDepth !== this.#reorderDepth) {
      this.#reorderDepth = plain.reorderDepth;
      this.#clock.restart();
    }
    this.#clock.observe(now, plain?.newestDecodeTimestamp ?? decodeTimestamp);
  }

  #insertMarked(now: Instant, mark: FrameMark, packet: IncomingPacket): Insertion {
    const number = packet.number!;
    this.#marked ??= new MarkedFrameBuffer({ firstFrame: number, framesMax: this.#options.framesMax });
    const insertion = this.#marked.insert(now, number, mark, packet);
    if (insertion === 'taken') this.#admission.acceptFrame(number);
    return insertion;
  }

  #insertPlain(now: Instant, packet: IncomingPacket): Insertion {
    const { codec, framesMax } = this.#options;
    this.#plain ??= new PlainFrameBuffer({ codec, framesMax, packetsMax: PLAIN_PACKETS_MAX });
    return this.#plain.insert(now, packet);
  }

  /** A packet of a decided frame. */
  #enterBehind(sequence: Sequence): void {
    if (!this.#ledger.enterLate(sequence) && !this.#ledger.noteLoose(sequence, 'late')) this.#counters.duplicates++;
  }

  #handleRtcp(now: Instant, datagram: Uint8Array): void {
    const packets = parseRtcp(datagram);
    if (!packets.ok) return this.#malformed(packets.malformed);
    for (const packet of packets.value) {
      if (packet.kind === 'goodbye' && this.#ssrc !== undefined && packet.ssrcs.includes(this.#ssrc)) {
        // Our own senders say on the control channel how much there was; a stranger's BYE is all there is.
        if (!this.#plain || this.#frames.endKnown) continue;
        this.#frames.endOfStream({ frames: Number.NaN, waitUntil: later(now, this.#clock.latency) });
      } else if (packet.kind === 'application') this.#handleNotice(packet);
      else this.#feedback.handleRtcp(now, packet, this.#ssrc);
    }
  }

  #handleNotice(packet: ApplicationPacket): void {
    const notice = parseRecoveryNotice(packet);
    if (!notice.ok) return this.#malformed(notice.malformed);
    if (packet.ssrc === this.#ssrc && notice.value?.kind === 'withheld') {
      this.#counters.framesWithheld = notice.value.frames;
    }
  }

  #release(now: Instant): void {
    this.#frames.release(now, this.#buffer, this.#admission.highest);
    if (this.#frames.takeKeyframeWish()) this.requestKeyframe(now);
    this.#forgetDecided();
  }

  /** What has been decided is not asked for any more. */
  #forgetDecided(): void {
    const { decidedSequence } = this.#frames;
    if (decidedSequence === this.#forgotten) return;
    this.#forgotten = decidedSequence;
    this.#recovery?.forgetThrough(decidedSequence);
  }

  #foreign(): void {
    this.#counters.foreign++;
  }

  #malformed(cause: string): void {
    this.#counters.malformed++;
    this.#events.push({ kind: 'malformed', cause });
  }
}
