import { assert } from '../base/assert.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { distance, type WireSequence, wireSequence } from '../rtp/sequence.ts';
import { RTCP_HEADER_BYTES, RTCP_TYPE, type RtcpBlock, writeRtcpHeader } from './rtcp-block.ts';

/**
 * Generic NACK (RFC 4585 §6.2.1): the header with feedback message type 1, the two SSRCs, then any number of
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |            PID                |             BLP               |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * PID: a lost packet. BLP: bit i, counted from the least significant, is set when packet PID + i + 1 is lost as well.
 */
export interface Nack {
  readonly kind: 'nack';
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
  /** At least one. Stream order needs the fewest entries. */
  readonly sequenceNumbers: readonly WireSequence[];
}

/** Picture loss indication (RFC 4585 §6.3.1): the header with feedback message type 1 and the two SSRCs. */
export interface PictureLossIndication {
  readonly kind: 'picture-loss-indication';
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
}

/** Feedback message type of both: RFC 4585 §6.2.1 and §6.3.1 number them separately. */
export const FEEDBACK_NACK = 1;
export const FEEDBACK_PICTURE_LOSS = 1;

const SSRCS_BYTES = 8;
const NACK_ENTRY_BYTES = 4;
const BLP_BITS = 16;

export function parseNack({ bytes, bodyAt, bodyEnd }: RtcpBlock): Parsed<Nack> {
  if (bodyEnd - bodyAt < SSRCS_BYTES + NACK_ENTRY_BYTES) return malformed('nack-truncated');
  const sequenceNumbers: WireSequence[] = [];
  for (let offset = bodyAt + SSRCS_BYTES; offset < bodyEnd; offset += NACK_ENTRY_BYTES) {
    const first = wireSequence(readUint16(bytes, offset));
    const following = readUint16(bytes, offset + 2);
    sequenceNumbers.push(first);
    for (let bit = 0; following >> bit !== 0; bit++) {
      if ((following & (1 << bit)) !== 0) sequenceNumbers.push(wireSequence((first + bit + 1) & 0xffff));
    }
  }
  return parsed({
    kind: 'nack',
    senderSsrc: readUint32(bytes, bodyAt),
    mediaSsrc: readUint32(bytes, bodyAt + 4),
    sequenceNumbers,
  });
}

export function parsePictureLossIndication({ bytes, bodyAt, bodyEnd }: RtcpBlock): Parsed<PictureLossIndication> {
  if (bodyEnd - bodyAt !== SSRCS_BYTES) return malformed('picture-loss-indication-length');
  return parsed({
    kind: 'picture-loss-indication',
    senderSsrc: readUint32(bytes, bodyAt),
    mediaSsrc: readUint32(bytes, bodyAt + 4),
  });
}

/** Size of the whole packet. */
export const nackBytes = ({ sequenceNumbers }: Nack): number =>
  RTCP_HEADER_BYTES + SSRCS_BYTES + nackEntries(sequenceNumbers) * NACK_ENTRY_BYTES;

export const PICTURE_LOSS_INDICATION_BYTES = RTCP_HEADER_BYTES + SSRCS_BYTES;

export function writeNack(target: Uint8Array, offset: number, nack: Nack): void {
  const { senderSsrc, mediaSsrc, sequenceNumbers } = nack;
  assert(sequenceNumbers.length > 0, 'a NACK must contain at least one sequence number');
  const bodyBytes = nackBytes(nack) - RTCP_HEADER_BYTES;
  const header = { count: FEEDBACK_NACK, packetType: RTCP_TYPE.transportFeedback, bodyBytes };
  const body = writeRtcpHeader(target, offset, header);
  writeUint32(target, body, senderSsrc);
  writeUint32(target, body + 4, mediaSsrc);
  let entry = body + SSRCS_BYTES;
  for (let index = 0; index < sequenceNumbers.length; entry += NACK_ENTRY_BYTES) {
    const next = entryEnd(sequenceNumbers, index);
    const first = sequenceNumbers[index]!;
    let following = 0;
    for (index++; index < next; index++) following |= 1 << (distance(first, sequenceNumbers[index]!) - 1);
    writeUint16(target, entry, first);
    writeUint16(target, entry + 2, following);
  }
}

function nackEntries(sequenceNumbers: readonly WireSequence[]): number {
  let entries = 0;
  for (let index = 0; index < sequenceNumbers.length; index = entryEnd(sequenceNumbers, index)) entries++;
  return entries;
}

/**
 * Index after the last sequence number in this NACK entry. An entry takes numbers up to its PID + 16, in ascending
 * order.
 */
function entryEnd(sequenceNumbers: readonly WireSequence[], start: number): number {
  let last = 0;
  let end = start + 1;
  for (; end < sequenceNumbers.length; end++) {
    const ahead = distance(sequenceNumbers[start]!, sequenceNumbers[end]!);
    if (ahead <= last || ahead > BLP_BITS) break;
    last = ahead;
  }
  return end;
}

export function writePictureLossIndication(target: Uint8Array, offset: number, packet: PictureLossIndication): void {
  const header = { count: FEEDBACK_PICTURE_LOSS, packetType: RTCP_TYPE.payloadFeedback, bodyBytes: SSRCS_BYTES };
  const body = writeRtcpHeader(target, offset, header);
  writeUint32(target, body, packet.senderSsrc);
  writeUint32(target, body + 4, packet.mediaSsrc);
}
