import { readUint16 } from '../base/big-endian.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import type { ApplicationPacket } from '../rtcp/rtcp-application.ts';
import { type WireSequence, wireSequence } from '../rtp/sequence.ts';

/** Name of the application-defined packets of RIST. */
const NAME = 'RIST';
const SUBTYPE = { rangeRequest: 0, echoRequest: 2, echoResponse: 3 } as const;
const RANGE_BYTES = 4;
/** 64-bit time of the request, and 32 bits of delay. */
const ECHO_BYTES = 12;
const TIME_BYTES = 8;

/** Consecutive lost packets. */
export interface SequenceRange {
  readonly first: WireSequence;
  /** 1 … 65,536. */
  readonly count: number;
}

/**
 * Messages of RIST Simple Profile (VSF TR-06-1) in application-defined packets (RFC 3550 §6.7) named "RIST".
 *
 * Subtype 0, range-based request for retransmissions; the SSRC is that of the media:
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |      first lost packet        |   number of those after it    |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Subtypes 2 and 3, request and response of a round-trip measurement:
 *
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |          time at the sender of the request, 64 bits           |
 *    |                                                               |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |   time between request and response at the other, µs          |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export type RistMessage =
  | { readonly kind: 'range-request'; readonly ranges: readonly SequenceRange[] }
  /** @see echoResponse */
  | { readonly kind: 'echo-request'; readonly time: Uint8Array }
  /** A message that is not used here. */
  | { readonly kind: 'other' };

/** @returns `undefined` for a packet that is not one of RIST. */
export function parseRistMessage({ name, subtype, data }: ApplicationPacket): Parsed<RistMessage> | undefined {
  if (name !== NAME) return undefined;
  if (subtype === SUBTYPE.rangeRequest) {
    if (data.length === 0) return malformed('rist-request-empty');
    const ranges: SequenceRange[] = [];
    for (let at = 0; at < data.length; at += RANGE_BYTES) {
      ranges.push({ first: wireSequence(readUint16(data, at)), count: readUint16(data, at + 2) + 1 });
    }
    return parsed({ kind: 'range-request', ranges });
  }
  if (subtype !== SUBTYPE.echoRequest) return parsed({ kind: 'other' });
  if (data.length < ECHO_BYTES) return malformed('rist-echo-truncated');
  return parsed({ kind: 'echo-request', time: data.slice(0, TIME_BYTES) });
}

/** Returns the response to a request of a round-trip measurement, sent without delay. @param ssrc of the media. */
export function echoResponse(ssrc: number, time: Uint8Array): ApplicationPacket {
  const data = new Uint8Array(ECHO_BYTES);
  data.set(time);
  return { kind: 'application', ssrc, subtype: SUBTYPE.echoResponse, name: NAME, data };
}
