import { readUint16, readUint32, writeUint16, writeUint32 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { type Microseconds, microseconds } from '../base/units.ts';
import { type WireSequence, wireSequence } from '../rtp/sequence.ts';
import type { ApplicationPacket } from './rtcp-application.ts';

/**
 * Messages between a deadline-recovery receiver and its sender, in RTCP application packets (RFC 3550 §6.7, name
 * `DFRM`). A peer that does not know them skips them, and still understands the NACK that follows a request.
 *
 * Subtype 8, path: the receiver's measurements of the path.
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
 *    | answers late, of 65536 losses |           reserved            |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface PathNotice {
  readonly kind: 'path';
  /** Play-out delay: time from the fastest observed transit to a frame's deadline. */
  readonly latency: Microseconds;
  /** Time from a request to its answer, including path variation; 0: unknown. */
  readonly answerTime: Microseconds;
  /** Share of packets lost on their first transmission, 0 … 1. */
  readonly loss: number;
  /** Mean number of consecutive losses, 1 … 255. */
  readonly burst: number;
  /** The same share over roughly the last third of a second. */
  readonly recentLoss: number;
  /** Recent queueing delay: lowest recent transit time minus the lowest transit time ever seen. */
  readonly queueing: Microseconds;
  /** True when the receiver shows frames whose reference is missing. */
  readonly showsDamaged: boolean;
  /**
   * Time between packets that were sent back to back, which is their serialization time at the bottleneck; 0: unknown.
   */
  readonly spacing: Microseconds;
  /** Share of the lost packets whose first answer comes too late, 0 … 1; absent, and not sent, when all are in time. */
  readonly answersLate?: number | undefined;
}

/**
 * Subtype 9, request: describes the NACK that follows it in the same datagram.
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
  /** 0…65535. Copies of a request share a number and are answered once. */
  readonly number: number;
  /** True when a later request could not be answered in time. */
  readonly last: boolean;
  /** True when the packets can no longer be shown and serve the decoder only. */
  readonly late: boolean;
  /** Time for which an answer is useful, counted from the transmission of the request. */
  readonly usefulFor: Microseconds;
}

/**
 * Subtype 10, withheld: number of frames that the sender did not send because they exceed the path's capacity.
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

/**
 * Subtype 11, reports wanted: the sender requests reports on single packets (RFC 8888). Repeated at least once a
 * second.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                   interval, microseconds                      |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface ReportsWantedNotice {
  readonly kind: 'reports-wanted';
  /** Shortest interval between two reports; 0: no reports. */
  readonly interval: Microseconds;
}

/**
 * Subtype 12, queue: queueing delay of the newest packet, while there is any.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |        sequence number        |R|      queueing, 0.1 ms       |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                     latency, microseconds                     |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface QueueNotice {
  readonly kind: 'queue';
  /** Newest media packet received. */
  readonly sequence: WireSequence;
  /** Its transit time minus the shortest of late; counted from the hand-over of its frame, as the latency is. */
  readonly queueing: Microseconds;
  /** True when every frame is recorded, also one that is too late to be shown. */
  readonly records: boolean;
  /** Play-out delay: time from the fastest observed transit to a frame's deadline. */
  readonly latency: Microseconds;
}

/**
 * Subtype 13, sent: the newest media packet sent. Shows the receiver that the packets up to it have been sent.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |        sequence number        |           reserved            |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface SentNotice {
  readonly kind: 'sent';
  readonly sequence: WireSequence;
}

export type RecoveryNotice =
  | PathNotice
  | RequestNotice
  | WithheldNotice
  | ReportsWantedNotice
  | QueueNotice
  | SentNotice;

const NAME = 'DFRM';
const PATH_SUBTYPE = 8;
const REQUEST_SUBTYPE = 9;
const WITHHELD_SUBTYPE = 10;
const REPORTS_WANTED_SUBTYPE = 11;
const QUEUE_SUBTYPE = 12;
const SENT_SUBTYPE = 13;
/** Sizes of a path notice without and with the spacing, as earlier receivers send it, and with late answers. */
const PATH_BYTES_MIN = 16;
const PATH_BYTES = 20;
const PATH_BYTES_MAX = 24;
const REQUEST_BYTES = 8;
const WITHHELD_BYTES = 4;
const REPORTS_WANTED_BYTES = 4;
const QUEUE_BYTES = 8;
const SENT_BYTES = 4;
const LAST = 0x8000;
const LATE = 0x4000;
const SHOWS_DAMAGED = 0x8000;
const RECORDS = 0x8000;
const QUEUEING_UNIT: Microseconds = microseconds(100);
const QUEUEING_MAX = 0x7fff;
const SPAN_MAX: Microseconds = microseconds(0xffff_ffff);

const SUBTYPES: Readonly<Record<RecoveryNotice['kind'], number>> = {
  path: PATH_SUBTYPE,
  request: REQUEST_SUBTYPE,
  withheld: WITHHELD_SUBTYPE,
  'reports-wanted': REPORTS_WANTED_SUBTYPE,
  queue: QUEUE_SUBTYPE,
  sent: SENT_SUBTYPE,
};

export function recoveryNoticePacket(ssrc: number, notice: RecoveryNotice): ApplicationPacket {
  return { kind: 'application', ssrc, subtype: SUBTYPES[notice.kind], name: NAME, data: dataOf(notice) };
}

function dataOf(notice: RecoveryNotice): Uint8Array {
  switch (notice.kind) {
    case 'path': {
      const data = new Uint8Array(notice.answersLate ? PATH_BYTES_MAX : PATH_BYTES);
      writeUint32(data, 0, span(notice.latency));
      writeUint32(data, 4, span(notice.answerTime));
      writeUint16(data, 8, share(notice.loss));
      writeUint16(data, 10, Math.max(0x100, Math.min(0xffff, Math.round(notice.burst * 0x100))));
      writeUint16(data, 12, share(notice.recentLoss));
      writeUint16(data, 14, (notice.showsDamaged ? SHOWS_DAMAGED : 0) | queueingUnits(notice.queueing));
      writeUint32(data, 16, span(notice.spacing));
      if (notice.answersLate) writeUint16(data, 20, share(notice.answersLate));
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
    case 'reports-wanted': {
      const data = new Uint8Array(REPORTS_WANTED_BYTES);
      writeUint32(data, 0, span(notice.interval));
      return data;
    }
    case 'queue': {
      const data = new Uint8Array(QUEUE_BYTES);
      writeUint16(data, 0, notice.sequence);
      writeUint16(data, 2, (notice.records ? RECORDS : 0) | queueingUnits(notice.queueing));
      writeUint32(data, 4, span(notice.latency));
      return data;
    }
    case 'sent': {
      const data = new Uint8Array(SENT_BYTES);
      writeUint16(data, 0, notice.sequence);
      return data;
    }
  }
}

const share = (value: number): number => Math.min(0xffff, Math.ceil(value * 0x1_0000));

const queueingUnits = (value: Microseconds): number =>
  Math.max(0, Math.min(QUEUEING_MAX, Math.round(value / QUEUEING_UNIT)));

const span = (value: Microseconds): number => Math.max(0, Math.min(SPAN_MAX, Math.round(value)));

/** Returns the notice; `undefined` for any other application packet. Trailing data of newer versions are ignored. */
export function parseRecoveryNotice({ name, subtype, data }: ApplicationPacket): Parsed<RecoveryNotice | undefined> {
  if (name !== NAME) return parsed(undefined);
  switch (subtype) {
    case PATH_SUBTYPE:
      if (data.length < PATH_BYTES_MIN) return malformed('path-notice-truncated');
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
        ...(data.length >= PATH_BYTES_MAX && { answersLate: readUint16(data, 20) / 0x1_0000 }),
      });
    case REQUEST_SUBTYPE:
      if (data.length < REQUEST_BYTES) return malformed('request-notice-truncated');
      return parsed({
        kind: 'request',
        number: readUint16(data, 0),
        last: (readUint16(data, 2) & LAST) !== 0,
        late: (readUint16(data, 2) & LATE) !== 0,
        usefulFor: microseconds(readUint32(data, 4)),
      });
    case WITHHELD_SUBTYPE:
      if (data.length < WITHHELD_BYTES) return malformed('withheld-notice-truncated');
      return parsed({ kind: 'withheld', frames: readUint32(data, 0) });
    case REPORTS_WANTED_SUBTYPE:
      if (data.length < REPORTS_WANTED_BYTES) return malformed('reports-wanted-notice-truncated');
      return parsed({ kind: 'reports-wanted', interval: microseconds(readUint32(data, 0)) });
    case QUEUE_SUBTYPE:
      if (data.length < QUEUE_BYTES) return malformed('queue-notice-truncated');
      return parsed({
        kind: 'queue',
        sequence: wireSequence(readUint16(data, 0)),
        queueing: microseconds((readUint16(data, 2) & QUEUEING_MAX) * QUEUEING_UNIT),
        records: (readUint16(data, 2) & RECORDS) !== 0,
        latency: microseconds(readUint32(data, 4)),
      });
    case SENT_SUBTYPE:
      if (data.length < SENT_BYTES) return malformed('sent-notice-truncated');
      return parsed({ kind: 'sent', sequence: wireSequence(readUint16(data, 0)) });
    default:
      return parsed(undefined);
  }
}
