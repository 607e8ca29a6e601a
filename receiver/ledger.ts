import { assert } from '../protocol/base/assert.ts';
import type { FrameClass } from '../protocol/frame-class.ts';
import { asSequence, type Sequence } from '../protocol/rtp/sequence.ts';
import type { PacketArrival, PendingFrame } from './frames/frame-buffer.ts';

/** Missing packets of a dropped frame. If all of them arrive, the frame was late, not lost. */
interface Dropped {
  missing: number;
}

/** Counts of frames; each frame is in exactly one class. */
export interface FrameClasses {
  /** Complete by its deadline without a request. */
  readonly onTime: number;
  /** Complete by its deadline thanks to a retransmission or a repair packet. */
  readonly recovered: number;
  /** Decodable after its deadline, but shown: nothing is dropped (TCP), or no newer frame could be shown. */
  readonly late: number;
  /** Decoded after its deadline and never shown, because it or a frame that it refers to was mended. */
  readonly mended: number;
  /** Dropped: a part was missing at the deadline but arrived later, so nothing was lost. */
  readonly overdue: number;
  /** Dropped: a part was missing at the deadline and has not arrived since. */
  readonly incomplete: number;
  /** Dropped: none of its packets had arrived by the deadline. */
  readonly neverArrived: number;
  /** Complete, but a frame that it refers to was dropped. */
  readonly undecodable: number;
}

/** Counts of packets of decided frames; each packet is in exactly one class. */
export interface PacketClasses {
  readonly onTime: number;
  readonly reordered: number;
  /** Received by retransmission, by number of requests minus one; the last index includes all higher numbers. */
  readonly recoveredInRound: readonly number[];
  /** Recovered from repair packets. */
  readonly repaired: number;
  /** Arrived after its frame had been decided or, without recovery, after a later packet. */
  readonly late: number;
  readonly neverArrived: number;
}

const ROUNDS_COUNTED = 8;
/** Missing packets of decided frames kept, to distinguish late packets from duplicates. */
const REMEMBERED_MAX = 8192;
/** A dropped frame with more missing packets is not watched. */
const DROPPED_MISSING_MAX = 1024;

/** Enters every packet and every frame exactly once. The sums balance at any time. */
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
  /** Received but undecided packets outside any frame. */
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

  /** Number of decided frames; the sum of all frame classes. */
  get decidedFrames(): number {
    return this.#decidedFrames;
  }

  /** Number of decided sequence numbers; the sum of all packet classes. */
  get decidedPackets(): number {
    return this.#decidedThrough === undefined ? 0 : this.#decidedThrough - this.#firstSequence! + 1;
  }

  /** All classes with their sums. @param unseen frames and packets that count as never arrived until they are decided. */
  totals(unseen: { readonly frames: number; readonly packets: number }) {
    const { frames, packets } = this;
    return {
      frames: withMissing(frames, this.#decidedFrames, unseen.frames),
      packets: withMissing(packets, this.decidedPackets, unseen.packets),
    };
  }

  get decidedThrough(): Sequence | undefined {
    return this.#decidedThrough;
  }

  /** Sets the first packet that counts. By default it is the first packet of the first decided frame. */
  startAt(sequence: Sequence): void {
    this.#firstSequence = sequence;
    this.#decidedThrough = asSequence(sequence - 1);
  }

  /**
   * Decides a frame that arrived at least in part, and all packets up to its last known one.
   * @param seenThrough newest packet received. Packets announced beyond it and the frame's own show as a gap later, or
   * were announced falsely.
   */
  decide(frame: PendingFrame, frameClass: FrameClass, seenThrough = frame.lastSequence): void {
    this.#frames[frameClass]++;
    this.#decidedFrames++;
    if (frameClass === 'incomplete') this.#rememberDropped(frame);
    if (this.#decidedThrough === undefined) this.startAt(frame.firstSequence);
    // Frames that claim the same packets are damaged or forged; later packets show as a gap.
    if (frame.firstSequence <= this.#decidedThrough!) return;
    this.decidePacketsThrough(asSequence(frame.firstSequence - 1));
    for (const arrival of frame.arrivals) this.#enter(arrival);
    // A received packet counts even if the stream did not accept its number: after a contradiction (see
    // MarkedFrameBuffer) a frame may hold packets that were rejected before.
    const through = asSequence(Math.max(frame.newestSequence, Math.min(frame.lastSequence, seenThrough)));
    if (frame.receivedPackets < through - frame.firstSequence + 1) {
      const missing = frame.missing(through);
      const forgotten = Math.max(0, missing.length - REMEMBERED_MAX);
      this.#packets.neverArrived += forgotten;
      for (let at = forgotten; at < missing.length; at++) this.#enterMissing(missing[at]!);
    }
    this.#decidedThrough = through;
  }

  /**
   * Decides frames of which nothing arrived. Their packets are entered with the next frame, whose numbers show the gap.
   */
  decideMissing(frames: number): void {
    this.#frames.neverArrived += frames;
    this.#decidedFrames += frames;
  }

  /** Decides packets up to `sequence` that belong to no frame: they never arrived. */
  decidePacketsThrough(sequence: Sequence): void {
    if (this.#decidedThrough === undefined || sequence <= this.#decidedThrough) return;
    const remembered = Math.max(this.#decidedThrough + 1, sequence - REMEMBERED_MAX + 1);
    this.#packets.neverArrived += remembered - this.#decidedThrough - 1;
    for (let missing = asSequence(remembered); missing <= sequence; missing++) this.#enterMissing(missing);
    this.#decidedThrough = sequence;
  }

  /**
   * Records a packet outside any frame: padding, or one that is not used. It is entered with the packets around it.
   * @returns false when these are decided, or the packet is already known.
   */
  noteLoose(sequence: Sequence, arrival: PacketArrival | 'late'): boolean {
    if (this.#decidedThrough !== undefined && sequence <= this.#decidedThrough) return false;
    if (this.#loose.has(sequence)) return false;
    if (this.#loose.size >= REMEMBERED_MAX) this.#loose.delete(this.#loose.keys().next().value!);
    this.#loose.set(sequence, arrival);
    if (arrival === 'late') this.#cameLate(sequence);
    return true;
  }

  /**
   * Records a packet of a decided frame. @returns true when it had been missing; otherwise it is a duplicate, or too
   * old to know.
   */
  enterLate(sequence: Sequence): boolean {
    if (!this.#remembered.delete(sequence)) return false;
    this.#packets.neverArrived--;
    this.#packets.late++;
    this.#cameLate(sequence);
    return true;
  }

  /** Checks both sums against independent counts. */
  assertBalanced(): void {
    const frames = Object.values(this.#frames).reduce((sum, count) => sum + count, 0);
    assert(
      frames === this.#decidedFrames,
      `every frame must be in exactly one class: ${frames} of ${this.#decidedFrames}`,
    );
    const sentAgain = this.#recoveredInRound.reduce((sum, count) => sum + count, 0);
    const { packets } = this;
    const sum = packets.onTime + packets.reordered + sentAgain + packets.repaired + packets.late + packets.neverArrived;
    assert(sum === this.decidedPackets, `every packet must be in exactly one class: ${sum} of ${this.decidedPackets}`);
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

  /** Reclassifies a dropped frame as late once the last of its missing packets has arrived. */
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

const withMissing = <Classes extends { readonly neverArrived: number }>(
  classes: Classes,
  decided: number,
  missing: number,
) => ({ ...classes, neverArrived: classes.neverArrived + missing, decided: decided + missing });
