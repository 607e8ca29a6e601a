import type { Instant, Microseconds } from '../protocol/instant.ts';
import type { PathNotice } from '../protocol/recovery-notice.ts';
import { RepairEncoder } from '../protocol/repair/repair-encoder.ts';
import { REPAIR_HEADER_BYTES } from '../protocol/repair/repair-payload.ts';
import { LENGTH_BYTES } from '../protocol/repair/source-symbols.ts';
import { RTP_HEADER_BYTES, serializeRtpPacket } from '../protocol/rtp-packet.ts';
import type { Sequence } from '../protocol/sequence.ts';
import { repairsOfWindow } from './repair-plan.ts';
import type { SenderStatistics } from './sender-statistics.ts';
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

/** A frame whose packets have been handed out. */
export interface SentFrame {
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  /** When its first packet could leave: its deadline is reckoned from there. */
  readonly at: Instant;
  /** On the wire. */
  readonly timestamp: number;
}

/** How much longer a repair packet is than the longest packet it can stand for. */
export const REPAIR_OVERHEAD_BYTES = RTP_HEADER_BYTES + REPAIR_HEADER_BYTES + LENGTH_BYTES;

/** Packets that can still be covered: 300 ms of 50 Mb/s. Wider windows cost time, and mend little more. */
const WINDOW_PACKETS_MAX = 512;
/** Frames that may be in a window. */
const FRAMES_MAX = 64;
/** A repair that comes closer to a frame's deadline than this is not reckoned with. */
const DEADLINE_MARGIN: Microseconds = 3_000;
/** What it takes a receiver to notice a loss at least, and us to answer. */
const DETECTION: Microseconds = 2_000;

/** Repair packets over the frames sent of late: as many as are worth their bytes where nobody has the time to ask. */
export class ForwardRepair {
  readonly #options: ForwardRepairOptions;
  readonly #budget: TokenBucket;
  readonly #statistics: SenderStatistics;
  readonly #encoder: RepairEncoder;
  #frames: SentFrame[] = [];
  #path: PathNotice | undefined;
  #sequence = 0;
  #key = 0;
  /** What the last window came to, which mostly is the next one's. */
  #planned: { readonly path: PathNotice; readonly packets: number; readonly repairs: number } | undefined;
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

  /** A media packet leaves. */
  add(sequence: Sequence, datagram: Uint8Array): void {
    this.#encoder.add(sequence, datagram);
  }

  /** The last packet of a frame has left. @returns the datagrams that are to follow it. */
  onFrame(now: Instant, frame: SentFrame): Uint8Array[] {
    this.#frames.push(frame);
    if (this.#options.strategy === 'fec') {
      const packets = frame.lastSequence - frame.firstSequence + 1;
      return this.repairs(frame, Math.ceil(packets * this.#options.ratio));
    }
    const window = this.#window(now);
    if (!window) {
      this.#due = 0;
      return [];
    }
    const packets = Math.min(window.lastSequence - window.firstSequence + 1, WINDOW_PACKETS_MAX);
    this.#due += (this.#plan(packets, this.#frames.length) / packets) * (frame.lastSequence - frame.firstSequence + 1);
    const count = Math.floor(this.#due);
    this.#due -= count;
    return this.repairs(window, count);
  }

  /** So many repair packets over a window, or as many as the budget has bytes for. */
  repairs(window: Omit<SentFrame, 'at'>, count: number): Uint8Array[] {
    const { lastSequence, timestamp } = window;
    const firstSequence = Math.max(window.firstSequence, this.#encoder.oldestSequence ?? Number.POSITIVE_INFINITY);
    const datagrams: Uint8Array[] = [];
    if (firstSequence > lastSequence) return datagrams;
    for (let index = 0; index < count && this.#budget.bytes >= this.#options.datagramBytesMax; index++) {
      const repairKey = this.#key;
      this.#key = (repairKey + 1) & 0xffff;
      const payload = this.#encoder.repair({ firstSequence, lastSequence, repairKey });
      this.#budget.spend(RTP_HEADER_BYTES + payload.length);
      const { ssrc, payloadType } = this.#options;
      const sequenceNumber = this.#sequence;
      this.#sequence = (sequenceNumber + 1) & 0xffff;
      const packet = { marker: false, payloadType, sequenceNumber, timestamp, ssrc, csrcs: [], payload };
      const datagram = serializeRtpPacket(packet);
      this.#statistics.repairs++;
      this.#statistics.repairBytes += datagram.length;
      datagrams.push(datagram);
    }
    return datagrams;
  }

  /** The frames that a repair packet can still be in time for; `undefined`: there is time to ask, or nothing is lost. */
  #window(now: Instant): Omit<SentFrame, 'at'> | undefined {
    const path = this.#path;
    if (!path || path.loss === 0) return this.#forget();
    if (path.answerTime === 0 || path.answerTime + DETECTION < path.latency) return this.#forget();
    const usefulFrom = now - path.latency + DEADLINE_MARGIN;
    this.#frames = this.#frames.filter(({ at }, index, { length }) => at > usefulFrom && index >= length - FRAMES_MAX);
    const first = this.#frames[0];
    const last = this.#frames.at(-1);
    if (!first || !last) return undefined;
    return { firstSequence: first.firstSequence, lastSequence: last.lastSequence, timestamp: last.timestamp };
  }

  #plan(packets: number, frames: number): number {
    const path = this.#path!;
    if (this.#planned?.path !== path || this.#planned.packets !== packets) {
      this.#planned = { path, packets, repairs: repairsOfWindow({ packets, frames }, path) };
    }
    return this.#planned.repairs;
  }

  #forget(): undefined {
    if (this.#frames.length > FRAMES_MAX) this.#frames = this.#frames.slice(-FRAMES_MAX / 2);
    return undefined;
  }
}
