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
import type { PathNotice } from '../../protocol/rtcp/recovery-notice.ts';
import { RTP_HEADER_BYTES, serializeRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import {
  asSequence,
  type Sequence,
  type WireSequence,
  type WireTimestamp,
  wireSequence,
} from '../../protocol/rtp/sequence.ts';
import type { SenderStatistics } from '../sender-statistics.ts';
import { FrameDeparture } from './frame-departure.ts';
import { repairsOfEnd, repairsOfGroup, repairsOfWindow } from './repair-budget.ts';
import type { TokenBucket } from './token-bucket.ts';

export interface ForwardRepairOptions {
  /** The repair stream's own. */
  readonly ssrc: number;
  readonly payloadType: number;
  readonly datagramBytesMax: number;
  /** `hybrid`: where no round trip fits and as the loss demands; `fec`: so many for each frame, whatever comes. */
  readonly strategy: 'hybrid' | 'fec';
  /** Repair packets for each media packet, of `fec`. */
  readonly ratio: number;
}

/** A frame whose packets are handed out. */
export interface SentFrame {
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  /** When its first packet could leave: its deadline is reckoned from there. */
  readonly at: Instant;
  /** On the wire. */
  readonly timestamp: WireTimestamp;
  readonly importance: Importance;
  /** Worth of the frame, and of one of reference importance in its place, packets. */
  readonly worth: number;
  readonly referenceWorth: number;
}

/** What a repair packet is about. */
type Window = Pick<SentFrame, 'firstSequence' | 'lastSequence' | 'timestamp'>;

/** How much longer a repair packet is than the longest packet it can stand for. */
export const REPAIR_OVERHEAD_BYTES = RTP_HEADER_BYTES + REPAIR_HEADER_BYTES + LENGTH_BYTES;

/** Packets that can still be covered: 300 ms of 50 Mb/s. Wider windows cost time, and mend little more. */
const WINDOW_PACKETS_MAX = 512;
/** Frames that may be in a window. */
const FRAMES_MAX = 64;
/** A repair that comes closer to a frame's deadline than this is not reckoned with. */
const DEADLINE_MARGIN: Microseconds = milliseconds(3);
/** Budget that repair packets leave to answers where a lost frame holds up others: a dozen packets, once it is earned. */
const ANSWERS_BYTES = 16_000;
const ANSWERS_OF_EARNED = 0.5;
/** What it takes a receiver to notice a loss at least, and us to answer. */
const DETECTION: Microseconds = milliseconds(2);
/**
 * How long it takes a receiver at least to miss the end of a frame that comes in groups, or is of a size that it has not
 * seen for a while: it waits for so long, or somewhat longer than from one group to the next.
 */
const END_DETECTION: Microseconds = milliseconds(25);
const END_DETECTION_OF_PAUSE = 1.25;

/** Repair packets over what was sent of late: as many as are worth their bytes where nobody has the time to ask. */
export class ForwardRepair {
  readonly #options: ForwardRepairOptions;
  readonly #budget: TokenBucket;
  readonly #statistics: SenderStatistics;
  readonly #encoder: RepairEncoder;
  readonly #departure = new FrameDeparture();
  #frames: SentFrame[] = [];
  #path: PathNotice | undefined;
  #sequence: WireSequence = wireSequence(0);
  #key = 0;
  /** What the last window came to, which mostly is the next one's. */
  #planned:
    | { readonly path: PathNotice; readonly packets: number; readonly worth: number; readonly repairs: number }
    | undefined;
  /** Repair packets that are due, in parts of one. */
  #due = 0;

  constructor(
    options: ForwardRepairOptions,
    parts: { readonly budget: TokenBucket; readonly statistics: SenderStatistics },
  ) {
    this.#options = options;
    this.#budget = parts.budget;
    this.#statistics = parts.statistics;
    const packetBytesMax = options.datagramBytesMax - REPAIR_OVERHEAD_BYTES;
    this.#encoder = new RepairEncoder({ windowPackets: WINDOW_PACKETS_MAX, packetBytesMax });
  }

  get path(): PathNotice | undefined {
    return this.#path;
  }

  onPath(path: PathNotice): void {
    this.#path = path;
  }

  /** A media packet of the frame leaves. */
  add(
    now: Instant,
    { sequence, datagram, frame }: { sequence: Sequence; datagram: Uint8Array; frame: SentFrame },
  ): void {
    this.#encoder.add(sequence, datagram);
    if (sequence === frame.firstSequence) this.#departure.begin(now);
    const spacing = this.#path?.spacing ?? 0;
    this.#departure.onPacket(now, sequence, {
      askableUntil: this.#askableUntil(frame),
      spacing: microseconds(spacing),
    });
  }

  /** The last packet of a frame has left. @returns the datagrams that are to follow it. */
  onFrame(now: Instant, frame: SentFrame): Uint8Array[] {
    this.#frames.push(frame);
    if (this.#frames.length > FRAMES_MAX) this.#frames.shift();
    const { firstSequence, lastSequence } = frame;
    if (this.#options.strategy === 'fec') {
      return this.repairs(frame, Math.ceil((lastSequence - firstSequence + 1) * this.#options.ratio));
    }
    if (this.#departure.hurriedFrom === firstSequence) return this.#slide(now, frame);
    this.#due = 0;
    if (!this.#path || !Number.isFinite(this.#askableUntil(frame))) return [];
    return this.repairs(frame, this.#repairsBehind(frame, this.#path));
  }

  /** So many repair packets over a window, or as many as the budget has bytes for. */
  repairs(window: Window, count: number): Uint8Array[] {
    const { lastSequence, timestamp } = window;
    const firstSequence = asSequence(
      Math.max(window.firstSequence, this.#encoder.oldestSequence ?? Number.POSITIVE_INFINITY),
    );
    const datagrams: Uint8Array[] = [];
    if (firstSequence > lastSequence) return datagrams;
    const reserve = this.#options.datagramBytesMax + this.#reserve;
    for (let index = 0; index < count && this.#budget.bytes >= reserve; index++) {
      const repairKey = this.#key;
      this.#key = (repairKey + 1) & 0xffff;
      const payload = this.#encoder.repair({ firstSequence, lastSequence, repairKey });
      this.#budget.spend(RTP_HEADER_BYTES + payload.length);
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

  /** Kept for answers: a packet that is asked for mends for sure what a repair packet mends by chance. */
  get #reserve(): number {
    if (this.#options.strategy === 'fec' || !this.#path || this.#path.showsDamaged) return 0;
    return Math.min(ANSWERS_BYTES, this.#budget.earned * ANSWERS_OF_EARNED);
  }

  /** What of a frame leaves before it can be asked for again; ∞: all of it, as nothing is lost, or not known to be. */
  #askableUntil({ at }: SentFrame): Instant {
    const path = this.#path;
    if (!path || path.loss === 0 || path.answerTime === 0) return NEVER;
    return instant(at + path.latency - path.answerTime - DETECTION);
  }

  /** A frame's share of the repair packets over all frames that are not due yet, none of which can be asked for. */
  #slide(now: Instant, frame: SentFrame): Uint8Array[] {
    const usefulFrom = now - this.#path!.latency + DEADLINE_MARGIN;
    this.#frames = this.#frames.filter(({ at }) => at > usefulFrom);
    const first = this.#frames[0];
    if (!first) return [];
    const { lastSequence, timestamp } = frame;
    const packets = Math.min(lastSequence - first.firstSequence + 1, WINDOW_PACKETS_MAX);
    this.#due += (this.#plan(packets, frame.referenceWorth) / packets) * (lastSequence - frame.firstSequence + 1);
    const count = Math.floor(this.#due);
    this.#due -= count;
    return this.repairs({ firstSequence: first.firstSequence, lastSequence, timestamp }, count);
  }

  /**
   * How many repair packets go behind a frame that can be asked for, all of it or but for its last groups. Those count,
   * and the end of the group before them, which is missed only when they come. Where all can be asked for, but the
   * end would be missed too late, a repair packet shows that it was sent. They are over the whole frame: whatever it
   * is that they stand in for, the frame waits for all of its packets.
   */
  #repairsBehind(frame: SentFrame, path: PathNotice): number {
    const { pause, hurriedFrom, passesAt } = this.#departure;
    const { firstSequence, lastSequence, importance, worth } = frame;
    if (hurriedFrom !== undefined) {
      const from = Math.max(firstSequence, hurriedFrom - Math.ceil(path.burst));
      return repairsOfGroup(lastSequence - from + 1, path, worth);
    }
    if (pause === 0 && importance !== 'key') return 0;
    const detection = Math.max(END_DETECTION, pause * END_DETECTION_OF_PAUSE);
    return passesAt + detection < this.#askableUntil(frame) ? 0 : repairsOfEnd(path, worth);
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
