import { assert } from '../base/assert.ts';
import { readUint16, readUint32 } from '../base/big-endian.ts';
import { powerOfTwo } from '../base/binary-digits.ts';
import { equalBytes } from '../base/equal-bytes.ts';
import { RTP_HEADER_BYTES } from '../rtp/rtp-packet.ts';
import { asSequence, type Sequence, wireSequence } from '../rtp/sequence.ts';
import { type CoefficientRule, fillCodingCoefficients } from './coding-coefficients.ts';
import type { Equation } from './equation.ts';
import { EquationSystem } from './equation-system.ts';
import { type RepairPayload, WINDOW_PACKETS_MAX } from './repair-payload.ts';
import { LENGTH_BYTES, SourceSymbols } from './source-symbols.ts';

export interface RepairDecoderOptions {
  /** SSRC of the media stream. A recovered packet with another one was computed from false data. */
  readonly ssrc: number;
  /** Packets kept behind the newest, and the widest window accepted: 1…4095. Memory holds twice as many. */
  readonly windowPackets: number;
  /** Repair symbols kept that cannot be solved yet, at least 1. The oldest is evicted. */
  readonly equationsMax: number;
  /** Longest media datagram that can be recovered. */
  readonly packetBytesMax: number;
}

export interface RecoveredPacket {
  readonly sequence: Sequence;
  /** The RTP packet as it was sent. A copy. */
  readonly packet: Uint8Array;
}

/** Counts of inputs and results. */
export interface RepairDecoderCounts {
  /** Recovered packets returned. */
  readonly recovered: number;
  /** Repair packets without new information, most often because nothing was missing. */
  readonly redundant: number;
  /** Repair packets outside the window, too wide or too long. */
  readonly unusable: number;
  /** Detections of false data: a contradiction, or a result that is not a packet of this stream. */
  readonly inconsistent: number;
  /** Repair symbols evicted for lack of room. */
  readonly evicted: number;
}

/**
 * Recovers lost packets from repair symbols (RFC 8681 §6.2), each as soon as the received packets determine it, in any
 * order of arrival. Sequence numbers are extended already.
 *
 * Work per packet: at most `windowPackets` + 3 · `equationsMax` additions of a symbol. Memory, allocated at
 * construction: 2 · `windowPackets` (rounded up to a power of two) symbols and `equationsMax` equations.
 *
 * Repair symbols are not authenticated. A false one is detected when it contradicts other packets, or when its result
 * is not a packet of this stream with the expected sequence number. All equations are dropped then, because it is
 * unknown which one is false. This detects random bytes almost certainly (some fifty bits would have to match) and a
 * symbol under a wrong header nearly always (packets resemble each other: some sixteen bits). It cannot detect a symbol
 * that is false in the media bytes only: an attacker who can forge media packets can forge recovered ones.
 */
export class RepairDecoder {
  readonly #options: RepairDecoderOptions;
  readonly #symbols: SourceSymbols;
  readonly #system: EquationSystem;
  readonly #coefficients: Uint8Array;
  /** By slot: 1 when the symbol was computed rather than received. */
  readonly #computed: Uint8Array;
  #newest: Sequence | undefined;
  /** Oldest packet in the window; -∞ before the first media packet, when every repair packet is out of reach. */
  #oldest: Sequence = asSequence(Number.NEGATIVE_INFINITY);
  #recovered = 0;
  #redundant = 0;
  #unusable = 0;
  #inconsistent = 0;

  constructor(options: RepairDecoderOptions) {
    const { windowPackets, equationsMax, packetBytesMax } = options;
    assert(windowPackets >= 1, 'a repair window must cover at least one packet');
    assert(windowPackets <= WINDOW_PACKETS_MAX, 'the size of a repair window must fit in 12 bits');
    assert(equationsMax >= 1, 'there must be room for at least one equation');
    // Half behind the newest packet and half ahead: a repair packet can overtake everything it covers.
    const slots = Math.max(4, 2 * powerOfTwo(windowPackets));
    this.#options = options;
    this.#symbols = new SourceSymbols({ slots, packetBytesMax });
    this.#system = new EquationSystem({ slots, packetBytesMax, equationsMax });
    this.#coefficients = new Uint8Array(windowPackets);
    this.#computed = new Uint8Array(slots);
  }

  get counts(): RepairDecoderCounts {
    return {
      recovered: this.#recovered,
      redundant: this.#redundant,
      unusable: this.#unusable,
      inconsistent: this.#inconsistent,
      evicted: this.#system.evicted,
    };
  }

  /** Repair symbols that cannot be solved yet: at most `equationsMax`. */
  get waiting(): number {
    return this.#system.waiting;
  }

  /**
   * Adds a media packet, possibly late, duplicated or retransmitted, and moves the window. The packet is retained and
   * must not be modified.
   * @returns the packets recovered with its help.
   */
  handleSource(sequence: Sequence, packet: Uint8Array): readonly RecoveredPacket[] {
    if (packet.length > this.#options.packetBytesMax) return NONE;
    if (sequence < this.#oldest) return NONE;
    if (this.#newest === undefined || sequence > this.#newest) {
      this.#newest = sequence;
      this.forgetThrough(asSequence(sequence - this.#options.windowPackets));
    }
    assert(sequence < this.#oldest + this.#symbols.slots, 'the sequence number must be within the current window');
    if (this.#symbols.has(sequence)) {
      this.#compareWithComputed(sequence, packet);
      return NONE;
    }
    this.#learn(sequence, packet, 'received');
    if (this.#system.waiting === 0) return NONE;
    const bytes = this.#symbols.bytes(sequence);
    if (this.#system.substitute(sequence, this.#symbols.words(sequence), bytes) === 'contradiction') this.#distrust();
    return this.#harvest();
  }

  /**
   * @param firstSequence first of the window, extended.
   * @param fill code of the symbol; that of RFC 8681 by default.
   * @returns the recovered packets, oldest first.
   */
  handleRepair(
    firstSequence: Sequence,
    repair: RepairPayload,
    fill: CoefficientRule = fillCodingCoefficients,
  ): readonly RecoveredPacket[] {
    if (!this.#isWithinReach(firstSequence, repair)) {
      this.#unusable++;
      return NONE;
    }
    if (!this.#isAnyMissing(firstSequence, repair.windowPackets)) {
      this.#redundant++;
      return NONE;
    }
    const equation = this.#equationOf(firstSequence, repair, fill);
    if (equation === undefined) {
      this.#inconsistent++;
      return NONE;
    }
    const insertion = this.#system.insert(equation);
    if (insertion === 'implied') this.#redundant++;
    if (insertion === 'contradiction') this.#distrust();
    return this.#harvest();
  }

  /** Forgets everything up to `sequence`. Packets `windowPackets` behind the newest are forgotten without it. */
  forgetThrough(sequence: Sequence): void {
    if (sequence < this.#oldest) return;
    this.#oldest = asSequence(sequence + 1);
    this.#system.forgetBefore(this.#oldest);
  }

  #isWithinReach(firstSequence: Sequence, { windowPackets, symbol }: RepairPayload): boolean {
    if (windowPackets > this.#options.windowPackets) return false;
    if (symbol.length > LENGTH_BYTES + this.#options.packetBytesMax) return false;
    return firstSequence >= this.#oldest && firstSequence + windowPackets <= this.#oldest + this.#symbols.slots;
  }

  #isAnyMissing(firstSequence: Sequence, windowPackets: number): boolean {
    for (let index = 0; index < windowPackets; index++) {
      if (!this.#symbols.has(asSequence(firstSequence + index))) return true;
    }
    return false;
  }

  /** Returns the symbol minus the known packets; `undefined` when a known packet is longer than the symbol. */
  #equationOf(firstSequence: Sequence, repair: RepairPayload, fill: CoefficientRule): Equation | undefined {
    const coefficients = this.#coefficients.subarray(0, repair.windowPackets);
    fill(coefficients, repair);
    const equation = this.#system.draft(repair.symbol);
    for (let index = 0; index < coefficients.length; index++) {
      const sequence = asSequence(firstSequence + index);
      const coefficient = coefficients[index]!;
      if (!this.#symbols.has(sequence)) {
        equation.setCoefficient(sequence, coefficient);
        continue;
      }
      // Independent of its coefficient: the symbol is as long as the longest packet of the window.
      if (this.#symbols.bytes(sequence) > repair.symbol.length) return undefined;
      if (coefficient !== 0) equation.subtract(this.#symbols.words(sequence), coefficient);
    }
    return equation;
  }

  #harvest(): readonly RecoveredPacket[] {
    const solved = this.#system.takeSolved();
    if (solved.length === 0) return NONE;
    if (!solved.every((equation) => this.#isPacketOfOurs(equation))) {
      this.#distrust();
      return NONE;
    }
    return solved.map(({ pivot, symbol }) => {
      const packet = symbol.slice(LENGTH_BYTES, LENGTH_BYTES + readUint16(symbol, 0));
      this.#learn(pivot, packet, 'computed');
      this.#recovered++;
      return { sequence: pivot, packet };
    });
  }

  /** Checks the fields known in advance, and the padding. */
  #isPacketOfOurs({ pivot, symbol }: Equation): boolean {
    const end = LENGTH_BYTES + readUint16(symbol, 0);
    if (end < LENGTH_BYTES + RTP_HEADER_BYTES) return false;
    if (end > symbol.length) return false;
    if (symbol[LENGTH_BYTES]! >> 6 !== 2) return false;
    if (readUint16(symbol, LENGTH_BYTES + 2) !== wireSequence(pivot)) return false;
    if (readUint32(symbol, LENGTH_BYTES + 8) !== this.#options.ssrc) return false;
    return symbol.subarray(end).every((byte) => byte === 0);
  }

  #learn(sequence: Sequence, packet: Uint8Array, origin: 'received' | 'computed'): void {
    this.#symbols.put(sequence, packet);
    this.#computed[this.#symbols.slot(sequence)] = origin === 'computed' ? 1 : 0;
  }

  /** Compares a late original with the packet that was computed for it. */
  #compareWithComputed(sequence: Sequence, packet: Uint8Array): void {
    if (this.#computed[this.#symbols.slot(sequence)] === 0) return;
    if (!equalBytes(this.#symbols.packet(sequence), packet)) this.#distrust();
  }

  #distrust(): void {
    this.#inconsistent++;
    this.#system.clear();
  }
}

const NONE: readonly RecoveredPacket[] = [];
