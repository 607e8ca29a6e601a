import { readUint16, readUint32, writeUint16, writeUint32 } from './big-endian.ts';
import type { Microseconds } from './instant.ts';
import { malformed, type Parsed, parsed } from './parsed.ts';
import type { ApplicationPacket } from './rtcp-application.ts';

/**
 * What a receiver that recovers by deadline tells its sender, in RTCP application packets (RFC 3550 §6.7, name `DFRM`).
 * Who does not know them skips them, and takes the NACK behind a request for what it is.
 *
 * Subtype 8, path: what the receiver measures.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                     latency, microseconds                     |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                   answer time, microseconds                   |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |     loss, of 65536 packets    |  mean run of losses, 1/256    |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface PathNotice {
  readonly kind: 'path';
  /** The play-out delay above the fastest transit: how long after its packets a frame is due. */
  readonly latency: Microseconds;
  /** From a request to its answer, the variation of the path included; 0: not known. */
  readonly answerTime: Microseconds;
  /** The share of packets that do not come by themselves, 0 … 1. */
  readonly loss: number;
  /** How many packets in a row are lost on average, 1 … 255. */
  readonly burst: number;
}

/**
 * Subtype 9, request: says of the NACK behind it, in the same datagram, which request it is.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |            number             |L|          reserved           |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |        an answer is of use for so long, microseconds          |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface RequestNotice {
  readonly kind: 'request';
  /** 0…65535: copies of a request have the same number, and are answered once. */
  readonly number: number;
  /** No later request can be answered in time. */
  readonly last: boolean;
  /** Counted from when the request is sent. */
  readonly usefulFor: Microseconds;
}

export type RecoveryNotice = PathNotice | RequestNotice;

const NAME = 'DFRM';
const PATH_SUBTYPE = 8;
const REQUEST_SUBTYPE = 9;
const PATH_BYTES = 12;
const REQUEST_BYTES = 8;
const LAST = 0x8000;
const SPAN_MAX: Microseconds = 0xffff_ffff;

export function recoveryNoticePacket(ssrc: number, notice: RecoveryNotice): ApplicationPacket {
  const path = notice.kind === 'path';
  const data = new Uint8Array(path ? PATH_BYTES : REQUEST_BYTES);
  if (path) {
    writeUint32(data, 0, span(notice.latency));
    writeUint32(data, 4, span(notice.answerTime));
    writeUint16(data, 8, Math.min(0xffff, Math.ceil(notice.loss * 0x1_0000)));
    writeUint16(data, 10, Math.max(0x100, Math.min(0xffff, Math.round(notice.burst * 0x100))));
  } else {
    writeUint16(data, 0, notice.number);
    writeUint16(data, 2, notice.last ? LAST : 0);
    writeUint32(data, 4, span(notice.usefulFor));
  }
  return { kind: 'application', ssrc, subtype: path ? PATH_SUBTYPE : REQUEST_SUBTYPE, name: NAME, data };
}

const span = (value: Microseconds): number => Math.max(0, Math.min(SPAN_MAX, Math.round(value)));

/** `undefined`: an application packet, but not one of these. Data beyond what is known is for those who know it. */
export function parseRecoveryNotice({ name, subtype, data }: ApplicationPacket): Parsed<RecoveryNotice | undefined> {
  if (name !== NAME) return parsed(undefined);
  switch (subtype) {
    case PATH_SUBTYPE:
      if (data.length < PATH_BYTES) return malformed('path-notice-cut');
      return parsed({
        kind: 'path',
        latency: readUint32(data, 0),
        answerTime: readUint32(data, 4),
        loss: readUint16(data, 8) / 0x1_0000,
        burst: Math.max(1, readUint16(data, 10) / 0x100),
      });
    case REQUEST_SUBTYPE:
      if (data.length < REQUEST_BYTES) return malformed('request-notice-cut');
      return parsed({
        kind: 'request',
        number: readUint16(data, 0),
        last: (readUint16(data, 2) & LAST) !== 0,
        usefulFor: readUint32(data, 4),
      });
    default:
      return parsed(undefined);
  }
}
