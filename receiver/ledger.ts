import { assert } from '../protocol/base/assert.ts';
import type { FrameClass } from '../protocol/frame-class.ts';
import { asSequence, type Sequence } from '../protocol/rtp/sequence.ts';
import type { PacketArrival, PendingFrame } from './frames/frame-buffer.ts';

/** Packets of a dropped frame that may still come, only to show that it was late and not lost. */
interface Dropped {
  missing: number;
}

/** Each frame of the stream so far, in exactly one class. */
export interface FrameClasses {
  /** Whole by its deadline, without asking again. */
  readonly onTime: number;
  /** Whole by its deadline thanks to a retransmission or a repair packet. */
  readonly recovered: number;
  /** Decodable after its deadline, and shown all the same: nothing is dropped (TCP), or no newer frame could be shown. */
  readonly late: number;
  /** Decoded after its deadline and never shown: it or a frame that it refers to was mended. */
  readonly mended: number;
  /** Dropped: a part was missing at the deadline, but came later; nothing of it was lost on the way. */
  readonly overdue: number;
  /** Dropped: a part was missing at the deadline and has not come since. */
  readonly incomplete: number;
  /** Dropped: nothing of it was here at the deadline. */
  readonly neverArrived: number;
  /** Whole, but a frame that it refers to was dropped. */
  readonly undecodable: number;
}

/** Each packet of the decided frames, in exactly one class. */
export interface PacketClasses {
  readonly onTime: number;
  readonly reordered: number;
  /** Came by retransmission; the index is how often it had been asked for, less one (the last index: that or more). */
  readonly recoveredInRound: readonly number[];
  /** Followed from repair packets. */
  readonly repaired: number;
  /** Came after its frame had been decided or, without recovery, after a later packet. */
  readonly late: number;
  readonly neverArrived: number;
}

const ROUNDS_COUNTED = 8;
/** How many missing packets of decided frames are remembered, to tell a late one from a duplicate. */
const REMEMBERED_MAX = 8192;
/** A dropped frame that misses more than this is not watched any further. */
const DROPPED_MISSING_MAX = 1024;

/** Where every packet and every frame is entered once. The sums balance at any time. */
export class Ledger {
  readonly #frames = {
    onTime: 0,
    recovered: 0,
    late: 0,
    mended: 0,
    overdue: 0,
    incomplete: 0,
    neverArrived: 0,
    undecodable: 0,
  };
  readonly #packets = { onTime: 0, reordered: 0, repaired: 0, late: 0, neverArrived: 0 };
  readonly #recoveredInRound: number[] = new Array(ROUNDS_COUNTED).fill(0);
  readonly #remembered = new Set<Sequence>();
  readonly #dropped = new Map<Sequence, Dropped>();
  /** Packets not decided yet that came and are in no frame. */
  readonly #loose = new Map<Sequence, PacketArrival | 'late'>();
  #decidedFrames = 0;
  #firstSequence: Sequence | undefined;
  #decidedThrough: Sequence | undefined;

  get frames(): FrameClasses {
    return { ...this.#frames };
  }

  get packets(): PacketClasses {
    return { ...this.#packets, recoveredInRound: [...this.#recoveredInRound] };
  }

  /** Frames decided; the sum of all frame classes. */
  get decidedFrames(): number {
    return this.#decidedFrames;
  }

  /** Packets decided, counted by their sequence numbers; the sum of all packet classes. */
  get decidedPackets(): number {
    return this.#decidedThrough === undefined ? 0 : this.#decidedThrough - this.#firstSequence! + 1;
  }

  get decidedThrough(): Sequence | undefined {
    return this.#decidedThrough;
  }

  /** The first packet that counts. Without it, the first packet of the first decided frame is. */
  startAt(sequence: Sequence): void {
    this.#firstSequence = sequence;
    this.#decidedThrough = asSequence(sequence - 1);
  }

  /**
   * A frame of which something is here is decided, and with it all packets up to its last known one.
   * @param seenThrough the newest packet that came; what a frame promises beyond it and its own packets shows as a gap
   * later, or was a lie.
   */
  decide(frame: PendingFrame, fate: FrameClass, seenThrough = frame.lastSequence): void {
    this.#frames[fate]++;
    this.#decidedFrames++;
    if (fate === 'incomplete') this.#rememberDropped(frame);
    if (this.#decidedThrough === undefined) this.startAt(frame.firstSequence);
    // Frames that claim the same packets are a lie or a bit error; what is beyond shows as a gap later.
    if (frame.firstSequence <= this.#decidedThrough!) return;
    this.decidePacketsThrough(asSequence(frame.firstSequence - 1));
    for (const arrival of frame.arrivals) this.#enter(arrival);
    // A packet that is here counts even if the stream did not accept its number: a rival of another's word (see
    // MarkedFrameBuffer) holds some that contradicted it.
    const through = asSequence(Math.max(frame.newestSequence, Math.min(frame.lastSequence, seenThrough)));
    if (frame.receivedPackets < through - frame.firstSequence + 1) {
      for (const sequence of frame.missing(through)) this.#enterMissing(sequence);
    }
    this.#decidedThrough = through;
  }

  /** Frames of which nothing came; their packets are entered with the next frame's, whose numbers show the gap. */
  decideMissing(frames: number): void {
    this.#frames.neverArrived += frames;
    this.#decidedFrames += frames;
  }

  /** Packets up to `sequence` that belong to no frame here never came. */
  decidePacketsThrough(sequence: Sequence): void {
    if (this.#decidedThrough === undefined || sequence <= this.#decidedThrough) return;
    const remembered = Math.max(this.#decidedThrough + 1, sequence - REMEMBERED_MAX + 1);
    this.#packets.neverArrived += remembered - this.#decidedThrough - 1;
    for (let missing = asSequence(remembered); missing <= sequence; missing++) this.#enterMissing(missing);
    this.#decidedThrough = sequence;
  }

  /**
   * A packet came that no frame counts: padding, or one that is not used. It is entered with the packets around it.
   * @returns false where these are decided, or it is known already.
   */
  noteLoose(sequence: Sequence, arrival: PacketArrival | 'late'): boolean {
    if (this.#decidedThrough !== undefined && sequence <= this.#decidedThrough) return false;
    if (this.#loose.has(sequence)) return false;
    if (this.#loose.size >= REMEMBERED_MAX) this.#loose.delete(this.#loose.keys().next().value!);
    this.#loose.set(sequence, arrival);
    if (arrival === 'late') this.#cameLate(sequence);
    return true;
  }

  /** A packet of a decided frame came. @returns whether it had been missed; else it is a duplicate, or too old to tell. */
  enterLate(sequence: Sequence): boolean {
    if (!this.#remembered.delete(sequence)) return false;
    this.#packets.neverArrived--;
    this.#packets.late++;
    this.#cameLate(sequence);
    return true;
  }

  /** Both sums, against what was counted on its own. */
  assertBalanced(): void {
    const frames = Object.values(this.#frames).reduce((sum, count) => sum + count, 0);
    assert(frames === this.#decidedFrames, `every frame is in one class: ${frames} of ${this.#decidedFrames}`);
    const sentAgain = this.#recoveredInRound.reduce((sum, count) => sum + count, 0);
    const { packets } = this;
    const sum = packets.onTime + packets.reordered + sentAgain + packets.repaired + packets.late + packets.neverArrived;
    assert(sum === this.decidedPackets, `every packet is in one class: ${sum} of ${this.decidedPackets}`);
  }

  #rememberDropped(frame: PendingFrame): void {
    const missing = frame.lastSequence - frame.firstSequence + 1 - frame.receivedPackets;
    if (missing > DROPPED_MISSING_MAX) return;
    const record: Dropped = { missing };
    for (const sequence of frame.missing()) {
      if (this.#dropped.size >= REMEMBERED_MAX) this.#dropped.delete(this.#dropped.keys().next().value!);
      this.#dropped.set(sequence, record);
    }
  }

  /** When the last of a dropped frame's missing packets has come, the frame was late and no more. */
  #cameLate(sequence: Sequence): void {
    const record = this.#dropped.get(sequence);
    if (!record) return;
    this.#dropped.delete(sequence);
    if (--record.missing > 0) return;
    this.#frames.incomplete--;
    this.#frames.overdue++;
  }

  #enter(arrival: PacketArrival | 'late'): void {
    if (arrival === 'on-time') this.#packets.onTime++;
    else if (arrival === 'late') this.#packets.late++;
    else if (arrival === 'reordered') this.#packets.reordered++;
    else if (arrival === 'repaired') this.#packets.repaired++;
    else {
      const round = Math.min(Math.max(arrival.recoveredInRound, 1), ROUNDS_COUNTED);
      this.#recoveredInRound[round - 1]!++;
    }
  }

  #enterMissing(sequence: Sequence): void {
    const loose = this.#loose.get(sequence);
    if (loose !== undefined) {
      this.#loose.delete(sequence);
      return this.#enter(loose);
    }
    this.#packets.neverArrived++;
    if (this.#remembered.size >= REMEMBERED_MAX) {
      const oldest = this.#remembered.keys().next().value;
      if (oldest !== undefined) this.#remembered.delete(oldest);
    }
    this.#remembered.add(sequence);
  }
}
