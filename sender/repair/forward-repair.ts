import type { Importance } from '../../protocol/access-unit.ts';
import {
  type Instant,
  instant,
  type Microseconds,
  microseconds,
  milliseconds,
  NEVER,
} from '../../protocol/base/units.ts';
import { RepairEncoder } from '../../protocol/repair/repair-encoder.ts';
import { REPAIR_HEADER_BYTES } from '../../protocol/repair/repair-payload.ts';
import { LENGTH_BYTES } from '../../protocol/repair/source-symbols.ts';
import { type PathNotice, recoveryNoticePacket } from '../../protocol/rtcp/recovery-notice.ts';
import { serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import type { PacketSource } from '../../protocol/rtp/packet-source.ts';
import { RTP_HEADER_BYTES, serializeRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import {
  asSequence,
  type Sequence,
  type WireSequence,
  type WireTimestamp,
  wireSequence,
} from '../../protocol/rtp/sequence.ts';
import type { SenderStatistics } from '../sender-statistics.ts';
import { AssumedPath } from './assumed-path.ts';
import { FrameDeparture } from './frame-departure.ts';
import { PathRepair, type PathRepairOptions } from './path-repair.ts';
import { ADVANCE_BYTES } from './redundancy-budget.ts';
import { noticesOfEnd, repairsOfGroup, repairsOfWindow } from './repair-budget.ts';
import { groupEndingWith } from './repair-groups.ts';
import type { TokenBucket } from './token-bucket.ts';

export interface ForwardRepairOptions {
  /** SSRC of the repair stream. */
  readonly ssrc: number;
  readonly mediaSsrc: number;
  readonly payloadType: number;
  readonly datagramBytesMax: number;
  /** Play-out delay of the receiver, as agreed. */
  readonly latency: Microseconds;
  /** `hybrid`: only when no round trip fits, in proportion to the loss; `fec`: a fixed ratio per frame, in groups. */
  readonly strategy: 'hybrid' | 'fec';
  /** Repair packets per media packet, for `fec`. */
  readonly ratio: number;
  /**
   * True for `fec` to make groups of several frames: those of sound are one packet each, and a repair packet for each
   * would double its bytes. Default false.
   */
  readonly groupsFrames?: boolean;
  /** For `hybrid`: protection against the failure of one of two paths, beside the budget; none by default. */
  readonly pathRepair?: PathRepairOptions | undefined;
}

/** A frame whose packets are being sent. */
export interface SentFrame {
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  /** Earliest departure of its first packet; its deadline is counted from here. */
  readonly at: Instant;
  /** Wire timestamp. */
  readonly timestamp: WireTimestamp;
  readonly importance: Importance;
  /** Worth of the frame, and of a reference frame at its position, packets. */
  readonly worth: number;
  readonly referenceWorth: number;
  /** Makes its packets again; `undefined` when they are retained. */
  readonly own?: PacketSource | undefined;
}

/** Packets covered by a repair packet. */
type Window = Pick<SentFrame, 'firstSequence' | 'lastSequence' | 'timestamp'>;

/** Bytes by which a repair packet exceeds the longest packet that it covers. */
export const REPAIR_OVERHEAD_BYTES = RTP_HEADER_BYTES + REPAIR_HEADER_BYTES + LENGTH_BYTES;

/** Widest window: 300 ms of 50 Mb/s. Wider ones cost time and recover little more. */
const WINDOW_PACKETS_MAX = 512;
/** Maximum number of frames in a window. */
const FRAMES_MAX = 64;
/** A repair packet closer to a frame's deadline than this is not counted on. */
const DEADLINE_MARGIN: Microseconds = milliseconds(3);
/**
 * On a path of which no loss is known, smaller frames and a key frame alone are not protected: they are those of a stream
 * that may fill the path, where a repair packet delays what follows. A key frame is protected with the frame after it.
 */
const ASSUMED_FROM_PACKETS = 8;
/** Budget reserved for retransmissions, of which each is needed: a dozen packets, once that is earned. */
const ANSWERS_BYTES = 16_000;
const ANSWERS_OF_EARNED = 0.5;
/** Budget beyond that below which repair packets beside answers cost more. */
const SCARCE_BYTES = 32_000;
const SCARCE_OF_EARNED = 0.25;
/** Shortest time in which a receiver detects a loss and we answer it. */
const DETECTION: Microseconds = milliseconds(2);
/**
 * Shortest time in which a receiver detects the loss of a frame's end, when the frame is sent in groups or is of an
 * unusual size: the receiver waits this long, or slightly longer than the interval between groups.
 */
const END_DETECTION: Microseconds = milliseconds(25);
const END_DETECTION_OF_PAUSE = 1.25;

/** Sends repair packets over recent packets, as many as are worth their bytes, when there is no time for a request. */
export class ForwardRepair {
  readonly #options: ForwardRepairOptions;
  readonly #budget: TokenBucket;
  readonly #statistics: SenderStatistics;
  readonly #encoder: RepairEncoder;
  readonly #departure = new FrameDeparture();
  #notices: Uint8Array[] = [];
  #frames: SentFrame[] = [];
  readonly #assumed: AssumedPath;
  readonly #pathRepair: PathRepair | undefined;
  /** Last notice, and what is assumed from it. */
  #noted: PathNotice | undefined;
  #path: PathNotice | undefined;
  #sequence: WireSequence = wireSequence(0);
  #key = 0;
  /** Cached result for the last window, which is usually the next one's as well. */
  #planned:
    | { readonly path: PathNotice; readonly packets: number; readonly worth: number; readonly repairs: number }
    | undefined;
  /** Repair packets due, as a fraction. */
  #due = 0;
  /** First packet of the frames that were left to the repair packets of a later one. */
  #unprotectedFrom: Sequence | undefined;
  /** First packet of the current group of frames. */
  #groupFrom: Sequence | undefined;

  constructor(
    options: ForwardRepairOptions,
    parts: { readonly budget: TokenBucket; readonly statistics: SenderStatistics },
  ) {
    this.#options = options;
    this.#budget = parts.budget;
    this.#statistics = parts.statistics;
    const packetBytesMax = options.datagramBytesMax - REPAIR_OVERHEAD_BYTES;
    this.#assumed = new AssumedPath(options.latency);
    this.#pathRepair = options.pathRepair && new PathRepair(options.pathRepair);
    this.#encoder = new RepairEncoder({ windowPackets: WINDOW_PACKETS_MAX, packetBytesMax });
  }

  get path(): PathNotice | undefined {
    return this.#noted;
  }

  onPath(path: PathNotice): void {
    this.#noted = path;
  }

  /** Adds a media packet of the frame as it leaves. @returns the datagrams to send after it. */
  add(
    now: Instant,
    { sequence, datagram, frame }: { sequence: Sequence; datagram: Uint8Array; frame: SentFrame },
  ): Uint8Array[] {
    this.#encoder.add(sequence, datagram, frame.own);
    if (this.#options.strategy === 'fec' && this.#options.groupsFrames) return this.#extendGroup(sequence, frame);
    if (this.#options.strategy === 'fec') {
      const group = groupEndingWith(sequence, frame, this.#options.ratio);
      return group ? this.repairs({ ...group, timestamp: frame.timestamp }, group.repairs) : [];
    }
    this.#path = this.#assumed.at(now, this.#noted);
    if (sequence === frame.firstSequence) this.#departure.begin(now);
    const spacing = this.#path?.spacing ?? 0;
    this.#departure.onPacket(now, sequence, {
      askableUntil: this.#askableUntil(frame),
      spacing: microseconds(spacing),
    });
    this.#pathRepair?.onPacket(now, sequence, frame, this.#noted);
    if (sequence !== frame.lastSequence) return [];
    const repairs = this.#onFrame(now, frame);
    const more = (this.#pathRepair?.repairsAfter(frame) ?? 0) - repairs.length;
    return more > 0 ? [...repairs, ...this.#repairsOf(frame, more)] : repairs;
  }

  /** Returns the notices (RTCP) to send after the last packet added. */
  takeNotices(): Uint8Array[] {
    const notices = this.#notices;
    if (notices.length > 0) this.#notices = [];
    return notices;
  }

  /** Adds a packet to the group of frames, whose repair packets follow when the ratio makes a whole one due. */
  #extendGroup(sequence: Sequence, frame: SentFrame): Uint8Array[] {
    this.#groupFrom ??= sequence;
    this.#due += this.#options.ratio;
    if (sequence !== frame.lastSequence || this.#due < 1) return [];
    const count = Math.floor(this.#due);
    this.#due -= count;
    const group = { firstSequence: this.#groupFrom, lastSequence: sequence, timestamp: frame.timestamp };
    this.#groupFrom = undefined;
    return this.repairs(group, count);
  }

  /** Called after the last packet of a frame. @returns the datagrams to send after it. */
  #onFrame(now: Instant, frame: SentFrame): Uint8Array[] {
    this.#frames.push(frame);
    if (this.#frames.length > FRAMES_MAX) this.#frames.shift();
    const isAssumed = this.#path !== this.#noted;
    const isSmall = frame.lastSequence - frame.firstSequence + 1 < ASSUMED_FROM_PACKETS;
    if (isAssumed && (isSmall || frame.importance === 'key')) {
      if (!this.#noted?.answerTime || this.#noted.loss === 0) {
        this.#unprotectedFrom ??= frame.firstSequence;
        return [];
      }
      // Measured: as after the first second.
      this.#path = this.#noted;
    }
    // Frames so far back are due, or have been requested.
    if (frame.firstSequence - (this.#unprotectedFrom ?? frame.firstSequence) > WINDOW_PACKETS_MAX) {
      this.#unprotectedFrom = undefined;
    }
    // The path may be assumed no longer since the frame began.
    if (this.#path && this.#departure.hurriedFrom === frame.firstSequence) return this.#slide(now, frame, 1);
    if (!this.#path || !Number.isFinite(this.#askableUntil(frame))) {
      this.#due = 0;
      return [];
    }
    this.#announceEnd(frame, this.#path);
    const behind = this.repairs(frame, this.#repairsBehind(frame, this.#path));
    return this.#path.answersLate ? [...behind, ...this.#slide(now, frame, this.#path.answersLate)] : behind;
  }

  /** Makes `count` repair packets over a window, or as many as the budget allows. */
  repairs(window: Window, count: number): Uint8Array[] {
    const reserve = this.#options.datagramBytesMax + this.#reserve;
    return this.#repairsOf(window, count, reserve);
  }

  /** @param reserve of the budget, which pays for the packets; `undefined` when it does not. */
  #repairsOf(window: Window, count: number, reserve?: number): Uint8Array[] {
    const { lastSequence, timestamp } = window;
    const firstSequence = asSequence(
      Math.max(window.firstSequence, this.#encoder.oldestSequence ?? Number.POSITIVE_INFINITY),
    );
    const datagrams: Uint8Array[] = [];
    if (firstSequence > lastSequence) return datagrams;
    for (let index = 0; index < count && (reserve === undefined || this.#budget.bytes >= reserve); index++) {
      const repairKey = this.#key;
      this.#key = (repairKey + 1) & 0xffff;
      const payload = this.#encoder.repair({ firstSequence, lastSequence, repairKey });
      if (reserve !== undefined) this.#budget.spend(RTP_HEADER_BYTES + payload.length);
      const { ssrc, payloadType } = this.#options;
      const sequenceNumber = this.#sequence;
      this.#sequence = wireSequence(sequenceNumber + 1);
      const packet = { marker: false, payloadType, sequenceNumber, timestamp, ssrc, csrcs: [], payload };
      const datagram = serializeRtpPacket(packet);
      this.#statistics.repairs++;
      this.#statistics.repairBytes += datagram.length;
      datagrams.push(datagram);
    }
    return datagrams;
  }

  /**
   * Share of its worth at which a repair packet beside answers is bought: it falls with the budget, so that insurance
   * is spread evenly over the frames when the budget cannot pay for all of it.
   */
  get thrift(): number {
    const scarce = Math.min(SCARCE_BYTES, this.#budget.earned * SCARCE_OF_EARNED);
    return Math.min(1, Math.max(0, this.#budget.bytes - this.#reserve) / Math.max(1, scarce));
  }

  /** Budget kept for retransmissions: a requested packet recovers with certainty, a repair packet only probably. */
  get #reserve(): number {
    if (this.#options.strategy === 'fec') return 0;
    if (!this.#noted?.answerTime && this.#path !== this.#noted) return ADVANCE_BYTES;
    if (!this.#noted) return 0;
    const { showsDamaged, answerTime, latency } = this.#noted;
    // Nothing is answered in time, nor afterwards.
    if (showsDamaged && (answerTime === 0 || answerTime >= latency)) return 0;
    return Math.min(ANSWERS_BYTES, this.#budget.earned * ANSWERS_OF_EARNED);
  }

  /**
   * End of the part of a frame that leaves early enough to be requested; ∞ for all of it, also when the loss is 0 or
   * unknown.
   */
  #askableUntil({ at }: SentFrame): Instant {
    const path = this.#path;
    if (!path || path.loss === 0 || path.answerTime === 0) return NEVER;
    return instant(at + path.latency - path.answerTime - DETECTION);
  }

  /**
   * The frame's share of the repair packets over all frames before their deadline.
   * @param late share of the frames whose requests are answered too late; the losses of the others need no repair packets.
   */
  #slide(now: Instant, frame: SentFrame, late: number): Uint8Array[] {
    const usefulFrom = now - this.#path!.latency + DEADLINE_MARGIN;
    this.#frames = this.#frames.filter(({ at }) => at > usefulFrom);
    const first = this.#frames[0];
    if (!first) return [];
    const { lastSequence, timestamp } = frame;
    const packets = Math.min(lastSequence - first.firstSequence + 1, WINDOW_PACKETS_MAX);
    const own = lastSequence - Math.max(first.firstSequence, this.#unprotectedFrom ?? frame.firstSequence) + 1;
    this.#unprotectedFrom = undefined;
    const inWindow = Math.min(own, packets);
    const unanswered = Math.ceil(inWindow + (packets - inWindow) * late);
    this.#due += (this.#plan(unanswered, frame.referenceWorth * late) / packets) * own;
    const count = Math.floor(this.#due);
    this.#due -= count;
    return this.repairs({ firstSequence: first.firstSequence, lastSequence, timestamp }, count);
  }

  /**
   * Number of repair packets after a frame that can be requested wholly or except for its last groups. Those groups
   * count, and the end of the group before, whose loss is detected only by them. Repair packets cover the whole frame,
   * because the frame waits for all of its packets, whichever is lost.
   */
  #repairsBehind({ firstSequence, lastSequence, worth }: SentFrame, path: PathNotice): number {
    const { hurriedFrom } = this.#departure;
    if (hurriedFrom === undefined) return 0;
    const from = Math.max(firstSequence, hurriedFrom - Math.ceil(path.burst));
    return repairsOfGroup(lastSequence - from + 1, path, worth);
  }

  /** Shows that the end of a frame was sent, when everything can be requested but its loss would be detected too late. */
  #announceEnd(frame: SentFrame, path: PathNotice): void {
    const { pause, hurriedFrom, passesAt } = this.#departure;
    const { lastSequence, importance, worth } = frame;
    if (hurriedFrom !== undefined || (pause === 0 && importance !== 'key')) return;
    const detection = Math.max(END_DETECTION, pause * END_DETECTION_OF_PAUSE);
    if (passesAt + detection < this.#askableUntil(frame)) return;
    const sequence = wireSequence(lastSequence);
    const notice = serializeRtcp([recoveryNoticePacket(this.#options.mediaSsrc, { kind: 'sent', sequence })]);
    for (let count = noticesOfEnd(path, worth); count > 0; count--) this.#notices.push(notice);
  }

  #plan(packets: number, worth: number): number {
    const path = this.#path!;
    const planned = this.#planned;
    if (planned?.path !== path || planned.packets !== packets || planned.worth !== worth) {
      const repairs = repairsOfWindow({ packets, frames: this.#frames.length, worth }, path);
      this.#planned = { path, packets, worth, repairs };
      return repairs;
    }
    return planned.repairs;
  }
}
