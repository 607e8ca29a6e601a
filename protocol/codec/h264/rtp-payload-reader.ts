import { malformed, type Parsed, parsed } from '../../base/parsed.ts';
import type { PackedParts, PayloadRange } from '../codec.ts';
import { isSingleNalUnitPayload, PAYLOAD_TYPE } from './payload-type.ts';

/** STAP-B and FU-B have a decoding order number after their header (RFC 6184 §5.5). */
const DECODING_ORDER_BYTES = 2;
const FU_HEADER_BYTES = 2;

/**
 * Depacketizes one complete frame: returns its NAL units from its payloads in order (RFC 6184 §5). Accepts single NAL
 * unit packets, STAP-A, STAP-B, FU-A and FU-B from any sender. Decoding order numbers are skipped, since payloads are
 * in order. MTAPs, which carry several frames, are rejected. Single and aggregated NAL units are views, fragmented ones
 * are reassembled into a new array.
 */
export function unpackPayloads(payloads: readonly Uint8Array[]): Parsed<Uint8Array[]> {
  const packed = readPayloads(payloads);
  return packed.ok ? parsed(packed.value.parts) : packed;
}

const rangeOf = (payload: Uint8Array): PayloadRange => ({ bytes: payload, payloadAt: 0, payloadEnd: payload.length });

/** `unpackPayloads` without the copying: validates the payloads and returns their size. */
export const readPayloads = (payloads: readonly Uint8Array[]): Parsed<PackedParts> =>
  readPayloadRanges(payloads.map(rangeOf));

/** `readPayloads` for payloads within larger buffers. */
export function readPayloadRanges(payloads: readonly PayloadRange[]): Parsed<PackedParts> {
  const reader = new PayloadReader();
  for (const payload of payloads) {
    const cause = reader.take(payload);
    if (cause !== undefined) return malformed(cause);
  }
  const cause = reader.end();
  return cause === undefined ? parsed(new PackedNalUnits(reader.units)) : malformed(cause);
}

/** A NAL unit fragmented over FU payloads. */
interface Fragmented {
  readonly header: number;
  readonly payloads: readonly PayloadRange[];
  readonly length: number;
}

/** NAL units of a frame, reassembled on demand: runs that only count frames never read them. */
export class PackedNalUnits implements PackedParts {
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
  nalUnit[0] = unit.header;
  let offset = 1;
  for (const payload of unit.payloads) {
    const fragment = payload.bytes.subarray(payload.payloadAt + fragmentOffset(payload), payload.payloadEnd);
    nalUnit.set(fragment, offset);
    offset += fragment.length;
  }
  return nalUnit;
}

const typeOf = ({ bytes, payloadAt }: PayloadRange): number => bytes[payloadAt]! & 0x1f;

const fragmentOffset = (payload: PayloadRange): number =>
  typeOf(payload) === PAYLOAD_TYPE.fuB ? FU_HEADER_BYTES + DECODING_ORDER_BYTES : FU_HEADER_BYTES;

/** Intact parts of a frame with missing packets. */
export interface Salvage {
  /** The complete NAL units in order; possibly none. */
  readonly nalUnits: Uint8Array[];
  /** Number of gaps, truncated fragments and malformed payloads; 0 when the frame is complete. */
  readonly damages: number;
}

/**
 * `unpackPayloads` for a frame with missing packets: returns its complete NAL units. `undefined` stands for one or more
 * consecutive missing packets. A fragmented NAL unit with a gap is lost, its neighbours are not.
 */
export function salvagePayloads(payloads: readonly (Uint8Array | undefined)[]): Salvage {
  const reader = new PayloadReader();
  let damages = 0;
  for (const payload of payloads) {
    if (payload === undefined) {
      reader.abandonFragments();
      damages += 1;
    } else if (reader.take(rangeOf(payload)) !== undefined) damages += 1;
  }
  if (reader.end() !== undefined) damages += 1;
  return { nalUnits: reader.units.map(assemble), damages };
}

class PayloadReader {
  readonly units: (Uint8Array | Fragmented)[] = [];
  #fragments: PayloadRange[] = [];
  #fragmentBytes = 0;
  /** NAL unit header of the current fragments. */
  #header: number | undefined;

  /** Takes the next payload. Returns a reason when it, or the fragments before it, had to be discarded. */
  take(range: PayloadRange): string | undefined {
    if (range.payloadAt === range.payloadEnd) return this.#refuse('empty-payload');
    const type = typeOf(range);
    if (type === PAYLOAD_TYPE.fuA || type === PAYLOAD_TYPE.fuB) return this.#takeFragment(range);
    const payload = range.bytes.subarray(range.payloadAt, range.payloadEnd);
    const unfinished = this.end();
    if (isSingleNalUnitPayload(payload)) {
      this.units.push(payload);
      return unfinished;
    }
    switch (type) {
      case PAYLOAD_TYPE.stapA:
        return this.#takeAggregate(payload, 1) ?? unfinished;
      case PAYLOAD_TYPE.stapB:
        return this.#takeAggregate(payload, 1 + DECODING_ORDER_BYTES) ?? unfinished;
      case PAYLOAD_TYPE.mtap16:
      case PAYLOAD_TYPE.mtap24:
        return 'mtap-unsupported';
      default:
        return 'payload-type-reserved';
    }
  }

  /** Ends the frame; returns a reason when the last fragment is missing. */
  end(): string | undefined {
    return this.#header === undefined ? undefined : this.#refuse('fu-without-end');
  }

  abandonFragments(): void {
    this.#fragments = [];
    this.#fragmentBytes = 0;
    this.#header = undefined;
  }

  #refuse(cause: string): string {
    this.abandonFragments();
    return cause;
  }

  /**
   * Reads alternating sizes and NAL units (§5.7.1). NAL units before an invalid size are kept. A type of 24 to 31
   * inside is that of the NAL unit: aggregation packets are never nested.
   */
  #takeAggregate(payload: Uint8Array, headerBytes: number): string | undefined {
    if (payload.length <= headerBytes) return 'stap-empty';
    let offset = headerBytes;
    while (offset < payload.length) {
      if (offset + 2 > payload.length) return 'stap-trailing-byte';
      const size = (payload[offset]! << 8) | payload[offset + 1]!;
      offset += 2;
      if (size === 0) return 'stap-empty-nal-unit';
      if (offset + size > payload.length) return 'stap-size-beyond-end';
      this.units.push(payload.subarray(offset, offset + size));
      offset += size;
    }
    return undefined;
  }

  /**
   * Reads a fragment (§5.8). Start and end bit together are forbidden, but some senders set both; the NAL unit is
   * complete then. An empty fragment is allowed.
   */
  #takeFragment(payload: PayloadRange): string | undefined {
    const { bytes, payloadAt } = payload;
    const length = payload.payloadEnd - payloadAt;
    const headerBytes = fragmentOffset(payload);
    if (length < headerBytes) return this.#refuse('fu-too-short');
    const fragmentHeader = bytes[payloadAt + 1]!;
    const header = (bytes[payloadAt]! & 0xe0) | (fragmentHeader & 0x1f);
    let cause: string | undefined;
    if ((fragmentHeader & 0x80) !== 0) {
      cause = this.end();
      this.#header = header;
    } else if (this.#header === undefined) return 'fu-without-start';
    else if ((this.#header & 0x1f) !== (header & 0x1f)) return this.#refuse('fu-type-changed');
    this.#fragments.push(payload);
    this.#fragmentBytes += length - headerBytes;
    if ((fragmentHeader & 0x40) !== 0) this.#finishFragments();
    return cause;
  }

  #finishFragments(): void {
    this.units.push({ header: this.#header!, payloads: this.#fragments, length: 1 + this.#fragmentBytes });
    this.abandonFragments();
  }
}
