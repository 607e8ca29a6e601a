import { readUint16, readUint32, writeUint16, writeUint32 } from '../../protocol/base/big-endian.ts';
import type { WireByteSequence } from './byte-sequence.ts';

/** A range that arrived beyond a gap, or twice (RFC 2018 §3, RFC 2883 §4); the end is exclusive. */
export interface WireSackBlock {
  readonly start: WireByteSequence;
  readonly end: WireByteSequence;
}

/** Timestamps option (RFC 7323 §3.2): the sender's clock, milliseconds, and the newest value received from the peer. */
export interface TcpTimestamps {
  readonly value: number;
  readonly echo: number;
}

/** TCP options; `undefined` or `[]` when absent. */
export interface TcpOptions {
  /** Largest segment that the sender of this SYN accepts, options included (RFC 9293 §3.7.1), bytes. */
  readonly maximumSegmentSize?: number;
  /** Window scale of the sender of this SYN, 0 … 14 bits (RFC 7323 §2.2). */
  readonly windowScale?: number;
  readonly sackPermitted?: boolean;
  readonly timestamps?: TcpTimestamps;
  /** At most `SACK_BLOCKS_MAX` blocks. */
  readonly sackBlocks?: readonly WireSackBlock[];
}

/** With timestamps, at most three blocks fit into 40 bytes of options (RFC 2018 §3). */
export const SACK_BLOCKS_MAX = 3;

/** Option kinds (IANA registry "TCP Option Kind Numbers"). */
const END = 0;
const NO_OPERATION = 1;
const MAXIMUM_SEGMENT_SIZE = 2;
const WINDOW_SCALE = 3;
const SACK_PERMITTED = 4;
const SACK = 5;
const TIMESTAMPS = 8;

export function optionBytes(options: TcpOptions): number {
  const blocks = options.sackBlocks?.length ?? 0;
  return (
    (options.maximumSegmentSize === undefined ? 0 : 4) +
    (options.windowScale === undefined ? 0 : 4) +
    (options.sackPermitted ? 4 : 0) +
    (options.timestamps === undefined ? 0 : 12) +
    (blocks === 0 ? 0 : 4 + 8 * blocks)
  );
}

/** Writes the options, each padded in front to a multiple of four bytes. */
export function writeOptions(target: Uint8Array, at: number, options: TcpOptions): void {
  let offset = at;
  const begin = (padding: number, kind: number, length: number) => {
    for (let n = 0; n < padding; n++) target[offset++] = NO_OPERATION;
    target[offset] = kind;
    target[offset + 1] = length;
    offset += length;
    return offset - length + 2;
  };
  if (options.maximumSegmentSize !== undefined) {
    writeUint16(target, begin(0, MAXIMUM_SEGMENT_SIZE, 4), options.maximumSegmentSize);
  }
  if (options.windowScale !== undefined) target[begin(1, WINDOW_SCALE, 3)] = options.windowScale;
  if (options.sackPermitted) begin(2, SACK_PERMITTED, 2);
  if (options.timestamps !== undefined) {
    const body = begin(2, TIMESTAMPS, 10);
    writeUint32(target, body, options.timestamps.value);
    writeUint32(target, body + 4, options.timestamps.echo);
  }
  const blocks = options.sackBlocks ?? [];
  if (blocks.length === 0) return;
  let body = begin(2, SACK, 2 + 8 * blocks.length);
  for (const { start, end } of blocks) {
    writeUint32(target, body, start);
    writeUint32(target, body + 4, end);
    body += 8;
  }
}

/** Reads the options between two offsets; `undefined` when a length is invalid. Unknown kinds are skipped. */
export function readOptions(bytes: Uint8Array, from: number, to: number): TcpOptions | undefined {
  const options: { -readonly [K in keyof TcpOptions]: TcpOptions[K] } = {};
  let offset = from;
  while (offset < to && bytes[offset] !== END) {
    if (bytes[offset] === NO_OPERATION) {
      offset++;
      continue;
    }
    const length = offset + 1 < to ? bytes[offset + 1]! : 0;
    if (length < 2 || offset + length > to) return undefined;
    const body = offset + 2;
    switch (bytes[offset]) {
      case MAXIMUM_SEGMENT_SIZE:
        if (length === 4) options.maximumSegmentSize = readUint16(bytes, body);
        break;
      case WINDOW_SCALE:
        if (length === 3) options.windowScale = Math.min(bytes[body]!, 14);
        break;
      case SACK_PERMITTED:
        options.sackPermitted = true;
        break;
      case TIMESTAMPS:
        if (length === 10) options.timestamps = { value: readUint32(bytes, body), echo: readUint32(bytes, body + 4) };
        break;
      case SACK:
        options.sackBlocks = readSackBlocks(bytes, body, offset + length);
        break;
      default:
    }
    offset += length;
  }
  return options;
}

function readSackBlocks(bytes: Uint8Array, from: number, to: number): WireSackBlock[] {
  const blocks: WireSackBlock[] = [];
  for (let at = from; at + 8 <= to; at += 8) {
    blocks.push({ start: readUint32(bytes, at), end: readUint32(bytes, at + 4) });
  }
  return blocks;
}
