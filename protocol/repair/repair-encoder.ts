import { assert } from '../base/assert.ts';
import { powerOfTwo } from '../base/binary-digits.ts';
import type { PacketSource } from '../rtp/packet-source.ts';
import { asSequence, type Sequence, wireSequence } from '../rtp/sequence.ts';
import { type CoefficientRule, DENSITY_FULL, fillCodingCoefficients } from './coding-coefficients.ts';
import { addScaled } from './galois-field.ts';
import { serializeRepairPayload, WINDOW_PACKETS_MAX } from './repair-payload.ts';
import { LENGTH_BYTES, SourceSymbols, wordsFor } from './source-symbols.ts';

export interface RepairEncoderOptions {
  /** Packets kept, which is the widest possible window: 1…4095. */
  readonly windowPackets: number;
  /** Longest media datagram. A repair payload can be 8 bytes longer. */
  readonly packetBytesMax: number;
}

export interface RepairRequest {
  readonly firstSequence: Sequence;
  /** Inclusive. */
  readonly lastSequence: Sequence;
  /** 0…65535, different for each symbol over the same window. */
  readonly repairKey: number;
  /** 0…15; the default, 15, puts every packet of the window into the sum. A lower one is faster and recovers less. */
  readonly density?: number;
  /** Code of the symbol, which the decoder must know; that of RFC 8681 by default. */
  readonly coefficients?: CoefficientRule;
}

/** Makes repair symbols over the packets last sent (RFC 8681 §6.1). The caller decides when and how many. */
export class RepairEncoder {
  readonly #windowPackets: number;
  readonly #symbols: SourceSymbols;
  readonly #sum: Int32Array;
  readonly #coefficients: Uint8Array;
  #first: Sequence | undefined;
  #next: Sequence = asSequence(0);

  constructor({ windowPackets, packetBytesMax }: RepairEncoderOptions) {
    assert(windowPackets >= 1, 'a repair window must cover at least one packet');
    assert(windowPackets <= WINDOW_PACKETS_MAX, 'the size of a repair window must fit in 12 bits');
    this.#windowPackets = windowPackets;
    this.#symbols = new SourceSymbols({ slots: powerOfTwo(windowPackets), packetBytesMax });
    this.#sum = new Int32Array(wordsFor(LENGTH_BYTES + packetBytesMax));
    this.#coefficients = new Uint8Array(windowPackets);
  }

  /** The oldest packet that can still be covered; `undefined` before the first packet. */
  get oldestSequence(): Sequence | undefined {
    return this.#first === undefined ? undefined : asSequence(Math.max(this.#first, this.#next - this.#windowPackets));
  }

  /**
   * @param packet the whole RTP packet as it is sent. Its sequence number follows the previous one.
   * @param source retained in place of the packet.
   */
  add(sequence: Sequence, packet: Uint8Array, source?: PacketSource): void {
    if (this.#first === undefined) this.#first = sequence;
    else assert(sequence === this.#next, 'packets must be added in consecutive order');
    this.#symbols.put(sequence, packet, source);
    this.#next = asSequence(sequence + 1);
  }

  /** @returns the payload of a repair packet: header and symbol. */
  repair(request: RepairRequest): Uint8Array {
    const { firstSequence, lastSequence, repairKey, density = DENSITY_FULL } = request;
    const { coefficients: fill = fillCodingCoefficients } = request;
    const oldest = this.oldestSequence;
    assert(oldest !== undefined, 'a repair packet must cover at least one source packet');
    assert(firstSequence >= oldest, 'the window must start at a packet that is still kept');
    assert(lastSequence < this.#next, 'the window must end at a packet that has been sent');
    assert(firstSequence <= lastSequence, 'the window must not be empty');

    const windowPackets = lastSequence - firstSequence + 1;
    const coefficients = this.#coefficients.subarray(0, windowPackets);
    fill(coefficients, { repairKey, density });
    this.#sum.fill(0);
    let symbolBytes = 0;
    for (let index = 0; index < windowPackets; index++) {
      const sequence = asSequence(firstSequence + index);
      symbolBytes = Math.max(symbolBytes, this.#symbols.bytes(sequence));
      if (coefficients[index] !== 0) addScaled(this.#sum, this.#symbols.words(sequence), coefficients[index]!);
    }
    const symbol = new Uint8Array(this.#sum.buffer, 0, symbolBytes);
    return serializeRepairPayload({
      repairKey,
      density,
      windowPackets,
      firstSequence: wireSequence(firstSequence),
      symbol,
    });
  }
}
