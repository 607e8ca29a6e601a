import { assert } from '../base/assert.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import type { HeaderExtension } from './rtp-packet.ts';

/**
 * One element of an RTP header extension (RFC 8285). The one-byte form (profile 0xBEDE, §4.2) carries 1…16 bytes under
 * an id of 1…14, the two-byte form (profile 0x1000…0x100F, §4.3) 0…255 bytes under an id of 1…255:
 *
 *     0                   1             0                   1
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 ...     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 ...
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-
 *    |  ID   | len-1 |   data ...      |      ID       |    length     | data ...
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-
 */
export interface ExtensionElement {
  readonly id: number;
  readonly data: Uint8Array;
}

export const ONE_BYTE_PROFILE = 0xbede;

/** The lower four bits are application-defined and do not affect the form (RFC 8285 §4.3). */
const TWO_BYTE_PROFILE = 0x1000;

/** Returns the elements in order, as views. An extension of another profile (RFC 3550 §5.3.1) has none. */
export function parseElements(extension: HeaderExtension): Parsed<readonly ExtensionElement[]> {
  if (extension.profile === ONE_BYTE_PROFILE) return parseOneByteForm(extension.data);
  if ((extension.profile & 0xfff0) === TWO_BYTE_PROFILE) return parseTwoByteForm(extension.data);
  return parsed([]);
}

function parseOneByteForm(data: Uint8Array): Parsed<readonly ExtensionElement[]> {
  const elements: ExtensionElement[] = [];
  let offset = 0;
  while (offset < data.length) {
    const head = data[offset++]!;
    if (head === 0) continue; // padding
    const id = head >> 4;
    // RFC 8285 §4.2: padding with a length, or the reserved id 15, ends the elements.
    if (id === 0 || id === 15) break;
    const end = offset + (head & 0x0f) + 1;
    if (end > data.length) return malformed('element-truncated');
    elements.push({ id, data: data.subarray(offset, end) });
    offset = end;
  }
  return parsed(elements);
}

function parseTwoByteForm(data: Uint8Array): Parsed<readonly ExtensionElement[]> {
  const elements: ExtensionElement[] = [];
  let offset = 0;
  while (offset < data.length) {
    const id = data[offset++]!;
    if (id === 0) continue; // padding
    if (offset === data.length) return malformed('element-truncated');
    const start = offset + 1;
    const end = start + data[offset]!;
    if (end > data.length) return malformed('element-truncated');
    elements.push({ id, data: data.subarray(start, end) });
    offset = end;
  }
  return parsed(elements);
}

/** Serializes the elements in the one-byte form, padded to whole words. */
export function serializeElements(elements: readonly ExtensionElement[]): HeaderExtension {
  let length = 0;
  for (const { id, data } of elements) {
    assert(id >= 1, 'the id of a header extension element must not be 0, which is padding');
    assert(id <= 14, 'the id must not exceed 14 in the one-byte form');
    assert(data.length >= 1, 'an element must not be empty in the one-byte form');
    assert(data.length <= 16, 'an element must not exceed 16 bytes in the one-byte form');
    length += 1 + data.length;
  }
  const target = new Uint8Array(Math.ceil(length / 4) * 4);
  let offset = 0;
  for (const { id, data } of elements) {
    target[offset] = (id << 4) | (data.length - 1);
    target.set(data, offset + 1);
    offset += 1 + data.length;
  }
  return { profile: ONE_BYTE_PROFILE, data: target };
}
