import { assert } from '../base/assert.ts';
import { readUint32, writeUint32 } from '../base/big-endian.ts';
import { ByteAccumulator } from '../base/byte-accumulator.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';

/**
 * A message on the control connection: a header of fixed length, then the body, UTF-8 JSON.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |   'D' (0x44)  |   'F' (0x46)  |   version=1   |   reserved=0  |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                  body length, 1…65536 bytes                   |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                           body ...                            |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export const CONTROL_HEADER_BYTES = 8;

/** Largest body. The largest message, a `welcome` with its parameter sets, needs a few KiB; the rest is reserve. */
export const CONTROL_BODY_BYTES_MAX = 65_536;

const OPENING = [0x44, 0x46, 1, 0] as const;
const OPENING_REFUSALS = ['not-the-control-protocol', 'not-the-control-protocol', 'version', 'reserved'] as const;

export function serializeControlFrame(body: Uint8Array): Uint8Array {
  assert(body.length > 0, 'a control message must not be empty');
  assert(body.length <= CONTROL_BODY_BYTES_MAX, 'a control message must not exceed the size limit');
  const frame = new Uint8Array(CONTROL_HEADER_BYTES + body.length);
  frame.set(OPENING);
  writeUint32(frame, 4, body.length);
  frame.set(body, CONTROL_HEADER_BYTES);
  return frame;
}

/**
 * Extracts message bodies from a byte stream cut at arbitrary points. An error is reported at the first byte that shows
 * it, before any of the body is buffered. After an error every `push` fails, because message boundaries are lost.
 */
export class ControlDeframer {
  #header = new ByteAccumulator(CONTROL_HEADER_BYTES);
  #body: ByteAccumulator | undefined;
  #refusal: ReturnType<typeof malformed> | undefined;

  /** Bytes buffered of an incomplete message, its header included; stays above 0 only while the peer stalls. */
  get pendingBytes(): number {
    return this.#header.length + (this.#body?.length ?? 0);
  }

  /**
   * Returns the bodies completed by `chunk`, or the reason for refusing the stream. A refusal discards the complete
   * bodies of the same chunk.
   */
  push(chunk: Uint8Array): Parsed<Uint8Array[]> {
    const bodies: Uint8Array[] = [];
    let offset = 0;
    while (offset < chunk.length && this.#refusal === undefined) {
      if (this.#body === undefined) {
        offset += this.#pushHeader(chunk, offset);
        continue;
      }
      const bytes = Math.min(this.#body.missing, chunk.length - offset);
      this.#body.append(chunk.subarray(offset, offset + bytes));
      offset += bytes;
      if (this.#body.missing > 0) continue;
      bodies.push(this.#body.take());
      this.#await();
    }
    return this.#refusal ?? parsed(bodies);
  }

  #pushHeader(chunk: Uint8Array, offset: number): number {
    const bytes = Math.min(this.#header.missing, chunk.length - offset);
    for (let index = 0; index < bytes; index++) {
      const position = this.#header.length + index;
      if (position < OPENING.length && chunk[offset + index] !== OPENING[position]) {
        this.#refuse(OPENING_REFUSALS[position]!);
        return 0;
      }
    }
    this.#header.append(chunk.subarray(offset, offset + bytes));
    if (this.#header.missing === 0) {
      const bodyBytes = readUint32(this.#header.take(), 4);
      if (bodyBytes === 0) this.#refuse('empty-body');
      else if (bodyBytes > CONTROL_BODY_BYTES_MAX) this.#refuse('body-over-limit');
      else this.#body = new ByteAccumulator(bodyBytes);
    }
    return bytes;
  }

  #await(): void {
    this.#header = new ByteAccumulator(CONTROL_HEADER_BYTES);
    this.#body = undefined;
  }

  #refuse(cause: string): void {
    this.#refusal = malformed(cause);
    this.#await();
  }
}
