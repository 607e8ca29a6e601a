import { assert } from '../base/assert.ts';
import { readUint16, writeUint16 } from '../base/big-endian.ts';
import { ByteAccumulator } from '../base/byte-accumulator.ts';

/**
 * RTP and RTCP packets on a byte stream (RFC 4571 §2):
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |             LENGTH            |  RTP or RTCP packet ...       |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * LENGTH counts the bytes of the packet alone. A length of 0 is a null packet: legal, and skipped.
 */
export const STREAM_HEADER_BYTES = 2;

export const STREAM_PACKET_BYTES_MAX = 0xffff;

export function frameForStream(packet: Uint8Array): Uint8Array {
  assert(packet.length <= STREAM_PACKET_BYTES_MAX, 'the length of a framed packet must fit in 16 bits');
  const frame = new Uint8Array(STREAM_HEADER_BYTES + packet.length);
  writeUint16(frame, 0, packet.length);
  frame.set(packet, STREAM_HEADER_BYTES);
  return frame;
}

/** Extracts packets from a byte stream cut at arbitrary points. Buffers at most one incomplete packet: 64 KiB. */
export class StreamDeframer {
  #header: ByteAccumulator | undefined;
  #body: ByteAccumulator | undefined;

  /** Bytes buffered of an incomplete packet, its header included. */
  get pendingBytes(): number {
    if (this.#body !== undefined) return STREAM_HEADER_BYTES + this.#body.length;
    return this.#header?.length ?? 0;
  }

  /**
   * Returns the packets completed by `chunk`. Those that lie wholly in the chunk are views of it; the chunk must not be
   * reused.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const packets: Uint8Array[] = [];
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#body === undefined) {
        if (this.#header === undefined && chunk.length - offset >= STREAM_HEADER_BYTES) {
          const start = offset + STREAM_HEADER_BYTES;
          const end = start + readUint16(chunk, offset);
          if (end <= chunk.length) {
            if (end > start) packets.push(chunk.subarray(start, end));
            offset = end;
            continue;
          }
        }
        this.#header ??= new ByteAccumulator(STREAM_HEADER_BYTES);
        offset += fill(this.#header, chunk, offset);
        if (this.#header.missing > 0) break;
        this.#body = new ByteAccumulator(readUint16(this.#header.take(), 0));
        this.#header = undefined;
      }
      offset += fill(this.#body, chunk, offset);
      if (this.#body.missing > 0) break;
      if (this.#body.length > 0) packets.push(this.#body.take());
      this.#body = undefined;
    }
    return packets;
  }
}

function fill(accumulator: ByteAccumulator, chunk: Uint8Array, offset: number): number {
  const bytes = Math.min(accumulator.missing, chunk.length - offset);
  accumulator.append(chunk.subarray(offset, offset + bytes));
  return bytes;
}
