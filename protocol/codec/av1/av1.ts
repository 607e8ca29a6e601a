import { equalBytes } from '../../base/equal-bytes.ts';
import { CLOCK_RATE } from '../../base/units.ts';
import type { Codec, ParameterSetTracker, SessionFormat, VideoFormat } from '../codec.ts';
import { COLOR_UNSPECIFIED } from '../nal/video-signal.ts';
import { AV1_MP4, av1DecoderString } from './configuration.ts';
import { isAv1Entry } from './importance.ts';
import { OBU_TYPE, obuType } from './obu.ts';
import { beginsAv1Sequence, looksLikeAv1, packAv1, readAv1, startsAv1 } from './rtp-payload.ts';
import { parseAv1SequenceHeader } from './sequence-header.ts';

/** Frame OBUs: a shown key frame, and a shown inter frame. */
const KEY_START = [0x30, 0x10] as const;
const INTER_START = [0x30, 0x30] as const;

/** AV1 in session descriptions ("RTP Payload Format For AV1" §7). */
const SESSION: SessionFormat = {
  encodingName: 'AV1',
  formatParameters(sets) {
    const sequence = sets.map(parseAv1SequenceHeader).find((each) => each !== undefined);
    if (!sequence) return [];
    return [`profile=${sequence.profile}`, `level-idx=${sequence.level}`, `tier=${sequence.tier}`];
  },
  parameterSetsIn: () => [],
};

/**
 * AV1 in RTP ("RTP Payload Format For AV1" of the Alliance for Open Media, version 1.0), without the dependency
 * descriptor. A part is an OBU without its size; temporal delimiters are left out. The parameter set is the sequence
 * header.
 */
export const AV1: Codec = {
  name: 'av1',
  mediaType: 'video',
  clockRate: CLOCK_RATE,
  packetize: packAv1,
  depacketize: readAv1,
  recognizes: looksLikeAv1,
  startsFrame: startsAv1,
  // Without the sequence header, nothing is known to be discardable.
  importanceOf: ([first]) => (first && beginsAv1Sequence(first) ? 'key' : 'reference'),
  entryOf: (parts) => ({ recoveryFrames: 0, isSafe: isAv1Entry(parts) }),
  trackParameterSets: () => new Av1SequenceTracker(),
  withParameterSets(parts, sets, joinable = isAv1Entry(parts)) {
    return joinable && parameterSetsOf(parts).length === 0 ? [...sets, ...parts] : parts;
  },
  describe,
  parameterSetsOf,
  session: SESSION,
  mp4: AV1_MP4,
  matroska: { codecId: 'V_AV1', codecPrivate: AV1_MP4.configuration, block: AV1_MP4.sample },
  syntheticPart({ key, bytes, filling }) {
    const part = new Uint8Array(bytes).fill(filling);
    part.set((key ? KEY_START : INTER_START).slice(0, bytes));
    return part;
  },
};

const isSequenceHeader = (obu: Uint8Array): boolean => obuType(obu) === OBU_TYPE.sequenceHeader;

/** Of several in one unit, which must be equal, the last. */
function parameterSetsOf(parts: readonly Uint8Array[]): Uint8Array[] {
  return parts.filter(isSequenceHeader).slice(-1);
}

function describe(sets: readonly Uint8Array[]): VideoFormat | undefined {
  for (const parameterSet of sets) {
    const sequence = parseAv1SequenceHeader(parameterSet);
    if (!sequence) continue;
    const { width, height, framesPerSecond, color } = sequence;
    const { description, isFullRange } = color;
    const isKnown = Object.values(description).some((code) => code !== COLOR_UNSPECIFIED);
    const signal = { ...(isKnown && { color: description }), ...(isFullRange && { isFullRange }) };
    return { decoder: av1DecoderString(sequence), width, height, framesPerSecond, signal, parameterSet };
  }
  return undefined;
}

/** Keeps the last sequence header. */
class Av1SequenceTracker implements ParameterSetTracker {
  #set: Uint8Array | undefined;

  add(part: Uint8Array): void {
    if (isSequenceHeader(part) && !this.holds(part)) this.#set = part.slice();
  }

  sets(): Uint8Array[] {
    return this.#set ? [this.#set] : [];
  }

  holds(part: Uint8Array): boolean {
    return this.#set !== undefined && equalBytes(this.#set, part);
  }
}
