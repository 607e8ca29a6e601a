import { malformed, type Parsed, parsed } from '../base/parsed.ts';

/** Payload format that the offering end can receive. */
export interface OfferedFormat {
  /** 0 … 127. */
  readonly payloadType: number;
  /** Encoding name of `a=rtpmap`, in lower case: `h264`, `opus`, `rtx`. */
  readonly encodingName: string;
  readonly clockRate: number;
  /** Parameters of `a=fmtp`, as `name=value`. */
  readonly parameters: readonly string[];
}

/** Media description of an offer. */
export interface OfferedMedia {
  /** `video`, `audio`, or any other. */
  readonly kind: string;
  readonly protocol: string;
  /** Formats of the `m=` line, as written. */
  readonly formatList: string;
  readonly mid: string;
  readonly formats: readonly OfferedFormat[];
  /** True when media can be sent to it: it is not rejected, receives, and is RTP inside DTLS on the one transport. */
  readonly receives: boolean;
  /** Its lines, for further attributes. */
  readonly lines: readonly string[];
}

/** An offer of a WebRTC session (RFC 8829), as far as a sender needs it. Candidates are not read. */
export interface SessionOffer {
  readonly media: readonly OfferedMedia[];
  readonly iceUfrag: string;
  readonly icePwd: string;
  /** SHA-256 of the certificate: 32 bytes in hexadecimal, separated by colons. */
  readonly fingerprint: string;
  /** Role in DTLS (RFC 8842 §5). */
  readonly setup: 'actpass' | 'active' | 'passive';
}

/** Longest offer, bytes; that of a browser has 6,000. */
export const OFFER_BYTES_MAX = 65_536;
const MEDIA_MAX = 16;
const FORMATS_MAX = 128;
const LINE_CHARACTERS_MAX = 4_096;

const FINGERPRINT = /^a=fingerprint:sha-256 ((?:[0-9a-f]{2}:){31}[0-9a-f]{2})$/i;
/** Characters and lengths of RFC 8839 §5.4. */
const UFRAG = /^a=ice-ufrag:([\w+/-]{4,256})$/;
const PASSWORD = /^a=ice-pwd:([\w+/-]{22,256})$/;
const MEDIA = /^m=([a-z]{1,32}) (\d{1,5})(?:\/\d+)? ([\w/-]{1,64}) ([\w* -]{1,1024})$/i;

/** Reads an offer. */
export function parseSessionOffer(text: string): Parsed<SessionOffer> {
  if (text.length > OFFER_BYTES_MAX) return malformed('too long');
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  if (lines[0] !== 'v=0') return malformed('no session description');
  if (lines.some((line) => line.length > LINE_CHARACTERS_MAX || !/^[a-z]=/.test(line))) return malformed('a line');
  const sections: string[][] = [[]];
  for (const line of lines) {
    if (line.startsWith('m=')) sections.push([]);
    sections[sections.length - 1]!.push(line);
  }
  const [session = [], ...described] = sections;
  if (described.length === 0) return malformed('no media');
  if (described.length > MEDIA_MAX) return malformed('too many media');
  const media = mediaIn(session, described);
  if (!media) return malformed('a media description');
  const first = media.findIndex(({ receives }) => receives);
  // Of the media on one transport, the first describes it (RFC 9143 §7.1.3).
  const at = [...(described[Math.max(0, first)] ?? []), ...session];
  const [iceUfrag, icePwd] = [valueIn(at, UFRAG), valueIn(at, PASSWORD)];
  if (iceUfrag === undefined || icePwd === undefined) return malformed('no ICE user name and password');
  const fingerprint = valueIn(at, FINGERPRINT);
  if (fingerprint === undefined) return malformed('no SHA-256 fingerprint');
  const setup = valueIn(at, /^a=setup:(actpass|active|passive)$/) as SessionOffer['setup'] | undefined;
  return parsed({ media, iceUfrag, icePwd, fingerprint: fingerprint.toUpperCase(), setup: setup ?? 'actpass' });
}

function mediaIn(session: readonly string[], sections: readonly string[][]): OfferedMedia[] | undefined {
  const group = valueIn(session, /^a=group:BUNDLE (.+)$/)?.split(' ');
  const media: OfferedMedia[] = [];
  for (const lines of sections) {
    const match = MEDIA.exec(lines[0]!);
    if (!match) return undefined;
    const [, kind = '', port = '', protocol = '', formatList = ''] = match;
    // Without a group every medium would have a transport of its own: only the first is served.
    const mid = valueIn(lines, /^a=mid:([\w.-]{1,64})$/) ?? `${media.length}`;
    if (media.some((other) => other.mid === mid)) return undefined;
    const isBundled = group ? group.includes(mid) : !media.some(({ receives }) => receives);
    const isSending = lines.includes('a=sendonly') || lines.includes('a=inactive');
    const isOpen = port !== '0' || lines.includes('a=bundle-only');
    const receives = isBundled && isOpen && !isSending && /^UDP\/TLS\/RTP\/SAVPF?$/i.test(protocol);
    media.push({ kind, protocol, formatList, mid, formats: formatsIn(lines, formatList), receives, lines });
  }
  return media;
}

function formatsIn(lines: readonly string[], list: string): OfferedFormat[] {
  const formats = new Map<number, OfferedFormat>();
  const wanted = new Set(list.split(' ').slice(0, FORMATS_MAX));
  for (const line of lines) {
    const map = /^a=rtpmap:(\d{1,3}) ([\w.-]{1,64})\/(\d{1,9})(?:\/\d{1,3})?$/.exec(line);
    if (!map || !wanted.has(map[1]!) || Number(map[1]) > 127) continue;
    const payloadType = Number(map[1]);
    formats.set(payloadType, {
      payloadType,
      encodingName: map[2]!.toLowerCase(),
      clockRate: Number(map[3]),
      parameters: [],
    });
  }
  for (const line of lines) {
    const own = /^a=fmtp:(\d{1,3}) (.+)$/.exec(line);
    const format = own && formats.get(Number(own[1]));
    if (!own || !format) continue;
    const parameters = own[2]!.split(';').map((each) => each.trim());
    formats.set(format.payloadType, { ...format, parameters });
  }
  return [...formats.values()];
}

function valueIn(lines: readonly string[], pattern: RegExp): string | undefined {
  for (const line of lines) {
    const match = pattern.exec(line);
    if (match) return match[1];
  }
  return undefined;
}

/** Returns the ICE user name in a fragment of trickled candidates (RFC 8840 §9); `undefined` when it has none. */
export const ufragInFragment = (text: string): string | undefined => valueIn(text.split(/\r?\n/), UFRAG);
