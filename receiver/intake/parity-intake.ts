import { readUint16 } from '../../protocol/base/big-endian.ts';
import { type ParityPacket, parseParityPacket, recoverPacket } from '../../protocol/rtp/ulpfec.ts';

export interface ParityIntakeOptions {
  readonly ssrc: number;
  readonly payloadType: number;
}

/** Media packets that are kept: more than the parity of any of them comes behind (RFC 5109: 48). */
const HISTORY_PACKETS = 256;
/** Parity packets that wait for more than one packet. */
const WAITING_MAX = 64;

interface Waiting {
  readonly parity: ParityPacket;
  readonly missing: Set<number>;
}

/**
 * Recovers media packets of other programs by parity (ULPFEC, RFC 5109), where it has the SSRC and the sequence numbers of
 * the media, as GStreamer sends it.
 */
export class ParityIntake {
  readonly #options: ParityIntakeOptions;
  /** By wire sequence number, oldest first. */
  readonly #history = new Map<number, Uint8Array>();
  readonly #waiting: Waiting[] = [];

  constructor(options: ParityIntakeOptions) {
    this.#options = options;
  }

  /** Takes a media packet, which is retained. Returns those that can be recovered now. */
  handleMedia(datagram: Uint8Array): readonly Uint8Array[] {
    this.#remember(datagram);
    return this.#waiting.length === 0 ? NONE : this.#solve();
  }

  /**
   * Takes the payload of a packet of another type with the SSRC of the media.
   * @returns the packets that can be recovered now; `undefined` when it is no parity.
   */
  handleParity(payload: Uint8Array): readonly Uint8Array[] | undefined {
    const read = parseParityPacket(payload);
    if (!read.ok) return undefined;
    const missing = new Set(read.value.sequences.filter((sequence) => !this.#history.has(sequence)));
    if (missing.size === 0) return NONE;
    this.#waiting.push({ parity: read.value, missing });
    if (this.#waiting.length > WAITING_MAX) this.#waiting.shift();
    return this.#solve();
  }

  #remember(datagram: Uint8Array): void {
    const sequence = readUint16(datagram, 2);
    this.#expire(sequence);
    this.#history.delete(sequence);
    this.#history.set(sequence, datagram);
    if (this.#history.size > HISTORY_PACKETS) this.#history.delete(this.#history.keys().next().value!);
    for (const { missing } of this.#waiting) missing.delete(sequence);
  }

  /** Drops parity whose packets have left the history: their numbers are those of other packets later. */
  #expire(sequence: number): void {
    for (let index = this.#waiting.length - 1; index >= 0; index--) {
      const behind = (sequence - this.#waiting[index]!.parity.sequences[0]!) & 0xffff;
      if (behind >= HISTORY_PACKETS && behind < 0x8000) this.#waiting.splice(index, 1);
    }
  }

  #solve(): readonly Uint8Array[] {
    const recovered: Uint8Array[] = [];
    for (let index = 0; index < this.#waiting.length; ) {
      const { parity, missing } = this.#waiting[index]!;
      if (missing.size > 1) {
        index++;
        continue;
      }
      this.#waiting.splice(index, 1);
      const packet = this.#recover(parity, [...missing][0]);
      if (!packet) continue;
      recovered.push(packet);
      this.#remember(packet);
      // It may be what another one waits for.
      index = 0;
    }
    return recovered;
  }

  #recover(parity: ParityPacket, sequence: number | undefined): Uint8Array | undefined {
    if (sequence === undefined) return undefined;
    const others = parity.sequences.filter((each) => each !== sequence).map((each) => this.#history.get(each));
    const { ssrc, payloadType } = this.#options;
    // Packets may have left the history meanwhile.
    if (!others.every((each) => each !== undefined)) return undefined;
    const packet = recoverPacket(parity, others, { sequence, ssrc });
    return packet && (packet[1]! & 0x7f) === payloadType ? packet : undefined;
  }
}

const NONE: readonly Uint8Array[] = [];
