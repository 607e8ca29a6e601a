import { assert } from '../../base/assert.ts';

/** 00 00 01: what every NAL unit of a byte stream starts with (H.264 §B.1). */
const START_CODE_BYTES = 3;
/** zero_byte and the start code: the long form, which is allowed before every NAL unit. */
const LONG_START_CODE_BYTES = 4;

/** The largest picture of level 6.2, sent as I_PCM, takes 53 MB; a real one takes a tenth of this. */
const NAL_UNIT_BYTES_MAX = 32 * 1024 * 1024;
/** Room for a few chunks of a file or pipe (64 KiB each in Node), so that most chunks need no new buffer. */
const BUFFER_BYTES_MIN = 512 * 1024;

/**
 * The NAL units of a whole byte stream (H.264 Annex B), as views into it. Bytes before the first start code, zeros
 * around the NAL units (leading_zero_8bits, trailing_zero_8bits) and NAL units of no bytes are left out. The
 * cabac_zero_words of a NAL unit (00 00 03 at its end) are its own and stay.
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

/** The byte stream of these NAL units, each behind the four-byte start code, which is legal everywhere (§B.1.2). */
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

/** `splitAnnexB` for a byte stream that arrives in chunks, cut anywhere. */
export class AnnexBSplitter {
  readonly #nalUnitBytesMax: number;
  /**
   * Written once, front to back, and replaced when full, never reused: NAL units handed out are views into it that
   * stay valid.
   */
  #buffer = new Uint8Array(0);
  #end = 0;
  /** Where the NAL unit in hand starts; before the first start code, where a start code could still begin. */
  #start = 0;
  #scanned = 0;
  /** Inside a NAL unit, as opposed to before the first start code or in the rest of one that was too long. */
  #inside = false;
  #emptyNalUnits = 0;
  #oversizedNalUnits = 0;
  #skippedBytes = 0;

  /** @param options.nalUnitBytesMax a longer NAL unit is dropped and counted, so that memory stays bounded. */
  constructor({ nalUnitBytesMax = NAL_UNIT_BYTES_MAX }: { readonly nalUnitBytesMax?: number } = {}) {
    assert(nalUnitBytesMax >= 1, 'a NAL unit has at least its header byte');
    this.#nalUnitBytesMax = nalUnitBytesMax;
  }

  /** Start codes that nothing but zeros followed; skipped. */
  get emptyNalUnits(): number {
    return this.#emptyNalUnits;
  }

  /** NAL units above the bound; dropped. */
  get oversizedNalUnits(): number {
    return this.#oversizedNalUnits;
  }

  /** Bytes that belong to no NAL unit: before the first start code, or of an oversized NAL unit. Zeros may count. */
  get skippedBytes(): number {
    return this.#skippedBytes;
  }

  /** The NAL units that this chunk completes: those whose following start code is in it. The chunk is copied. */
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
    // The bytes more are for zeros that may yet turn out to belong to a start code.
    else if (this.#end - this.#start > this.#nalUnitBytesMax + LONG_START_CODE_BYTES - 1) this.#giveUp();
    return nalUnits;
  }

  /** The stream has ended: the last NAL unit, if there is one. The splitter is then as new, its counts aside. */
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

/** Where the next 00 00 01 in `from` to `end` begins, or `end`. Looks at every third byte where it can. */
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
