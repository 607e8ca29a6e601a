import { concatenated } from '../../base/concatenated.ts';
import { equalBytes } from '../../base/equal-bytes.ts';
import { CLOCK_RATE } from '../../base/units.ts';
import type { Codec, MatroskaFormat, Mp4Format, ParameterSetTracker, SessionFormat } from '../codec.ts';
import { COLOR_UNSPECIFIED } from '../nal/video-signal.ts';
import { readVp9ParameterSet, VP9_RECORD_BYTES, vp9DecoderString, vp9ParameterSet } from './configuration.ts';
import { parseVp9FrameHeader, splitSuperframe, type Vp9FrameHeader } from './frame-header.ts';
import { looksLikeVp9, packVp9, readVp9, startsVp9, vp9PayloadBytes } from './rtp-payload.ts';

/** Headers of a key frame of profile 0, 4:2:0, 64 × 64, and of a frame that refreshes a reference. */
const KEY_START = [0x82, 0x49, 0x83, 0x42, 0x00, 0x03, 0xf0, 0x03, 0xf0] as const;
const INTER_START = [0x86, 0x00, 0x40] as const;

const MP4: Mp4Format = {
  sampleEntry: 'vp09',
  configurationBox: 'vpcC',
  /** Returns the body of a `VPCodecConfigurationBox`: version 1, flags, and the record. */
  configuration: ([set]) =>
    set && readVp9ParameterSet(set) ? Uint8Array.from([1, 0, 0, 0, ...set.subarray(0, VP9_RECORD_BYTES)]) : undefined,
  sample: concatenated,
};

const MATROSKA: MatroskaFormat = { codecId: 'V_VP9', codecPrivate: () => undefined, block: MP4.sample };

/** VP9 in session descriptions (RFC 9628 §7). */
const SESSION: SessionFormat = {
  encodingName: 'VP9',
  formatParameters: ([set]) => [`profile-id=${(set && readVp9ParameterSet(set)?.profile) ?? 0}`],
  parameterSetsIn: () => [],
};

/** VP9 in RTP (RFC 9628). A part is a frame, or a superframe with its index. The parameter set is made from key frames. */
export const VP9: Codec = {
  name: 'vp9',
  mediaType: 'video',
  clockRate: CLOCK_RATE,
  packetize: packVp9,
  depacketize: readVp9,
  recognizes: looksLikeVp9,
  startsFrame: startsVp9,
  importanceOf(payloads) {
    const bytes = payloads.map((payload) => vp9PayloadBytes(payload)).filter((part) => part !== undefined);
    return importanceOfVp9(concatenated(bytes));
  },
  entryOf: (parts) => ({ recoveryFrames: 0, isSafe: headersOf(parts).some(({ isKey }) => isKey) }),
  trackParameterSets: () => new Vp9FormatTracker(),
  withParameterSets: (parts) => parts,
  describe(sets) {
    for (const parameterSet of sets) {
      const format = readVp9ParameterSet(parameterSet);
      if (!format) continue;
      const { width, height, color, isFullRange } = format;
      const isKnown = Object.values(color).some((code) => code !== COLOR_UNSPECIFIED);
      const signal = { ...(isKnown && { color }), ...(isFullRange && { isFullRange }) };
      return { decoder: vp9DecoderString(format), width, height, framesPerSecond: undefined, signal, parameterSet };
    }
    return undefined;
  },
  parameterSetsOf,
  session: SESSION,
  mp4: MP4,
  matroska: MATROSKA,
  syntheticPart({ key, bytes, filling }) {
    const part = new Uint8Array(bytes).fill(filling);
    // Not the marker of a superframe.
    part[bytes - 1] = 0;
    part.set((key ? KEY_START : INTER_START).slice(0, bytes));
    return part;
  },
};

/** Importance of a frame or superframe. */
export function importanceOfVp9(bytes: Uint8Array): 'key' | 'reference' | 'discardable' {
  const headers = headersOf([bytes]);
  if (headers.some(({ isKey }) => isKey)) return 'key';
  return headers.length > 0 && headers.every(({ isReference }) => !isReference) ? 'discardable' : 'reference';
}

const headersOf = (parts: readonly Uint8Array[]): Vp9FrameHeader[] =>
  parts.flatMap(splitSuperframe).flatMap((frame) => parseVp9FrameHeader(frame) ?? []);

function parameterSetsOf(parts: readonly Uint8Array[]): Uint8Array[] {
  const format = headersOf(parts).find(({ isKey }) => isKey)?.format;
  return format ? [vp9ParameterSet(format)] : [];
}

/** Keeps the format of the last key frame. */
class Vp9FormatTracker implements ParameterSetTracker {
  #set: Uint8Array | undefined;

  add(part: Uint8Array): void {
    this.#set = readVp9ParameterSet(part) ? part.slice() : (parameterSetsOf([part])[0] ?? this.#set);
  }

  sets(): Uint8Array[] {
    return this.#set ? [this.#set] : [];
  }

  holds(part: Uint8Array): boolean {
    return this.#set !== undefined && equalBytes(this.#set, part);
  }
}
