import type { Instant, Ticks } from '../../protocol/base/units.ts';
import type { FrameMark } from '../../protocol/rtp/frame-mark.ts';
import type { Sequence } from '../../protocol/rtp/sequence.ts';
import type { FrameBuffer, PacketInsertion } from '../frames/frame-buffer.ts';
import { MarkedFrameBuffer } from '../frames/marked-frame-buffer.ts';
import { PlainFrameBuffer } from '../frames/plain-frame-buffer.ts';
import type { PlayoutClock } from '../frames/playout-clock.ts';
import type { Ledger } from '../ledger.ts';
import type { EventQueue } from '../receiver-event.ts';
import { PLAIN_PACKETS_MAX, type ReceiverOptions } from '../receiver-options.ts';
import type { ReceiverCounters } from '../receiver-statistics.ts';
import type { IncomingPacket } from './incoming-packet.ts';
import type { PacketAdmission } from './packet-admission.ts';

/** Enters admitted packets into their frames, and into the ledger when their frames are decided already. */
export class FrameIntake {
  readonly #options: Pick<ReceiverOptions, 'codec' | 'framesMax'>;
  readonly #admission: PacketAdmission;
  readonly #clock: PlayoutClock;
  readonly #ledger: Ledger;
  readonly #counters: ReceiverCounters;
  readonly #events: EventQueue;
  #marked: MarkedFrameBuffer | undefined;
  #plain: PlainFrameBuffer | undefined;
  #reorderDepth = 0;

  /** @param options.initialFrameNumber makes it a stream with frame marks from the start. */
  constructor(
    options: Pick<ReceiverOptions, 'codec' | 'framesMax' | 'initialFrameNumber'>,
    parts: {
      readonly admission: PacketAdmission;
      readonly clock: PlayoutClock;
      readonly ledger: Ledger;
      readonly counters: ReceiverCounters;
      readonly events: EventQueue;
    },
  ) {
    this.#options = options;
    this.#admission = parts.admission;
    this.#clock = parts.clock;
    this.#ledger = parts.ledger;
    this.#counters = parts.counters;
    this.#events = parts.events;
    const { initialFrameNumber } = options;
    if (initialFrameNumber !== undefined) this.#marked = this.#markedFrom(initialFrameNumber);
  }

  /** Frames of a stream with frame marks; `undefined` for plain RTP, and before the first packet. */
  get marked(): MarkedFrameBuffer | undefined {
    return this.#marked;
  }

  /** Kind of the stream, once known. */
  get kind(): 'marked' | 'plain' | undefined {
    return this.#marked ? 'marked' : this.#plain && 'plain';
  }

  get buffer(): FrameBuffer | undefined {
    return this.#marked ?? this.#plain;
  }

  /** @returns true when the packet belongs to the stream, in time or late. */
  take(now: Instant, packet: IncomingPacket, mediaTime: Ticks): boolean {
    const { sequence, mark, arrival } = packet;
    if (packet.payloadAt === packet.payloadEnd) {
      this.#takeEmpty(sequence, arrival);
      return true;
    }
    const insertion = mark ? this.#insertMarked(now, mark, packet) : this.#insertPlain(now, packet);
    if (!this.#settle(insertion, sequence, mark)) return false;
    if (insertion === 'taken' && packet.ahead && packet.origin === 'sent') this.#observe(now, mediaTime);
    return true;
  }

  /** Without recovery, discards a packet that arrives after a later one. */
  refuseBehind({ sequence, mark, number }: IncomingPacket): void {
    if (mark && this.#marked?.holds(number!, mark.packetIndex)) this.#counters.duplicates++;
    else this.#enterBehind(sequence);
  }

  /** Counts the packet by its insertion. @returns true when it belongs to the stream, in time or late. */
  #settle(insertion: PacketInsertion, sequence: Sequence, mark: FrameMark | undefined): boolean {
    switch (insertion) {
      case 'taken':
        return true;
      case 'behind':
        // Without frame marks, a frame may have been decided before its end, which has arrived now.
        if (!mark) this.#ledger.decidePacketsThrough(sequence);
        this.#enterBehind(sequence);
        return true;
      case 'duplicate':
        this.#counters.duplicates++;
        return false;
      case 'inconsistent':
        this.#counters.malformed++;
        this.#events.push({ kind: 'malformed', cause: 'a frame mark that contradicts its frame' });
        return false;
      case 'overflow':
        this.#counters.overflowed++;
        return false;
    }
  }

  /** Takes a packet of padding only (RFC 3550 §5.1): it belongs to no frame, but uses a sequence number. */
  #takeEmpty(sequence: Sequence, arrival: IncomingPacket['arrival']): void {
    if (!this.#ledger.noteLoose(sequence, arrival)) return this.#enterBehind(sequence);
    this.#plain?.insertEmpty(sequence);
  }

  #observe(now: Instant, decodeTimestamp: Ticks): void {
    const plain = this.#plain;
    if (plain && plain.reorderDepth !== this.#reorderDepth) {
      this.#reorderDepth = plain.reorderDepth;
      this.#clock.restart();
    }
    this.#clock.observe(now, plain?.newestDecodeTimestamp ?? decodeTimestamp);
  }

  #markedFrom(firstFrame: number): MarkedFrameBuffer {
    const { codec, framesMax } = this.#options;
    return new MarkedFrameBuffer({ firstFrame, framesMax, isSound: codec.mediaType === 'audio' });
  }

  #insertMarked(now: Instant, mark: FrameMark, packet: IncomingPacket): PacketInsertion {
    const number = packet.number!;
    this.#marked ??= this.#markedFrom(number);
    const insertion = this.#marked.insert(now, number, mark, packet);
    if (insertion === 'taken') this.#admission.acceptFrame(number);
    return insertion;
  }

  #insertPlain(now: Instant, packet: IncomingPacket): PacketInsertion {
    const { codec, framesMax } = this.#options;
    this.#plain ??= new PlainFrameBuffer({ codec, framesMax, packetsMax: PLAIN_PACKETS_MAX });
    return this.#plain.insert(now, packet);
  }

  /** Handles a packet of a decided frame. */
  #enterBehind(sequence: Sequence): void {
    if (!this.#ledger.enterLate(sequence) && !this.#ledger.noteLoose(sequence, 'late')) this.#counters.duplicates++;
  }
}
