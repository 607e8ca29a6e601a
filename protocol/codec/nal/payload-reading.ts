import { malformed, type Parsed, parsed } from '../../base/parsed.ts';
import type { PackedParts, PayloadRange } from '../codec.ts';

/** Kind of a payload, and the length of its headers. */
export type PayloadLayout =
  | { readonly kind: 'single' }
  | { readonly kind: 'aggregate'; readonly headerBytes: number }
  | { readonly kind: 'fragment'; readonly headerBytes: number }
  | { readonly kind: 'rejected'; readonly cause: string };

/** Structure of an RTP payload format that carries NAL units alone, several together, or in fragments. */
export interface NalPayloadStructure {
  /** Length of a NAL unit header, bytes. */
  readonly headerBytes: number;
  /** Name of aggregation packets in causes: `stap`. */
  readonly aggregate: string;
  /** Returns the layout of a payload of at least one byte. */
  layoutOf(payload: PayloadRange): PayloadLayout;
  /** Returns the header of the NAL unit in a fragment, as a big-endian number of `headerBytes` bytes. */
  fragmentedHeader(bytes: Uint8Array, at: number): number;
  /** Bits of that number with the NAL unit type, which is the same in all fragments. */
  readonly typeBits: number;
}

const rangeOf = (payload: Uint8Array): PayloadRange => ({ bytes: payload, payloadAt: 0, payloadEnd: payload.length });

/** Functions that read the payloads of one payload format. */
export interface NalPayloadReader {
  /** Validates the payloads of one complete frame, in order, without copying them. */
  readRanges(payloads: readonly PayloadRange[]): Parsed<PackedParts>;
  /** `readRanges` for payloads that are arrays of their own. */
  read(payloads: readonly Uint8Array[]): Parsed<PackedParts>;
  /**
   * Returns the NAL units of one complete frame. Those alone or aggregated are views, fragmented ones are reassembled
   * into a new array.
   */
  unpack(payloads: readonly Uint8Array[]): Parsed<Uint8Array[]>;
  /**
   * `unpack` for a frame with missing packets: returns its complete NAL units. `undefined` marks one or more
   * consecutive missing packets. A fragmented NAL unit with a gap is lost, its neighbours are not.
   */
  salvage(payloads: readonly (Uint8Array | undefined)[]): Salvage;
}

/** Intact parts of a frame with missing packets. */
export interface Salvage {
  /** The complete NAL units in order; possibly none. */
  readonly nalUnits: Uint8Array[];
  /** Number of gaps, truncated fragments and malformed payloads; 0 when the frame is complete. */
  readonly damages: number;
}

/** Returns the reader of a payload format. */
export function nalPayloadReader(structure: NalPayloadStructure): NalPayloadReader {
  const readRanges = (payloads: readonly PayloadRange[]): Parsed<PackedParts> => {
    const intake = new PayloadIntake(structure);
    for (const payload of payloads) {
      const cause = intake.take(payload);
      if (cause !== undefined) return malformed(cause);
    }
    const cause = intake.end();
    return cause === undefined ? parsed(new PackedNalUnits(intake.units)) : malformed(cause);
  };
  const read = (payloads: readonly Uint8Array[]): Parsed<PackedParts> => readRanges(payloads.map(rangeOf));
  return {
    readRanges,
    read,
    unpack: (payloads) => {
      const packed = read(payloads);
      return packed.ok ? parsed(packed.value.parts) : packed;
    },
    salvage: (payloads) => {
      const intake = new PayloadIntake(structure);
      let damages = 0;
      for (const payload of payloads) {
        if (payload === undefined) {
          intake.abandonFragments();
          damages += 1;
        } else if (intake.take(rangeOf(payload)) !== undefined) damages += 1;
      }
      if (intake.end() !== undefined) damages += 1;
      return { nalUnits: intake.units.map(assemble), damages };
    },
  };
}

/** A NAL unit fragmented over payloads. */
interface Fragmented {
  readonly header: number;
  readonly headerBytes: number;
  /** Ranges without the headers of the payload. */
  readonly pieces: readonly PayloadRange[];
  readonly length: number;
}

/** NAL units of a frame, reassembled on demand: runs that only count frames never read them. */
class PackedNalUnits implements PackedParts {
  readonly #units: readonly (Uint8Array | Fragmented)[];
  #assembled: Uint8Array[] | undefined;

  constructor(units: readonly (Uint8Array | Fragmented)[]) {
    this.#units = units;
  }

  get count(): number {
    return this.#units.length;
  }

  /** Total length of all NAL units. */
  get bytes(): number {
    let bytes = 0;
    for (const { length } of this.#units) bytes += length;
    return bytes;
  }

  /** Returns the same array at each call. */
  get parts(): Uint8Array[] {
    this.#assembled ??= this.#units.map(assemble);
    return this.#assembled;
  }
}

function assemble(unit: Uint8Array | Fragmented): Uint8Array {
  if (unit instanceof Uint8Array) return unit;
  const nalUnit = new Uint8Array(unit.length);
  let offset = 0;
  for (; offset < unit.headerBytes; offset += 1) nalUnit[offset] = unit.header >> (8 * (unit.headerBytes - 1 - offset));
  for (const { bytes, payloadAt, payloadEnd } of unit.pieces) {
    nalUnit.set(bytes.subarray(payloadAt, payloadEnd), offset);
    offset += payloadEnd - payloadAt;
  }
  return nalUnit;
}

class PayloadIntake {
  readonly units: (Uint8Array | Fragmented)[] = [];
  readonly #structure: NalPayloadStructure;
  #pieces: PayloadRange[] = [];
  #pieceBytes = 0;
  /** NAL unit header of the current fragments. */
  #header: number | undefined;

  constructor(structure: NalPayloadStructure) {
    this.#structure = structure;
  }

  /** Takes the next payload. Returns a reason when it, or the fragments before it, had to be discarded. */
  take(range: PayloadRange): string | undefined {
    if (range.payloadAt === range.payloadEnd) return this.#refuse('empty-payload');
    const layout = this.#structure.layoutOf(range);
    if (layout.kind === 'fragment') return this.#takeFragment(range, layout.headerBytes);
    const payload = range.bytes.subarray(range.payloadAt, range.payloadEnd);
    const unfinished = this.end();
    if (layout.kind === 'rejected') return layout.cause;
    if (layout.kind === 'aggregate') return this.#takeAggregate(payload, layout.headerBytes) ?? unfinished;
    this.units.push(payload);
    return unfinished;
  }

  /** Ends the frame; returns a reason when the last fragment is missing. */
  end(): string | undefined {
    return this.#header === undefined ? undefined : this.#refuse('fu-without-end');
  }

  abandonFragments(): void {
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#header = undefined;
  }

  #refuse(cause: string): string {
    this.abandonFragments();
    return cause;
  }

  /**
   * Reads alternating sizes and NAL units (RFC 6184 §5.7.1, RFC 7798 §4.4.2). NAL units before an invalid size are
   * kept. The type inside is that of the NAL unit: aggregation packets are never nested.
   */
  #takeAggregate(payload: Uint8Array, headerBytes: number): string | undefined {
    const { aggregate, headerBytes: nalUnitBytesMin } = this.#structure;
    if (payload.length <= headerBytes) return `${aggregate}-empty`;
    let offset = headerBytes;
    while (offset < payload.length) {
      if (offset + 2 > payload.length) return `${aggregate}-trailing-byte`;
      const size = (payload[offset]! << 8) | payload[offset + 1]!;
      offset += 2;
      if (size === 0) return `${aggregate}-empty-nal-unit`;
      if (size < nalUnitBytesMin) return `${aggregate}-short-nal-unit`;
      if (offset + size > payload.length) return `${aggregate}-size-beyond-end`;
      this.units.push(payload.subarray(offset, offset + size));
      offset += size;
    }
    return undefined;
  }

  /**
   * Reads a fragment (RFC 6184 §5.8, RFC 7798 §4.4.3). Start and end bit together are forbidden, but some senders set
   * both; the NAL unit is complete then. An empty fragment is allowed.
   */
  #takeFragment({ bytes, payloadAt, payloadEnd }: PayloadRange, headerBytes: number): string | undefined {
    if (payloadEnd - payloadAt < headerBytes) return this.#refuse('fu-too-short');
    const structure = this.#structure;
    // The FU header follows a payload header as long as that of a NAL unit.
    const marks = bytes[payloadAt + structure.headerBytes]!;
    const header = structure.fragmentedHeader(bytes, payloadAt);
    let cause: string | undefined;
    if ((marks & 0x80) !== 0) {
      cause = this.end();
      this.#header = header;
    } else if (this.#header === undefined) return 'fu-without-start';
    else if ((this.#header & structure.typeBits) !== (header & structure.typeBits))
      return this.#refuse('fu-type-changed');
    this.#pieces.push({ bytes, payloadAt: payloadAt + headerBytes, payloadEnd });
    this.#pieceBytes += payloadEnd - payloadAt - headerBytes;
    if ((marks & 0x40) !== 0) this.#finishFragments(structure.headerBytes);
    return cause;
  }

  #finishFragments(headerBytes: number): void {
    const length = headerBytes + this.#pieceBytes;
    this.units.push({ header: this.#header!, headerBytes, pieces: this.#pieces, length });
    this.abandonFragments();
  }
}
