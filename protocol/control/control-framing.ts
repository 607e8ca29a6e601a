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

/** The largest message, a `welcome` with its parameter sets, needs a few KiB; the rest is room to grow. */
export const CONTROL_BODY_BYTES_MAX = 65_536;

const OPENING = [0x44, 0x46, 1, 0] as const;
const OPENING_REFUSALS = ['not-the-control-protocol', 'not-the-control-protocol', 'version', 'reserved'] as const;

export function serializeControlFrame(body: Uint8Array): Uint8Array {
  assert(body.length > 0, 'a control message is never empty');
  assert(body.length <= CONTROL_BODY_BYTES_MAX, 'a control message is never over the limit');
  const frame = new Uint8Array(CONTROL_HEADER_BYTES + body.length);
  frame.set(OPENING);
  writeUint32(frame, 4, body.length);
  frame.set(body, CONTROL_HEADER_BYTES);
  return frame;
}

/**
 * Takes the stream apart again, however it was cut. What is wrong is refused at the first byte that shows it, before
 * anything of the body is held; once refused, the stream stays refused: there is no telling where a message begins.
 */
export class ControlDeframer {
  #header = new ByteAccumulator(CONTROL_HEADER_BYTES);
  #body: ByteAccumulator | undefined;
  #refusal: ReturnType<typeof malformed> | undefined;

  /** Bytes held of a message that is not whole yet, its header included; not 0 for long unless the peer stalls. */
  get pendingBytes(): number {
    return this.#header.length + (this.#body?.length ?? 0);
  }

  /**
   * The bodies that are whole now, or why the stream is refused. A refusal takes the bodies that came whole in the
   * same chunk with it: a peer that breaks the framing is not believed in what it said in the same breath.
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
