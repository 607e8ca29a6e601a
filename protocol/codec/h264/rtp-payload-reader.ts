import { malformed, type Parsed, parsed } from '../../base/parsed.ts';
import type { PackedParts, PayloadRange } from '../codec.ts';
import { isSingleNalUnitPayload, PAYLOAD_TYPE } from './payload-type.ts';

/** STAP-B and FU-B carry a decoding order number behind their header (RFC 6184 §5.5). */
const DECODING_ORDER_BYTES = 2;
const FU_HEADER_BYTES = 2;

/**
 * The NAL units of one complete frame from its payloads, in order (RFC 6184 §5). Reads what others send as well: single
 * NAL unit packets, STAP-A, STAP-B, FU-A and FU-B; decoding order numbers are passed over, since the payloads come in
 * order. MTAPs carry several frames and are refused. Single and aggregated NAL units are views, fragmented ones are
 * put together in a fresh array.
 */
export function unpackPayloads(payloads: readonly Uint8Array[]): Parsed<Uint8Array[]> {
  const packed = readPayloads(payloads);
  return packed.ok ? parsed(packed.value.parts) : packed;
}

const rangeOf = (payload: Uint8Array): PayloadRange => ({ bytes: payload, payloadAt: 0, payloadEnd: payload.length });

/** `unpackPayloads` up to the copying: says whether the payloads are sound, and of how many bytes. */
export const readPayloads = (payloads: readonly Uint8Array[]): Parsed<PackedParts> =>
  readPayloadRanges(payloads.map(rangeOf));

/** The same of payloads that were left where they lie. */
export function readPayloadRanges(payloads: readonly PayloadRange[]): Parsed<PackedParts> {
  const reader = new PayloadReader();
  for (const payload of payloads) {
    const cause = reader.take(payload);
    if (cause !== undefined) return malformed(cause);
  }
  const cause = reader.end();
  return cause === undefined ? parsed(new PackedNalUnits(reader.units)) : malformed(cause);
}

/** A NAL unit that is spread over FU payloads. */
interface Fragmented {
  readonly header: number;
  readonly payloads: readonly PayloadRange[];
  readonly length: number;
}

/** The NAL units of a frame, which are put together when they are asked for: not everyone who counts frames looks at them. */
export class PackedNalUnits implements PackedParts {
  readonly #units: readonly (Uint8Array | Fragmented)[];
  #assembled: Uint8Array[] | undefined;

  constructor(units: readonly (Uint8Array | Fragmented)[]) {
    this.#units = units;
  }

  get count(): number {
    return this.#units.length;
  }

  /** Of all NAL units, put together. */
  get bytes(): number {
    let bytes = 0;
    for (const { length } of this.#units) bytes += length;
    return bytes;
  }

  /** The same array at each call. */
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

/** What is left of a frame with holes. */
export interface Salvage {
  /** The NAL units that are whole, in order; possibly none. */
  readonly nalUnits: Uint8Array[];
  /** Gaps, cut fragments and malformed payloads: 0 says that the frame is whole after all. */
  readonly damages: number;
}

/**
 * `unpackPayloads` for a frame with missing packets: what is whole of it. `undefined` stands for one missing packet or
 * several in a row; a fragmented NAL unit with a gap inside is lost, its neighbours are not.
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
  /** The NAL unit header of the fragments in hand. */
  #header: number | undefined;

  /** Takes the next payload. A cause says that it, or the fragments before it, had to be left out. */
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

  /** No more payloads: fragments in hand lack their end. */
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
   * Sizes and NAL units in turn (§5.7.1). NAL units before a bad size are kept. A type of 24 to 31 inside is the NAL
   * unit's own: aggregation packets are never nested.
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
   * A fragment (§5.8). Start and end bit together are forbidden but sent by some; such a NAL unit is whole and taken.
   * A fragment of no bytes is allowed.
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
