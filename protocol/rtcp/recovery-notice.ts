import { readUint16, readUint32, writeUint16, writeUint32 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { type Microseconds, microseconds } from '../base/units.ts';
import type { ApplicationPacket } from './rtcp-application.ts';

/**
 * What a receiver that recovers by deadline and its sender tell each other, in RTCP application packets (RFC 3550 §6.7, name `DFRM`).
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
 *    | recent loss, of 65536 packets |D|      queueing, 0.1 ms       |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                    spacing, microseconds                      |
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
  /** The same share of late, in the last third of a second or so. */
  readonly recentLoss: number;
  /** How much later than on the fastest path seen even the least delayed packet came of late. */
  readonly queueing: Microseconds;
  /** Frames are of use whose reference is missing. */
  readonly showsDamaged: boolean;
  /** From packet to packet where they were sent at once: what the bottleneck takes for each; 0: not known. */
  readonly spacing: Microseconds;
}

/**
 * Subtype 9, request: says of the NACK behind it, in the same datagram, which request it is.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |            number             |L|D|         reserved          |
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
  /** The packets are of use to the decoder alone: they are too late to be shown. */
  readonly late: boolean;
  /** Counted from when the request is sent. */
  readonly usefulFor: Microseconds;
}

/**
 * Subtype 10, withheld: the sender says how many frames it has not sent, as the path does not carry them all.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                    frames, since the start                    |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface WithheldNotice {
  readonly kind: 'withheld';
  readonly frames: number;
}

export type RecoveryNotice = PathNotice | RequestNotice | WithheldNotice;

const NAME = 'DFRM';
const PATH_SUBTYPE = 8;
const REQUEST_SUBTYPE = 9;
const WITHHELD_SUBTYPE = 10;
const PATH_BYTES = 20;
/** Without the spacing, as earlier receivers say it. */
const PATH_BYTES_MIN = 16;
const REQUEST_BYTES = 8;
const WITHHELD_BYTES = 4;
const LAST = 0x8000;
const LATE = 0x4000;
const SHOWS_DAMAGED = 0x8000;
const QUEUEING_UNIT: Microseconds = microseconds(100);
const QUEUEING_MAX = 0x7fff;
const SPAN_MAX: Microseconds = microseconds(0xffff_ffff);

const SUBTYPES: Readonly<Record<RecoveryNotice['kind'], number>> = {
  path: PATH_SUBTYPE,
  request: REQUEST_SUBTYPE,
  withheld: WITHHELD_SUBTYPE,
};

export function recoveryNoticePacket(ssrc: number, notice: RecoveryNotice): ApplicationPacket {
  return { kind: 'application', ssrc, subtype: SUBTYPES[notice.kind], name: NAME, data: dataOf(notice) };
}

function dataOf(notice: RecoveryNotice): Uint8Array {
  switch (notice.kind) {
    case 'path': {
      const data = new Uint8Array(PATH_BYTES);
      writeUint32(data, 0, span(notice.latency));
      writeUint32(data, 4, span(notice.answerTime));
      writeUint16(data, 8, share(notice.loss));
      writeUint16(data, 10, Math.max(0x100, Math.min(0xffff, Math.round(notice.burst * 0x100))));
      writeUint16(data, 12, share(notice.recentLoss));
      const queueing = Math.min(QUEUEING_MAX, Math.round(notice.queueing / QUEUEING_UNIT));
      writeUint16(data, 14, (notice.showsDamaged ? SHOWS_DAMAGED : 0) | queueing);
      writeUint32(data, 16, span(notice.spacing));
      return data;
    }
    case 'request': {
      const data = new Uint8Array(REQUEST_BYTES);
      writeUint16(data, 0, notice.number);
      writeUint16(data, 2, (notice.last ? LAST : 0) | (notice.late ? LATE : 0));
      writeUint32(data, 4, span(notice.usefulFor));
      return data;
    }
    case 'withheld': {
      const data = new Uint8Array(WITHHELD_BYTES);
      writeUint32(data, 0, notice.frames % 0x1_0000_0000);
      return data;
    }
  }
}

const share = (value: number): number => Math.min(0xffff, Math.ceil(value * 0x1_0000));

const span = (value: Microseconds): number => Math.max(0, Math.min(SPAN_MAX, Math.round(value)));

/** `undefined`: an application packet, but not one of these. Data beyond what is known is for those who know it. */
export function parseRecoveryNotice({ name, subtype, data }: ApplicationPacket): Parsed<RecoveryNotice | undefined> {
  if (name !== NAME) return parsed(undefined);
  switch (subtype) {
    case PATH_SUBTYPE:
      if (data.length < PATH_BYTES_MIN) return malformed('path-notice-cut');
      return parsed({
        kind: 'path',
        latency: microseconds(readUint32(data, 0)),
        answerTime: microseconds(readUint32(data, 4)),
        loss: readUint16(data, 8) / 0x1_0000,
        burst: Math.max(1, readUint16(data, 10) / 0x100),
        recentLoss: readUint16(data, 12) / 0x1_0000,
        queueing: microseconds((readUint16(data, 14) & QUEUEING_MAX) * QUEUEING_UNIT),
        showsDamaged: (readUint16(data, 14) & SHOWS_DAMAGED) !== 0,
        spacing: microseconds(data.length < PATH_BYTES ? 0 : readUint32(data, 16)),
      });
    case REQUEST_SUBTYPE:
      if (data.length < REQUEST_BYTES) return malformed('request-notice-cut');
      return parsed({
        kind: 'request',
        number: readUint16(data, 0),
        last: (readUint16(data, 2) & LAST) !== 0,
        late: (readUint16(data, 2) & LATE) !== 0,
        usefulFor: microseconds(readUint32(data, 4)),
      });
    case WITHHELD_SUBTYPE:
      if (data.length < WITHHELD_BYTES) return malformed('withheld-notice-cut');
      return parsed({ kind: 'withheld', frames: readUint32(data, 0) });
    default:
      return parsed(undefined);
  }
}
