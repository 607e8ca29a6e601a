import type { AccessUnit } from '../../protocol/access-unit.ts';
import { CLOCK_RATE, ticks } from '../../protocol/base/units.ts';
import { FRAME_PAYLOAD_BYTES, WORKLOAD_FRAMES_PER_SECOND } from './workload.ts';

const IDR_SLICE = 0x65;
const NON_IDR_SLICE = 0x41;
/** Key frame interval, frames: one per second, of equal size. */
const KEY_INTERVAL = 30;
const DIGITS = 8;
const START_CODE = [0, 0, 0, 1] as const;
/** One byte more than twelve payloads, because the NAL unit header travels in the fragment headers. */
const UNIT_BYTES = FRAME_PAYLOAD_BYTES + 1;

/**
 * A frame for dropframe's sender: one slice NAL unit with the frame number in decimal digits, which cannot form a start
 * code.
 */
export function markedUnit(frame: number): AccessUnit {
  const key = frame % KEY_INTERVAL === 0;
  const part = new Uint8Array(UNIT_BYTES).fill(0x55);
  part[0] = key ? IDR_SLICE : NON_IDR_SLICE;
  part.set(new TextEncoder().encode(String(frame).padStart(DIGITS, '0')), 1);
  const timestamp = ticks(Math.round((frame * CLOCK_RATE) / WORKLOAD_FRAMES_PER_SECOND));
  return { parts: [part], timestamp, decodeTimestamp: timestamp, importance: key ? 'key' : 'reference' };
}

/** Reads the numbers of complete marked frames from an Annex B stream that arrives in pieces. */
export class MarkedUnitReader {
  readonly #text = new TextDecoder();
  #rest = new Uint8Array(0);

  /** Returns the frames completed by this piece. */
  push(piece: Uint8Array): number[] {
    const bytes = new Uint8Array(this.#rest.length + piece.length);
    bytes.set(this.#rest);
    bytes.set(piece, this.#rest.length);
    const frames: number[] = [];
    let offset = 0;
    for (;;) {
      const start = startOf(bytes, offset);
      if (start === undefined) break;
      const end = start + UNIT_BYTES;
      if (end > bytes.length) {
        offset = start - START_CODE.length;
        break;
      }
      offset = end;
      const frame = Number(this.#text.decode(bytes.subarray(start + 1, start + 1 + DIGITS)));
      if (Number.isInteger(frame)) frames.push(frame);
    }
    this.#rest = bytes.slice(offset);
    return frames;
  }
}

/** Offset of the next marked NAL unit, after its start code. */
function startOf(bytes: Uint8Array, from: number): number | undefined {
  for (let at = from; at + START_CODE.length < bytes.length; at++) {
    if (!START_CODE.every((byte, index) => bytes[at + index] === byte)) continue;
    const header = bytes[at + START_CODE.length];
    if (header === IDR_SLICE || header === NON_IDR_SLICE) return at + START_CODE.length;
  }
  return undefined;
}
