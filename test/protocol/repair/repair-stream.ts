import { RepairDecoder, type RepairDecoderOptions } from '../../../protocol/repair/repair-decoder.ts';
import { RepairEncoder, type RepairRequest } from '../../../protocol/repair/repair-encoder.ts';
import { parseRepairPayload, type RepairPayload } from '../../../protocol/repair/repair-payload.ts';
import { serializeRtpPacket } from '../../../protocol/rtp/rtp-packet.ts';
import { asSequence, extend, type Sequence, wireSequence, wireTimestamp } from '../../../protocol/rtp/sequence.ts';

export const SSRC = 0x1a2b_3c4d;

/** Above the longest of `packetOf`, and not a multiple of a word. */
export const PACKET_BYTES_MAX = 61;

/** A synthetic packet: length and bytes follow from its sequence number, with a long period. */
export function packetOf(sequence: Sequence): Uint8Array {
  const wire = wireSequence(sequence);
  const payload = Uint8Array.from(
    { length: (wire * 7) % 48 },
    (_, index) => (wire * 31 + index * 17 + (wire >> 8)) & 0xff,
  );
  return serializeRtpPacket({
    marker: wire % 5 === 0,
    payloadType: 96,
    sequenceNumber: wire,
    timestamp: wireTimestamp((wire * 3000) >>> 0),
    ssrc: SSRC,
    csrcs: [],
    payload,
  });
}

export const rangeOf = (first: Sequence, count: number): Sequence[] =>
  Array.from({ length: count }, (_, index) => asSequence(first + index));

/** A repair packet as received. */
export interface Repair {
  readonly firstSequence: Sequence;
  readonly payload: RepairPayload;
}

/** An encoder that has sent `count` packets from `first` on. */
export function encoderOver(first: Sequence, count: number): RepairEncoder {
  const encoder = new RepairEncoder({ windowPackets: count, packetBytesMax: PACKET_BYTES_MAX });
  for (const sequence of rangeOf(first, count)) encoder.add(sequence, packetOf(sequence));
  return encoder;
}

export function repairOf(encoder: RepairEncoder, request: RepairRequest): Repair {
  const payload = parseRepairPayload(encoder.repair(request));
  if (!payload.ok) throw new Error(payload.malformed);
  return { firstSequence: extend(payload.value.firstSequence, request.lastSequence), payload: payload.value };
}

export const decoderOf = (options: Partial<RepairDecoderOptions> = {}): RepairDecoder =>
  new RepairDecoder({
    ssrc: SSRC,
    windowPackets: 16,
    equationsMax: 16,
    packetBytesMax: PACKET_BYTES_MAX,
    ...options,
  });

/** Expected result for a recovered packet. */
export const recovered = (sequence: Sequence) => ({ sequence, packet: packetOf(sequence) });
