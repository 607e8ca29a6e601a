/** Workload of all programs: twelve payloads per frame at 30 frames per second, 3.8 Mb/s. */
export const WORKLOAD_FRAMES_PER_SECOND = 30;
export const PAYLOADS_PER_FRAME = 12;
/** Seven packets of an MPEG transport stream, the usual payload of SRT and RIST. */
export const PAYLOAD_BYTES = 1_316;
export const FRAME_PAYLOAD_BYTES = PAYLOADS_PER_FRAME * PAYLOAD_BYTES;

const FRAME_OFFSET = 0;
const INDEX_OFFSET = 4;
const MARK = 0x6466;
const MARK_OFFSET = 6;

/** Identifies a payload by frame and index. */
export interface PayloadMark {
  readonly frame: number;
  /** 0 … 11. */
  readonly index: number;
}

/** Returns a payload marked with its frame and index, padded. */
export function markedPayload({ frame, index }: PayloadMark): Uint8Array {
  const payload = new Uint8Array(PAYLOAD_BYTES).fill(0x55);
  const view = new DataView(payload.buffer);
  view.setUint32(FRAME_OFFSET, frame);
  view.setUint16(INDEX_OFFSET, index);
  view.setUint16(MARK_OFFSET, MARK);
  return payload;
}

/** Reads a payload's mark; `undefined` when it is not ours. */
export function payloadMark(payload: Uint8Array): PayloadMark | undefined {
  if (payload.length !== PAYLOAD_BYTES) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const index = view.getUint16(INDEX_OFFSET);
  if (view.getUint16(MARK_OFFSET) !== MARK || index >= PAYLOADS_PER_FRAME) return undefined;
  return { frame: view.getUint32(FRAME_OFFSET), index };
}
