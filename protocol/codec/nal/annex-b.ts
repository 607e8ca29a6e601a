import { assert } from '../../base/assert.ts';

/** Start code prefix 00 00 01 (H.264 §B.1). */
const START_CODE_BYTES = 3;
/** zero_byte and start code prefix, the long form, which is allowed before every NAL unit. */
const LONG_START_CODE_BYTES = 4;

/** The largest picture of level 6.2, as I_PCM, takes 53 MB; real ones take a tenth of this limit. */
const NAL_UNIT_BYTES_MAX = 32 * 1024 * 1024;
/** Room for a few chunks of a file or pipe (64 KiB each in Node), so that most chunks need no new buffer. */
const BUFFER_BYTES_MIN = 512 * 1024;

/**
 * Splits a whole byte stream (H.264 Annex B) into NAL units, as views. Omits bytes before the first start code, zeros
 * around NAL units (leading_zero_8bits, trailing_zero_8bits) and empty NAL units. The cabac_zero_words of a NAL unit
 * (00 00 03 at its end) are part of it.
 */
export function splitAnnexB(bytes: Uint8Array): Uint8Array[] {
  const nalUnits: Uint8Array[] = [];
  let code = findStartCode(bytes, 0, bytes.length);
  while (code < bytes.length) {
    const start = code + START_CODE_BYTES;
    code = findStartCode(bytes, start, bytes.length);
    const end = withoutTrailingZeros(bytes, start, code);
    if (end > start) nalUnits.push(bytes.subarray(start, end));
  }
  return nalUnits;
}

/** Joins NAL units to a byte stream, each after a four-byte start code, which is legal everywhere (§B.1.2). */
export function joinAnnexB(nalUnits: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const nalUnit of nalUnits) length += LONG_START_CODE_BYTES + nalUnit.length;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const nalUnit of nalUnits) {
    bytes[offset + START_CODE_BYTES] = 1;
    bytes.set(nalUnit, offset + LONG_START_CODE_BYTES);
    offset += LONG_START_CODE_BYTES + nalUnit.length;
  }
  return bytes;
}

/** `splitAnnexB` for a byte stream that arrives in chunks cut at arbitrary points. */
export class AnnexBSplitter {
  readonly #nalUnitBytesMax: number;
  /**
   * Written once from front to back, and replaced when full; never reused, since returned NAL units are views of it.
   */
  #buffer = new Uint8Array(0);
  #end = 0;
  /** Start of the current NAL unit; before the first start code, the earliest position where one could still begin. */
  #start = 0;
  #scanned = 0;
  /** True within a NAL unit; false before the first start code and in the rest of an oversized NAL unit. */
  #inside = false;
  #emptyNalUnits = 0;
  #oversizedNalUnits = 0;
  #skippedBytes = 0;

  /** @param options.nalUnitBytesMax a longer NAL unit is dropped and counted, so that memory stays bounded. */
  constructor({ nalUnitBytesMax = NAL_UNIT_BYTES_MAX }: { readonly nalUnitBytesMax?: number } = {}) {
    assert(nalUnitBytesMax >= 1, 'a NAL unit must contain its header byte');
    this.#nalUnitBytesMax = nalUnitBytesMax;
  }

  /** Start codes followed by nothing but zeros; skipped. */
  get emptyNalUnits(): number {
    return this.#emptyNalUnits;
  }

  /** Oversized NAL units; dropped. */
  get oversizedNalUnits(): number {
    return this.#oversizedNalUnits;
  }

  /** Bytes outside any NAL unit: before the first start code, or of an oversized NAL unit. May include zeros. */
  get skippedBytes(): number {
    return this.#skippedBytes;
  }

  /** Returns the NAL units completed by this chunk, which is when the next start code is in it. Copies the chunk. */
  push(chunk: Uint8Array): Uint8Array[] {
    this.#append(chunk);
    const nalUnits: Uint8Array[] = [];
    for (;;) {
      const code = findStartCode(this.#buffer, this.#scanned, this.#end);
      if (code === this.#end) break;
      this.#finish(code, nalUnits);
      this.#inside = true;
      this.#start = code + START_CODE_BYTES;
      this.#scanned = this.#start;
    }
    // A start code may begin in the last two bytes and end in the next chunk.
    this.#scanned = Math.max(this.#start, this.#end - (START_CODE_BYTES - 1));
    if (!this.#inside) this.#skip();
    // The additional bytes allow for zeros that may turn out to belong to a start code.
    else if (this.#end - this.#start > this.#nalUnitBytesMax + LONG_START_CODE_BYTES - 1) this.#giveUp();
    return nalUnits;
  }

  /** Ends the stream; returns the last NAL unit, if there is one. Resets the splitter except for its counts. */
  flush(): Uint8Array[] {
    const nalUnits: Uint8Array[] = [];
    this.#finish(this.#end, nalUnits);
    this.#inside = false;
    this.#start = this.#end;
    this.#scanned = this.#end;
    return nalUnits;
  }

  #finish(code: number, nalUnits: Uint8Array[]): void {
    if (!this.#inside) {
      this.#skippedBytes += code - this.#start;
      return;
    }
    const end = withoutTrailingZeros(this.#buffer, this.#start, code);
    if (end === this.#start) this.#emptyNalUnits += 1;
    else if (end - this.#start > this.#nalUnitBytesMax) this.#giveUpAt(end);
    else nalUnits.push(this.#buffer.subarray(this.#start, end));
  }

  #giveUp(): void {
    this.#giveUpAt(this.#scanned);
    this.#inside = false;
    this.#start = this.#scanned;
  }

  #giveUpAt(end: number): void {
    this.#oversizedNalUnits += 1;
    this.#skippedBytes += end - this.#start;
  }

  #skip(): void {
    this.#skippedBytes += this.#scanned - this.#start;
    this.#start = this.#scanned;
  }

  #append(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#buffer.length) {
      const pending = this.#buffer.subarray(this.#start, this.#end);
      // Doubling keeps the copying of a NAL unit of many chunks linear.
      this.#buffer = new Uint8Array(Math.max(BUFFER_BYTES_MIN, 2 * (pending.length + chunk.length)));
      this.#buffer.set(pending);
      this.#scanned -= this.#start;
      this.#start = 0;
      this.#end = pending.length;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }
}

/**
 * Returns the position of the next 00 00 01 within `from` … `end`, or `end`. Inspects every third byte where possible.
 */
function findStartCode(bytes: Uint8Array, from: number, end: number): number {
  let last = from + 2;
  while (last < end) {
    const byte = bytes[last]!;
    if (byte > 1) last += 3;
    else if (byte === 0) last += 1;
    else if (bytes[last - 1] === 0 && bytes[last - 2] === 0) return last - 2;
    else last += 3;
  }
  return end;
}

function withoutTrailingZeros(bytes: Uint8Array, start: number, end: number): number {
  let last = end;
  while (last > start && bytes[last - 1] === 0) last -= 1;
  return last;
}
