import { readUint16 } from '../base/big-endian.ts';
import { utf8Text } from '../base/text-codec.ts';
import {
  INTERLEAVED_HEADER_BYTES,
  INTERLEAVED_MARK,
  type InterleavedFrame,
  type RtspHeader,
  type RtspRequest,
  type RtspResponse,
} from './rtsp-message.ts';
import type { RtspStatus } from './rtsp-status.ts';

/** Item that a peer sends on an RTSP connection. */
export type RtspItem = RtspRequest | RtspResponse | InterleavedFrame;

/** Why the bytes of a peer are refused. The connection is over, because the boundaries of its messages are lost. */
export interface RtspRefusal {
  /** Status of the last answer. */
  readonly status: RtspStatus;
  readonly cause: string;
}

/** Bounds of what a peer makes this end keep, bytes. Players send 200 bytes a request, credentials 300 more. */
const START_LINE_BYTES_MAX = 2_048;
const LONG_LINE = `the first line is longer than ${START_LINE_BYTES_MAX} bytes`;
const HEAD_BYTES_MAX = 8_192;
const BODY_BYTES_MAX = 16_384;
const HEADERS_MAX = 64;

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

/** The bytes between two messages, which mean nothing. */
const isLineEnd = (byte: number | undefined): boolean => byte === CARRIAGE_RETURN || byte === LINE_FEED;

/**
 * Reads requests, responses and interleaved packets (RFC 2326 §4, §10.12) from a byte stream cut at arbitrary points.
 * Accepts single line feeds as line ends, as servers should (RFC 7826 §5.1).
 */
export class RtspReader {
  #buffer = new Uint8Array(0);
  #length = 0;
  /** Bytes of the buffer that contain no end of a head. */
  #searched = 0;
  /** Bytes of the first message in the buffer, known once its head is. */
  #awaited = 0;
  #refusal: RtspRefusal | undefined;

  /** Bytes of an incomplete message; stays above 0 only while the peer stalls. */
  get pendingBytes(): number {
    return this.#length;
  }

  /** Reason why nothing more is read; `undefined` while all is well. */
  get refusal(): RtspRefusal | undefined {
    return this.#refusal;
  }

  /** Returns what `chunk` completes, in order. */
  push(chunk: Uint8Array): RtspItem[] {
    if (this.#refusal) return [];
    this.#append(chunk);
    if (this.#length < this.#awaited) return [];
    const items: RtspItem[] = [];
    this.#awaited = 0;
    let at = 0;
    while (!this.#refusal) {
      while (at < this.#length && isLineEnd(this.#buffer[at])) at++;
      if (at === this.#length) break;
      const read = this.#buffer[at] === INTERLEAVED_MARK ? this.#readFrame(at) : this.#readMessage(at);
      if (!read) break;
      items.push(read.item);
      at = read.end;
      this.#searched = at;
    }
    this.#discard(at);
    return items;
  }

  #append(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(length, this.#buffer.length * 2));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#length);
    this.#length = length;
  }

  #discard(bytes: number): void {
    if (bytes === 0) return;
    // A copy: what was returned refers to the old buffer.
    this.#buffer = this.#buffer.slice(bytes, this.#length);
    this.#length = this.#buffer.length;
    this.#searched = Math.max(0, this.#searched - bytes);
  }

  #readFrame(at: number): { item: RtspItem; end: number } | undefined {
    if (this.#length - at < INTERLEAVED_HEADER_BYTES) return undefined;
    const from = at + INTERLEAVED_HEADER_BYTES;
    const end = from + readUint16(this.#buffer, at + 2);
    if (end > this.#length) return undefined;
    const payload = this.#buffer.subarray(from, end);
    return { item: { kind: 'interleaved', channel: this.#buffer[at + 1]!, payload }, end };
  }

  #readMessage(at: number): { item: RtspItem; end: number } | undefined {
    const headEnd = this.#headEnd(at);
    if (headEnd === undefined) return undefined;
    const lines = utf8Text(this.#buffer.subarray(at, headEnd)).split(/\r?\n/);
    if (lines[0]!.length > START_LINE_BYTES_MAX) return this.#refuse(414, LONG_LINE);
    const headers = readHeaders(lines.slice(1));
    if (!headers) return this.#refuse(400, 'a header field is malformed');
    if (headers.length > HEADERS_MAX) return this.#refuse(413, `there are more than ${HEADERS_MAX} header fields`);
    const lengths = headers.filter(([name]) => name.toLowerCase() === 'content-length').map(([, value]) => value);
    const [length = '0'] = lengths;
    // Two lengths are two opinions of where the next message begins.
    if (!/^\d{1,15}$/.test(length) || lengths.some((other) => other !== length)) {
      return this.#refuse(400, 'Content-Length is malformed');
    }
    const bodyBytes = Number(length);
    if (bodyBytes > BODY_BYTES_MAX) return this.#refuse(413, `the body is longer than ${BODY_BYTES_MAX} bytes`);
    const start = readStartLine(lines[0]!);
    if ('status' in start && 'cause' in start) return this.#refuse(start.status, start.cause);
    const end = headEnd + bodyBytes;
    if (end > this.#length) {
      this.#awaited = end - at;
      return undefined;
    }
    return { item: { ...start, headers, body: this.#buffer.subarray(headEnd, end) }, end };
  }

  /** Returns the index after the empty line; `undefined` when it has not arrived. */
  #headEnd(at: number): number | undefined {
    const buffer = this.#buffer;
    // The last three bytes may be the beginning of what is searched for.
    for (let index = Math.max(at, this.#searched - 3); index < this.#length; index++) {
      if (index - at > HEAD_BYTES_MAX) return this.#refuse(413, `the head is longer than ${HEAD_BYTES_MAX} bytes`);
      if (buffer[index] !== LINE_FEED) continue;
      const next = buffer[index + 1] === CARRIAGE_RETURN ? index + 2 : index + 1;
      if (next < this.#length && buffer[next] === LINE_FEED) return next + 1;
    }
    this.#searched = this.#length;
    const line = buffer.subarray(at, Math.min(this.#length, at + START_LINE_BYTES_MAX + 1));
    if (line.length > START_LINE_BYTES_MAX && !line.includes(LINE_FEED)) {
      return this.#refuse(414, LONG_LINE);
    }
    return undefined;
  }

  #refuse(status: RtspStatus, cause: string): undefined {
    this.#refusal = { status, cause };
    return undefined;
  }
}

type StartLine = Pick<RtspRequest, 'kind' | 'method' | 'uri'> | Pick<RtspResponse, 'kind' | 'status' | 'reason'>;

function readStartLine(line: string): StartLine | RtspRefusal {
  const request = /^([!#$%&'*+.^_`|~\w-]{1,32}) ([!-~]+) (\S+)$/.exec(line);
  const response = /^RTSP\/1\.0 ([1-5]\d\d) ?(.*)$/.exec(line);
  if (response) return { kind: 'response', status: Number(response[1]), reason: response[2]! };
  if (!request) return { status: 400, cause: 'the first line is no request' };
  const [, method = '', uri = '', version = ''] = request;
  if (version === 'RTSP/1.0') return { kind: 'request', method: method.toUpperCase(), uri };
  const isOther = /^RTSP\/\d{1,3}\.\d{1,3}$/.test(version);
  return isOther
    ? { status: 505, cause: `the version is ${version}; this server speaks RTSP/1.0` }
    : { status: 400, cause: 'the peer does not speak RTSP' };
}

const CONTROL = /[^\P{Cc}\t]/u;

/** Returns the header fields; `undefined` when one is malformed. */
function readHeaders(lines: readonly string[]): RtspHeader[] | undefined {
  const headers: [name: string, value: string][] = [];
  for (const line of lines) {
    if (line === '') continue;
    // Such as a carriage return alone, which other readers take for a line end.
    if (CONTROL.test(line)) return undefined;
    const last = headers.at(-1);
    // A continued line (RFC 2326 §4 with RFC 2616 §2.2).
    if (/^[ \t]/.test(line) && last) {
      last[1] = `${last[1]} ${line.trim()}`;
      continue;
    }
    const field = /^([!#$%&'*+.^_`|~\w-]+)[ \t]*:(.*)$/.exec(line);
    if (!field) return undefined;
    headers.push([field[1]!, field[2]!.trim()]);
  }
  return headers;
}
