import { readFileSync } from 'node:fs';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import { AnnexBSplitter } from '../../protocol/codec/nal/annex-b.ts';
import { nalStreamOf } from '../../protocol/codec/nal-streams.ts';
import { type FuzzTarget, hold } from '../fuzz-target.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { SAMPLE, SAMPLE_HEVC } from '../sample-files.ts';
import { FRAME_CODECS, frameParts } from './frame-target.ts';

const SEED_BYTES = 6_000;
const CHUNK_BYTES = 1_500;
const PAYLOAD_BYTES_MAX = 1_100;

interface Stream {
  readonly codecName: CodecName;
  readonly sample: string;
  readonly decoder: RegExp;
}

const STREAMS: readonly Stream[] = [
  { codecName: 'h264', sample: SAMPLE, decoder: /^avc1\.[0-9a-f]{6}$/ },
  { codecName: 'h265', sample: SAMPLE_HEVC, decoder: /^hvc1\.[ABC]?\d+\.[0-9A-F]+\.[LH]\d+(\.[0-9A-F]+){0,6}$/ },
];

/** Byte streams: NAL units, parameter sets, slice headers, pictures, and their way through RTP payloads. */
export const pictureTargets: readonly FuzzTarget[] = STREAMS.map(pictureTarget);

/** RTP payloads as a peer may write them (RFC 6184 §5, RFC 7798 §4, RFC 9628 §4, AV1, RFC 7587 §4, RFC 3640 §3). */
export const payloadTargets: readonly FuzzTarget[] = [
  ...STREAMS.map(({ codecName, sample }) => payloadTarget(codecName, () => picturesOf(sample))),
  ...FRAME_CODECS.map((codecName) => payloadTarget(codecName, () => frameParts(codecName))),
  ...(['opus', 'aac'] as const).map((codecName) => payloadTarget(codecName, () => soundOf(codecName))),
];

/** First NAL units of a byte stream. */
const picturesOf = (sample: string): Uint8Array[] =>
  new AnnexBSplitter().push(Uint8Array.from(readFileSync(sample).subarray(0, SEED_BYTES))).slice(0, 4);

/** Sound as it is, and one unit that must be split where the format can. */
const soundOf = (codecName: CodecName): Uint8Array[] =>
  [90, 320, 2_500].map((bytes) => codecByName(codecName).syntheticPart({ key: true, bytes, filling: 7 }));

function pictureTarget({ codecName, sample, decoder }: Stream): FuzzTarget {
  const codec = codecByName(codecName);
  const { splitPictures } = nalStreamOf(codec);
  return {
    name: codecName,
    seeds: () => {
      const film = readFileSync(sample).subarray(0, SEED_BYTES);
      const steps = Array.from({ length: Math.ceil(film.length / CHUNK_BYTES) }, (_, index) => ({
        pause: 0,
        bytes: Uint8Array.from(film.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES)),
      }));
      // The parameter sets and the first slice alone: most of what can be wrong is in front.
      return [
        { choices: 0, steps },
        { choices: 0, steps: [{ pause: 0, bytes: Uint8Array.from(film.subarray(0, 200)) }] },
      ];
    },
    mutate: mutateBytes,
    run: ({ steps }, observed) => {
      const bytes = new AnnexBSplitter();
      const pictures = splitPictures();
      const tracker = codec.trackParameterSets();
      const nalUnits = [...steps.flatMap((step) => bytes.push(step.bytes)), ...bytes.flush()];
      for (const nalUnit of nalUnits) {
        tracker.add(nalUnit);
        const picture = pictures.push(nalUnit);
        if (picture) carry(picture.parts);
      }
      const last = pictures.flush();
      if (last) carry(last.parts);
      const format = codec.describe(tracker.sets());
      if (format) {
        observed.see('format');
        hold(format.width >= 1 && format.height >= 1, 'a picture has a size');
        hold(decoder.test(format.decoder), 'the decoder string is well formed');
      }
      observed.count('nalUnits', nalUnits.length);

      function carry(parts: readonly Uint8Array[]): void {
        observed.see(codec.entryOf(parts).isSafe ? 'entry' : 'no entry');
        observed.count('parts', parts.length);
        if (parts.some((part) => part.length === 0)) return;
        const payloads = codec.packetize(parts, { payloadBytesMax: PAYLOAD_BYTES_MAX, headroomBytes: 0 });
        for (const payload of payloads) hold(payload.length <= PAYLOAD_BYTES_MAX, 'a payload fits');
        const carried = codec.depacketize(
          payloads.map((payload) => ({ bytes: payload, payloadAt: 0, payloadEnd: payload.length })),
        );
        hold(carried.ok, `a picture that was split can be put together: ${carried.ok ? '' : carried.malformed}`);
        const whole = carried.value.parts;
        hold(whole.length === parts.length, 'as many parts arrive as left');
        hold(
          whole.every((part, index) => Buffer.compare(part, parts[index]!) === 0),
          'the parts arrive as they left',
        );
        observed.see(codec.importanceOf(payloads));
      }
    },
  };
}

function payloadTarget(codecName: CodecName, partsOf: () => readonly Uint8Array[]): FuzzTarget {
  const codec = codecByName(codecName);
  return {
    name: `${codecName}-payloads`,
    seeds: () => {
      const payloads = codec.packetize(partsOf(), { payloadBytesMax: PAYLOAD_BYTES_MAX, headroomBytes: 0 });
      return [{ choices: 0, steps: payloads.map((bytes) => ({ pause: 0, bytes })) }];
    },
    mutate: mutateBytes,
    run: ({ steps }, observed) => {
      const payloads = steps.map(({ bytes }) => bytes);
      for (const payload of payloads) {
        observed.see(`recognized:${codec.recognizes(payload)}`);
        observed.see(`starts:${codec.startsFrame(payload)}`);
      }
      observed.see(codec.importanceOf(payloads));
      const whole = codec.depacketize(payloads.map((bytes) => ({ bytes, payloadAt: 0, payloadEnd: bytes.length })));
      if (!whole.ok) return observed.reason(whole.malformed);
      const carried = payloads.reduce((sum, payload) => sum + payload.length, 0);
      const bytes = whole.value.parts.reduce((sum, part) => sum + part.length, 0);
      hold(bytes <= carried, 'no bytes appear that did not arrive');
      hold(bytes === whole.value.bytes, 'the announced length is the length');
      observed.count('parts', whole.value.count);
    },
  };
}
