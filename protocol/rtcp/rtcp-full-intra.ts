import { readUint32, writeUint32 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { RTCP_HEADER_BYTES, RTCP_TYPE, type RtcpBlock, writeRtcpHeader } from './rtcp-block.ts';

/**
 * Full intra request (RFC 5104 §4.3.1): the header with feedback message type 4, the SSRC of its sender, 0 in place of
 * the media's, then for each commanded stream
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                              SSRC                             |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    | Seq nr.       |    Reserved                                   |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface FullIntraRequest {
  readonly kind: 'full-intra-request';
  readonly senderSsrc: number;
  /** At least one. */
  readonly commands: readonly FullIntraCommand[];
}

/** Command to one stream in a full intra request (RFC 5104 §4.3.1.1). */
export interface FullIntraCommand {
  /** SSRC of the stream that is to send a key frame. */
  readonly ssrc: number;
  /** Number of the command, modulo 256; a repetition of the command has the same. */
  readonly number: number;
}

/** Feedback message type (RFC 5104 §4.3.1). */
export const FEEDBACK_FULL_INTRA = 4;

const SSRCS_BYTES = 8;
const COMMAND_BYTES = 8;

export function parseFullIntraRequest({ bytes, bodyAt, bodyEnd }: RtcpBlock): Parsed<FullIntraRequest> {
  const commandBytes = bodyEnd - bodyAt - SSRCS_BYTES;
  if (commandBytes < COMMAND_BYTES || commandBytes % COMMAND_BYTES !== 0) return malformed('full-intra-request-length');
  const commands: FullIntraCommand[] = [];
  for (let offset = bodyAt + SSRCS_BYTES; offset < bodyEnd; offset += COMMAND_BYTES) {
    commands.push({ ssrc: readUint32(bytes, offset), number: bytes[offset + 4]! });
  }
  return parsed({ kind: 'full-intra-request', senderSsrc: readUint32(bytes, bodyAt), commands });
}

/** Size of the whole packet. */
export const fullIntraRequestBytes = ({ commands }: FullIntraRequest): number =>
  RTCP_HEADER_BYTES + SSRCS_BYTES + commands.length * COMMAND_BYTES;

export function writeFullIntraRequest(target: Uint8Array, offset: number, request: FullIntraRequest): void {
  const bodyBytes = fullIntraRequestBytes(request) - RTCP_HEADER_BYTES;
  const header = { count: FEEDBACK_FULL_INTRA, packetType: RTCP_TYPE.payloadFeedback, bodyBytes };
  const body = writeRtcpHeader(target, offset, header);
  writeUint32(target, body, request.senderSsrc);
  writeUint32(target, body + 4, 0);
  let at = body + SSRCS_BYTES;
  for (const { ssrc, number } of request.commands) {
    writeUint32(target, at, ssrc);
    writeUint32(target, at + 4, (number & 0xff) * 0x100_0000);
    at += COMMAND_BYTES;
  }
}
