import type { Codec } from '../../../protocol/codec/codec.ts';
import { plain } from '../bytes.ts';

/** Parts of an access unit behind its RTP payloads, or why these are malformed. */
export function carried(codec: Codec, parts: readonly Uint8Array[], payloadBytesMax: number): Uint8Array[] | string {
  const payloads = codec.packetize(parts, { payloadBytesMax, headroomBytes: 4 });
  const result = codec.depacketize(payloads.map((bytes) => ({ bytes, payloadAt: 4, payloadEnd: bytes.length })));
  return result.ok ? result.value.parts.map(plain) : result.malformed;
}
