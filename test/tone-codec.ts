import { malformed, parsed } from '../protocol/base/parsed.ts';
import type { Codec } from '../protocol/codec/codec.ts';

const FIRST = 0x80;
const KEY = 0x40;
/** Marks a part that is the only parameter set of the stream. */
const SET = 0x20;

/**
 * A codec of the tests with a clock of 48 kHz and a payload format of its own, to show that nothing besides the codecs
 * assumes H.264. An access unit has one part whose first byte marks a key frame; each payload begins with flags.
 */
export const TONE: Codec = {
  name: 'tone',
  mediaType: 'video',
  clockRate: 48_000,
  packetize([part], { payloadBytesMax, headroomBytes, allocate = (bytes) => new Uint8Array(bytes) }) {
    const payloads: Uint8Array[] = [];
    const step = payloadBytesMax - 1;
    for (let at = 0; at < part!.length; at += step) {
      const piece = part!.subarray(at, at + step);
      const packet = allocate(headroomBytes + 1 + piece.length);
      packet[headroomBytes] = (at === 0 ? FIRST : 0) | (part![0]! & KEY);
      packet.set(piece, headroomBytes + 1);
      payloads.push(packet);
    }
    return payloads;
  },
  depacketize(payloads) {
    const pieces = payloads.map(({ bytes, payloadAt, payloadEnd }) => bytes.subarray(payloadAt, payloadEnd));
    if (!TONE.startsFrame(pieces[0]!)) return malformed('tone-start');
    const part = Uint8Array.from(pieces.flatMap((piece) => [...piece.subarray(1)]));
    return parsed({ count: 1, bytes: part.length, parts: [part] });
  },
  recognizes: (payload) => payload.length > 1,
  startsFrame: (payload) => (payload[0]! & FIRST) !== 0,
  importanceOf: (payloads) => ((payloads[0]![0]! & KEY) !== 0 ? 'key' : 'reference'),
  entryOf: () => ({ recoveryFrames: 0, isSafe: true }),
  trackParameterSets: () => new ToneSets(),
  withParameterSets: (parts) => parts,
  describe: (sets) =>
    sets[0] && { decoder: 'tone.1', width: 16, height: 16, framesPerSecond: 50, parameterSet: sets[0] },
  parameterSetsOf: (parts) => parts.filter((part) => (part[0]! & SET) !== 0),
  session: {
    encodingName: 'TONE',
    formatParameters: (sets) => sets.map((set) => `set=${Buffer.from(set).toString('hex')}`),
    parameterSetsIn: (parameters) =>
      parameters.flatMap((parameter) => {
        const hex = /^set=((?:[0-9a-f]{2})+)$/.exec(parameter)?.[1];
        return hex === undefined ? [] : [Uint8Array.from(Buffer.from(hex, 'hex'))];
      }),
  },
  byteStream: {
    extensions: ['.tone'],
    demuxer: 'tone',
    write: (parts) => Buffer.concat(parts.flatMap((part) => [Uint8Array.of(part.length >> 8, part.length), part])),
    writeForPlayer: (parts) => TONE.byteStream!.write(parts),
    shownOnly: 'null',
  },
  transportStream: { streamType: 0x80, write: (parts) => Buffer.concat(parts) },
  mp4: {
    sampleEntry: 'tone',
    configurationBox: 'tonC',
    configuration: (sets) => sets[0],
    sample: (parts) => Buffer.concat(parts),
  },
  syntheticPart({ key, bytes, filling }) {
    const part = new Uint8Array(bytes).fill(filling);
    part[0] = key ? KEY : 0;
    return part;
  },
};

class ToneSets {
  #set: Uint8Array | undefined;

  add(part: Uint8Array): void {
    if ((part[0]! & SET) !== 0) this.#set = part.slice();
  }

  sets(): Uint8Array[] {
    return this.#set ? [this.#set] : [];
  }

  holds(part: Uint8Array): boolean {
    return this.#set !== undefined && Buffer.compare(this.#set, part) === 0;
  }
}
