import { RTP_HEADER_BYTES } from '../../protocol/rtp/rtp-packet.ts';

const SSRC_OFFSET = 8;

/**
 * Splits RTP packets that were captured before segmentation offload (UDP GSO) made datagrams of them: packets of one length,
 * but for the last, each of which begins with the same version, payload type and SSRC.
 */
export function splitSegments(payload: Uint8Array): readonly Uint8Array[] {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const ssrc = bytes.subarray(SSRC_OFFSET, RTP_HEADER_BYTES);
  for (let at = bytes.indexOf(ssrc, RTP_HEADER_BYTES + SSRC_OFFSET); at >= 0; at = bytes.indexOf(ssrc, at + 1)) {
    const stride = at - SSRC_OFFSET;
    if (isStride(bytes, stride)) {
      const count = Math.ceil(payload.length / stride);
      return Array.from({ length: count }, (_, index) => payload.subarray(index * stride, (index + 1) * stride));
    }
  }
  return [payload];
}

function isStride(bytes: Buffer, stride: number): boolean {
  for (let at = stride; at < bytes.length; at += stride) {
    if (at + RTP_HEADER_BYTES > bytes.length) return false;
    if ((bytes[at]! ^ bytes[0]!) & 0xc0) return false;
    if ((bytes[at + 1]! ^ bytes[1]!) & 0x7f) return false;
    if (bytes.compare(bytes, SSRC_OFFSET, RTP_HEADER_BYTES, at + SSRC_OFFSET, at + RTP_HEADER_BYTES) !== 0)
      return false;
  }
  return true;
}
