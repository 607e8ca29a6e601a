import type { NalPayloadStructure } from './payload-reading.ts';

/** Bytes copied from the start of a fragment; the first elements of a slice header always fit. */
const HEAD_BYTES = 32;
/** Start bit of the FU header. */
const START = 0x80;

/**
 * Returns the first bytes of each NAL unit that begins in this payload, with its header. None for later fragments; for
 * an aggregation packet, those before the first invalid size. NAL units without a byte after their header have no head.
 */
export function nalUnitHeads(payload: Uint8Array, structure: NalPayloadStructure): Uint8Array[] {
  const { headerBytes } = structure;
  if (payload.length <= headerBytes) return [];
  const layout = structure.layoutOf({ bytes: payload, payloadAt: 0, payloadEnd: payload.length });
  switch (layout.kind) {
    case 'fragment': {
      if ((payload[headerBytes]! & START) === 0) return [];
      const header = structure.fragmentedHeader(payload, 0);
      const head = Array.from({ length: headerBytes }, (_, at) => (header >> (8 * (headerBytes - 1 - at))) & 0xff);
      return [Uint8Array.of(...head, ...payload.subarray(layout.headerBytes, HEAD_BYTES))];
    }
    case 'aggregate': {
      const heads: Uint8Array[] = [];
      for (let offset = layout.headerBytes; offset + 2 < payload.length; ) {
        const size = (payload[offset]! << 8) | payload[offset + 1]!;
        offset += 2;
        if (size < headerBytes || offset + size > payload.length) break;
        heads.push(payload.subarray(offset, offset + size));
        offset += size;
      }
      return heads;
    }
    case 'single':
      return [payload];
    case 'rejected':
      return [];
    default:
      return layout satisfies never;
  }
}

/** True when the sizes in an aggregation packet fill it exactly, and each NAL unit in it is of a type that `isDefined`. */
export function isWholeAggregate(
  payload: Uint8Array,
  structure: NalPayloadStructure,
  isDefined: (head: Uint8Array) => boolean,
): boolean {
  const heads = nalUnitHeads(payload, structure);
  const bytes = heads.reduce((sum, head) => sum + 2 + head.length, structure.headerBytes);
  return bytes === payload.length && heads.every(isDefined);
}
