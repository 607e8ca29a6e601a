import { assert } from './assert.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from './big-endian.ts';
import { malformed, type Parsed, parsed } from './parsed.ts';
import { newRtcpPacket, RTCP_HEADER_BYTES, RTCP_TYPE, type RtcpBlock } from './rtcp-block.ts';
import { distance, type WireSequence } from './sequence.ts';

/**
 * Generic NACK (RFC 4585 §6.2.1): the header with feedback message type 1, the two SSRCs, then any number of
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |            PID                |             BLP               |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * PID: one lost packet. BLP: bit i, counted from the least significant, is set when packet PID + i + 1 is lost too.
 */
export interface Nack {
  readonly kind: 'nack';
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
  /** At least one. They pack best in the order of the stream. */
  readonly sequenceNumbers: readonly WireSequence[];
}

/** Picture loss indication (RFC 4585 §6.3.1): the header with feedback message type 1 and the two SSRCs. */
export interface PictureLossIndication {
  readonly kind: 'picture-loss-indication';
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
}

/** The feedback message type of both: RFC 4585 §6.2.1 and §6.3.1 count them apart. */
export const FEEDBACK_NACK = 1;
export const FEEDBACK_PICTURE_LOSS = 1;

const SSRCS_BYTES = 8;
const NACK_ENTRY_BYTES = 4;
const BLP_BITS = 16;

export function parseNack({ body }: RtcpBlock): Parsed<Nack> {
  if (body.length < SSRCS_BYTES + NACK_ENTRY_BYTES) return malformed('nack-cut');
  const sequenceNumbers: WireSequence[] = [];
  for (let offset = SSRCS_BYTES; offset < body.length; offset += NACK_ENTRY_BYTES) {
    const first = readUint16(body, offset);
    const following = readUint16(body, offset + 2);
    sequenceNumbers.push(first);
    for (let bit = 0; bit < BLP_BITS; bit++) {
      if ((following & (1 << bit)) !== 0) sequenceNumbers.push((first + bit + 1) & 0xffff);
    }
  }
  return parsed({ kind: 'nack', senderSsrc: readUint32(body, 0), mediaSsrc: readUint32(body, 4), sequenceNumbers });
}

export function parsePictureLossIndication({ body }: RtcpBlock): Parsed<PictureLossIndication> {
  if (body.length !== SSRCS_BYTES) return malformed('picture-loss-indication-length');
  return parsed({
    kind: 'picture-loss-indication',
    senderSsrc: readUint32(body, 0),
    mediaSsrc: readUint32(body, 4),
  });
}

export function serializeNack({ senderSsrc, mediaSsrc, sequenceNumbers }: Nack): Uint8Array {
  assert(sequenceNumbers.length > 0, 'a NACK names at least one packet');
  const entries = packNackEntries(sequenceNumbers);
  const bodyBytes = SSRCS_BYTES + entries.length * NACK_ENTRY_BYTES;
  const packet = newRtcpPacket(FEEDBACK_NACK, RTCP_TYPE.transportFeedback, bodyBytes);
  writeUint32(packet, 4, senderSsrc);
  writeUint32(packet, 8, mediaSsrc);
  let offset = RTCP_HEADER_BYTES + SSRCS_BYTES;
  for (const entry of entries) {
    writeUint16(packet, offset, entry.first);
    writeUint16(packet, offset + 2, entry.following);
    offset += NACK_ENTRY_BYTES;
  }
  return packet;
}

interface NackEntry {
  readonly first: WireSequence;
  following: number;
}

/** A number joins the entry before it when it is among the sixteen after its PID and newer than the last that joined. */
function packNackEntries(sequenceNumbers: readonly WireSequence[]): NackEntry[] {
  const entries: NackEntry[] = [];
  let entry: NackEntry | undefined;
  let last = 0;
  for (const sequenceNumber of sequenceNumbers) {
    const ahead = entry === undefined ? 0 : distance(entry.first, sequenceNumber);
    if (entry !== undefined && ahead > last && ahead <= BLP_BITS) {
      entry.following |= 1 << (ahead - 1);
      last = ahead;
    } else {
      entry = { first: sequenceNumber, following: 0 };
      entries.push(entry);
      last = 0;
    }
  }
  return entries;
}

export function serializePictureLossIndication({ senderSsrc, mediaSsrc }: PictureLossIndication): Uint8Array {
  const packet = newRtcpPacket(FEEDBACK_PICTURE_LOSS, RTCP_TYPE.payloadFeedback, SSRCS_BYTES);
  writeUint32(packet, 4, senderSsrc);
  writeUint32(packet, 8, mediaSsrc);
  return packet;
}
