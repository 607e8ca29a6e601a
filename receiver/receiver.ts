import { readUint32 } from '../protocol/base/big-endian.ts';
import { earliestOf, type Instant, instant, later, type Microseconds, ticks } from '../protocol/base/units.ts';
import { CE, type Ecn } from '../protocol/ecn.ts';
import type { Endpoint } from '../protocol/endpoint.ts';
import { parseRecoveryNotice } from '../protocol/rtcp/recovery-notice.ts';
import { type ApplicationPacket, parseRtcp } from '../protocol/rtcp/rtcp.ts';
import { classifyDatagram } from '../protocol/rtp/multiplex.ts';
import { unwrapRetransmission } from '../protocol/rtp/retransmission.ts';
import { packetAt, RtpLayout, type RtpPacket } from '../protocol/rtp/rtp-packet.ts';
import { asSequence, extend, type Sequence, type WireSequence } from '../protocol/rtp/sequence.ts';
import { Feedback } from './feedback/feedback.ts';
import { FrameRelease } from './frames/frame-release.ts';
import { type PlayoutClock, transitOf } from './frames/playout-clock.ts';
import { FrameIntake } from './intake/frame-intake.ts';
import { type IncomingPacket, readIncomingPacket, restoredPacket } from './intake/incoming-packet.ts';
import { MarkCompletion } from './intake/mark-completion.ts';
import { MissingPackets } from './intake/missing-packets.ts';
import { PacketAdmission } from './intake/packet-admission.ts';
import type { RepairIntake } from './intake/repair-intake.ts';
import { RestoredPackets } from './intake/restored-packets.ts';
import { RetransmissionSource } from './intake/retransmission-source.ts';
import { Ledger } from './ledger.ts';
import { EventQueue, type ReceiverEvent } from './receiver-event.ts';
import { playoutClockOf, type ReceiverOptions } from './receiver-options.ts';
import { emptyCounters, type ReceiverStatistics } from './receiver-statistics.ts';
import { ReceiverView } from './receiver-view.ts';
import { createRecovery, createRepairIntake } from './recovery/create-recovery.ts';
import { arrivalOf, type LossRecovery } from './recovery/loss-recovery.ts';
import { SentTotal, type StreamTotal, type UnseenMedia } from './sent-total.ts';

export type { ReceiverEvent } from './receiver-event.ts';

/** Receives one stream from one sender: takes datagrams, returns access units or drops, reports and requests. */
export class Receiver implements Endpoint<ReceiverEvent> {
  readonly #options: ReceiverOptions;
  readonly #clock: PlayoutClock;
  readonly #ledger = new Ledger();
  /** `undefined` when nothing is requested. */
  readonly #recovery: LossRecovery | undefined;
  readonly #repair: RepairIntake | undefined;
  readonly #view: ReceiverView;
  readonly #feedback: Feedback;
  readonly #events = new EventQueue();
  readonly #frames: FrameRelease;
  #ssrc: number | undefined;
  readonly #admission: PacketAdmission;
  /** `undefined` when no packet has a frame mark. */
  readonly #marks: MarkCompletion | undefined;
  readonly #missing: MissingPackets;
  readonly #intake: FrameIntake;
  readonly #sent: SentTotal;
  /** Retransmissions of another program's sender; `undefined` for one of ours, whose SSRC is announced. */
  readonly #again: RetransmissionSource | undefined;
  /** Layout of the current datagram. */
  readonly #layout = new RtpLayout();
  readonly #restored = new RestoredPackets();
  #forgotten: Sequence = asSequence(Number.NEGATIVE_INFINITY);
  readonly #counters = emptyCounters();

  /** @param sibling receiver of another stream from the same sender, whose play-out clock is shared; none by default. */
  constructor(options: ReceiverOptions, sibling?: Receiver) {
    this.#options = options;
    this.#clock = sibling === undefined ? playoutClockOf(options) : sibling.#clock;
    this.#frames = new FrameRelease(options, { clock: this.#clock, ledger: this.#ledger, events: this.#events });
    this.#recovery = createRecovery(options);
    this.#repair = createRepairIntake(options);
    this.#feedback = new Feedback(options);
    this.#view = new ReceiverView({
      feedback: this.#feedback,
      frames: this.#frames,
      state: () => ({ ssrc: this.#ssrc, buffer: this.#intake.buffer, marked: this.#intake.marked, marks: this.#marks }),
    });
    this.#ssrc = options.ssrc;
    this.#admission = new PacketAdmission(options);
    if (options.frameMarks) this.#marks = new MarkCompletion(options, this.#admission);
    const shared = { admission: this.#admission, ledger: this.#ledger };
    this.#missing = new MissingPackets({ ...shared, recovery: this.#recovery, marks: this.#marks });
    this.#intake = new FrameIntake(options, {
      ...shared,
      clock: this.#clock,
      counters: this.#counters,
      events: this.#events,
    });
    const { foreign } = options;
    if (foreign && this.#recovery) this.#again = new RetransmissionSource(foreign.retransmissionPayloadType);
    this.#sent = new SentTotal({ frame: options.initialFrameNumber, sequence: options.initialSequence });
    if (options.initialSequence !== undefined) this.#ledger.startAt(asSequence(options.initialSequence));
  }

  /** True when the sender has ended the stream and all frames are decided. */
  get ended(): boolean {
    return this.#frames.ended;
  }

  /** SSRC of the retransmissions; `undefined` while it is not known. */
  get retransmissionSsrc(): number | undefined {
    return this.#options.retransmissionSsrc ?? this.#again?.ssrc;
  }

  get statistics(): ReceiverStatistics {
    const released = this.#frames.statistics;
    return {
      ...this.#ledger.totals(this.#unseen),
      ...released,
      ...this.#counters,
      malformed: this.#counters.malformed + released.malformed,
      requests: this.#recovery?.requests ?? 0,
      keyFrameRequests: this.#feedback.keyFrameRequests,
      roundTrip: this.#feedback.roundTrip,
      jitter: this.#feedback.jitter,
    };
  }

  /** Lateness of the next frame on a transport that drops nothing; 0 on others. */
  stalledFor(now: Instant): Microseconds {
    return this.#frames.stalledFor(now);
  }

  /** Throws if a packet or a frame is not in exactly one class. */
  assertBalanced(): void {
    this.#ledger.assertBalanced();
  }

  handleDatagram(now: Instant, datagram: Uint8Array, ecn?: Ecn): void {
    this.#counters.datagrams++;
    this.#counters.bytes += datagram.length;
    if (ecn === CE) this.#counters.congestionMarks++;
    if (!this.#frames.isQuiet(now)) this.#release(now);
    switch (classifyDatagram(datagram)) {
      case 'rtp': {
        const cause = this.#layout.read(datagram);
        if (cause !== undefined) return this.#malformed(cause);
        this.#handleRtp(now, datagram, ecn);
        break;
      }
      case 'rtcp':
        this.#handleRtcp(now, datagram);
        break;
      case 'foreign':
        return this.#foreign();
    }
    this.#release(now);
  }

  handleTimeout(now: Instant): void {
    this.#sent.handleTimeout(now);
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
    const decideAt = earliestOf(this.#sent.pollTimeout(), this.#frames.pollTimeout(this.#intake.buffer));
    return earliestOf(decideAt, earliestOf(this.#feedback.pollTimeout(), this.#recovery?.pollTimeout(this.#view)));
  }

  /**
   * Takes a media packet that was recovered outside of this receiver, such as by a code of one's own.
   * @param packet the RTP packet as it was sent; ignored when it is not of this stream.
   */
  handleRecovered(now: Instant, packet: Uint8Array): void {
    const cause = this.#layout.read(packet);
    if (cause !== undefined) return this.#malformed(cause);
    if (this.#ssrc === undefined || readUint32(packet, 8) !== this.#ssrc) return this.#foreign();
    this.#admitAgain(now, packetAt(packet, this.#layout), 'repaired');
    this.#release(now);
  }

  /** Tells the sender that this receiver leaves. */
  leave(now: Instant): void {
    this.#feedback.leave(now);
  }

  /** Requests a key frame from the sender (PLI), at most five times a second. */
  requestKeyFrame(now: Instant): void {
    if (this.#ssrc !== undefined) this.#feedback.requestKeyFrame(now, this.#ssrc);
  }

  /**
   * Takes the sender's running totals; packets missing when due count as lost.
   * @param total each 0 … 2^48, as control messages allow.
   */
  handleSent(now: Instant, total: StreamTotal): void {
    if (this.#options.overdue === 'wait') return;
    this.#sent.announce(total, instant(now + this.#clock.latency + this.#feedback.inFlight), now);
  }

  /**
   * Sets the totals sent; packets missing at their deadline will never arrive.
   * @param total.frames 0 … 2^48. @param total.lastSequence wire sequence number of the last packet; `undefined` when none was
   * sent.
   */
  endOfStream(now: Instant, total: { readonly frames: number; readonly lastSequence: WireSequence | undefined }): void {
    const { initialFrameNumber: first = 0 } = this.#options;
    const highest = this.#admission.highest;
    const lastSequence =
      total.lastSequence === undefined || highest === undefined ? undefined : extend(total.lastSequence, highest);
    const { inFlight } = this.#feedback;
    const waitUntil = instant(now + this.#clock.latency + inFlight);
    this.#frames.endOfStream({ frames: first + total.frames, lastSequence, waitUntil });
    // Packets overtaken by the control channel are in flight and need no request yet.
    if (lastSequence !== undefined) this.#missing.between(later(now, inFlight), highest!, asSequence(lastSequence + 1));
    this.#release(now);
  }

  /** Decides all remaining frames as if every deadline had passed, after the connection has closed. */
  finish(now: Instant): void {
    const { end } = this.#unseen;
    if (end) this.#frames.endOfStream({ ...end, waitUntil: now });
    this.#frames.finish(now, this.#intake.buffer);
    this.#forgetDecided();
  }

  get #unseen(): UnseenMedia {
    return this.#sent.unseen(this.#frames.endKnown ? undefined : this.#intake.marked, this.#admission.highest);
  }

  #handleRtp(now: Instant, datagram: Uint8Array, ecn: Ecn | undefined): void {
    const { retransmissionSsrc, repairSsrc, payloadType } = this.#options;
    const ssrc = readUint32(datagram, 8);
    if (retransmissionSsrc !== undefined && ssrc === retransmissionSsrc) {
      this.#feedback.onArrival(now, datagram, ecn);
      return this.#handleRetransmission(now, packetAt(datagram, this.#layout));
    }
    if (repairSsrc !== undefined && ssrc === repairSsrc) {
      this.#feedback.onArrival(now, datagram, ecn);
      return this.#handleRepair(now, packetAt(datagram, this.#layout));
    }
    if (this.#isAgain(ssrc, datagram)) return this.#admitOriginal(now, packetAt(datagram, this.#layout));
    if (payloadType !== undefined && (datagram[1]! & 0x7f) !== payloadType) return this.#foreign();
    this.#ssrc ??= ssrc;
    if (ssrc !== this.#ssrc) return this.#foreign();
    this.#feedback.onArrival(now, datagram, ecn);
    this.#again?.onMedia(datagram);
    this.#counters.rtpHeaderBytes += datagram.length - (this.#layout.payloadEnd - this.#layout.payloadAt);
    this.#admit(now, readIncomingPacket(datagram, this.#layout, this.#marks?.near));
  }

  #handleRetransmission(now: Instant, packet: RtpPacket): void {
    const { retransmissionPayloadType = -1 } = this.#options;
    if (packet.payloadType !== retransmissionPayloadType) return this.#foreign();
    this.#admitOriginal(now, packet);
  }

  /** True for a retransmission of another program's sender. @param datagram the current one. */
  #isAgain(ssrc: number, datagram: Uint8Array): boolean {
    const { highest } = this.#admission;
    if (!this.#again || this.#ssrc === undefined || ssrc === this.#ssrc || highest === undefined) return false;
    return this.#again.recognizes(datagram, this.#layout.payloadAt, {
      payloadType: this.#options.payloadType,
      isRequested: (sequence) => this.#recovery!.roundsOf(extend(sequence, highest)) > 0,
    });
  }

  #admitOriginal(now: Instant, packet: RtpPacket): void {
    const { payloadType } = this.#options;
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
    this.#missing.between(now, this.#admission.highest!, asSequence(through + 1));
  }

  #admitAgain(now: Instant, packet: RtpPacket, origin: 'sent-again' | 'repaired'): void {
    this.#admit(now, restoredPacket(packet, origin, this.#marks?.near));
  }

  /** @param packet or the reason why it is malformed. */
  #admit(now: Instant, packet: IncomingPacket | string): void {
    if (typeof packet === 'string') return this.#malformed(packet);
    if (packet.mark) for (const held of this.#marks!.learn(packet)) this.#admitMarked(now, held);
    else if (this.#intake.kind === 'marked' && packet.payloadEnd > packet.payloadAt && !this.#marks?.complete(packet)) {
      return this.#hold(now, packet);
    }
    this.#admitMarked(now, packet);
  }

  #admitMarked(now: Instant, packet: IncomingPacket): void {
    const verdict = this.#admission.admit(now, packet, this.#intake.kind);
    if (verdict === 'admitted') return this.#take(now, packet);
    if (verdict === 'held') return;
    if (verdict === 'foreign') return this.#foreign();
    for (const held of verdict) this.#take(now, held);
  }

  /** Holds a packet whose frame is unknown. */
  #hold(now: Instant, packet: IncomingPacket): void {
    const held = this.#marks!.hold(now, packet, this.#ledger.decidedThrough);
    const { sequence, datagram } = packet;
    if (held === 'decided') this.#intake.refuseBehind(packet);
    else if (held === 'duplicate') this.#counters.duplicates++;
    else if (held === 'overflow') this.#counters.overflowed++;
    if (held !== 'in-reach') return;
    if (packet.origin === 'sent') this.#recovery?.onHeld?.(now, sequence);
    this.#missing.between(now, this.#admission.highest!, sequence);
    // Its frame's first packet may be recovered with it.
    if (this.#repair && datagram) this.#mend(now, sequence, datagram);
  }

  /** @param packet an admitted packet, whose position is known. */
  #take(now: Instant, packet: IncomingPacket): void {
    const { sequence, timestamp, ahead, mark, origin, datagram } = packet;
    const sent = origin === 'sent';
    if (!ahead && sent && this.#options.recovery === 'none') return this.#intake.refuseBehind(packet);
    packet.arrival = arrivalOf(packet, this.#recovery);
    const mediaTime = ticks(timestamp - (mark?.decodeLead ?? 0));
    packet.transit = transitOf(packet.heldAt ?? now, mediaTime);
    if (!this.#intake.take(now, packet, mediaTime)) return this.#takeOriginal(now, packet);
    if (!sent && this.#options.multipath) this.#restored.add(sequence);
    if (this.#recovery) {
      packet.expectedAt = this.#clock.expected(mediaTime);
      this.#recovery.onPacket(now, packet);
    }
    if (sent) this.#feedback.onPacket(packet.heldAt ?? now, sequence, timestamp);
    const { highest } = this.#admission;
    if (ahead && highest !== undefined) this.#missing.between(now, highest, sequence);
    else if (highest === undefined && this.#again) this.#missing.beforeFirst(now, packet, this.#options.codec);
    this.#admission.accept(now, packet);
    if (this.#repair && datagram) this.#mend(now, sequence, datagram);
  }

  /** Takes a packet that was restored before it came by a slower path. */
  #takeOriginal(now: Instant, { sequence, timestamp, origin, transit, heldAt }: IncomingPacket): void {
    if (origin !== 'sent' || !this.#options.multipath || !this.#restored.take(sequence)) return;
    this.#recovery?.onOriginal?.(now, sequence, transit);
    this.#feedback.onPacket(heldAt ?? now, sequence, timestamp);
  }

  /** Takes packets that can be recovered with this one. */
  #mend(now: Instant, sequence: Sequence, datagram: Uint8Array): void {
    const repaired = this.#repair!.handleMedia(sequence, datagram);
    for (const packet of repaired) this.#admitAgain(now, packet, 'repaired');
  }

  #handleRtcp(now: Instant, datagram: Uint8Array): void {
    const packets = parseRtcp(datagram);
    if (!packets.ok) return this.#malformed(packets.malformed);
    for (const packet of packets.value) {
      if (packet.kind === 'goodbye' && this.#ssrc !== undefined && packet.ssrcs.includes(this.#ssrc)) {
        // Our senders report totals on the control channel; for plain RTP, BYE is the only end.
        if (this.#intake.kind !== 'plain' || this.#frames.endKnown) continue;
        this.#frames.endOfStream({ frames: Number.NaN, waitUntil: later(now, this.#clock.latency) });
      } else if (packet.kind === 'application') this.#handleNotice(now, packet);
      else this.#feedback.handleRtcp(now, packet, this.#ssrc);
    }
  }

  #handleNotice(now: Instant, packet: ApplicationPacket): void {
    const notice = parseRecoveryNotice(packet);
    if (!notice.ok) return this.#malformed(notice.malformed);
    if (packet.ssrc !== this.#ssrc) return;
    if (notice.value?.kind === 'withheld') this.#counters.framesWithheld = notice.value.frames;
    else if (notice.value?.kind === 'reports-wanted') this.#feedback.onReportsWanted(now, notice.value.interval);
    else if (notice.value?.kind === 'sent') this.#missing.through(now, notice.value.sequence);
  }

  #release(now: Instant): void {
    this.#frames.release(now, this.#intake.buffer, this.#admission.highest);
    if (this.#frames.takeKeyFrameRequest()) this.requestKeyFrame(now);
    this.#forgetDecided();
  }

  /** Stops requests for decided packets. */
  #forgetDecided(): void {
    const { decidedSequence } = this.#frames;
    if (decidedSequence === this.#forgotten) return;
    this.#forgotten = decidedSequence;
    this.#recovery?.forgetThrough(decidedSequence);
    for (const packet of this.#marks?.takeThrough(decidedSequence) ?? []) this.#intake.refuseBehind(packet);
  }

  #foreign(): void {
    this.#counters.foreign++;
  }

  #malformed(cause: string): void {
    this.#counters.malformed++;
    this.#events.push({ kind: 'malformed', cause });
  }
}
