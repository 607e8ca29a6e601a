import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import { frameStreamOf } from '../../protocol/codec/frame-streams.ts';
import { type FuzzTarget, hold } from '../fuzz-target.ts';
import { mutateBytes } from '../mutate-bytes.ts';

interface FrameStream {
  readonly codecName: CodecName;
  /** Samples of a container, hexadecimal: a key frame, and frames of other kinds. */
  readonly samples: readonly string[];
  readonly decoder: RegExp;
}

const STREAMS: readonly FrameStream[] = [
  {
    codecName: 'vp9',
    samples: ['8249834240 15f0 11f0 0102', '86004000', '8401000086000000c10404c1', '88'],
    decoder: /^vp09\.\d\d\.\d\d\.\d\d$/,
  },
  {
    codecName: 'av1',
    samples: [
      '12000a0a00000002afff9f7f3008 3212 1400b18090dd446fc9880615a261f5b7a6e4',
      '3209 2908001249248edd02 3210 3201900492db15f0000001000006008432',
      '1a01e8',
      '3204 30080040',
      '3210 3203000db6b695f000000100000600c04f',
    ],
    decoder: /^av01\.[012]\.\d\d[MH]\.\d\d$/,
  },
];
/** Small enough for several packets of a sample. */
const PAYLOAD_BYTES_MAX = 16;

/** Samples of codecs that containers hold in one piece: parts, importance, description, and their way through RTP. */
export const frameTargets: readonly FuzzTarget[] = STREAMS.map(frameTarget);

/** A sample of each codec, for payloads as a peer may write them. */
export const frameParts = (name: string): readonly Uint8Array[] => {
  const stream = STREAMS.find(({ codecName }) => codecName === name)!;
  return frameStreamOf(codecByName(stream.codecName))!.split(bytesOf(stream.samples[0]!));
};
/** Codecs of these targets. */
export const FRAME_CODECS: readonly CodecName[] = STREAMS.map(({ codecName }) => codecName);

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

function frameTarget({ codecName, samples, decoder }: FrameStream): FuzzTarget {
  const codec = codecByName(codecName);
  const format = frameStreamOf(codec)!;
  return {
    name: codecName,
    seeds: () => [{ choices: 0, steps: samples.map((sample) => ({ pause: 0, bytes: bytesOf(sample) })) }],
    mutate: mutateBytes,
    run: ({ steps }, observed) => {
      const importanceOf = format.trackImportance();
      const tracker = codec.trackParameterSets();
      for (const { bytes } of steps) {
        const parts = format.split(bytes);
        hold(
          parts.every(({ length }) => length > 0),
          'no part is empty',
        );
        format.parameterSetsOf(bytes);
        if (parts.length === 0) continue;
        observed.see(importanceOf(parts));
        observed.see(codec.entryOf(parts).isSafe ? 'entry' : 'no entry');
        for (const part of parts) tracker.add(part);
        codec.mp4!.sample(parts);
        const payloads = codec.packetize(parts, { payloadBytesMax: PAYLOAD_BYTES_MAX, headroomBytes: 0 });
        for (const payload of payloads) hold(payload.length <= PAYLOAD_BYTES_MAX, 'a payload fits');
        const carried = codec.depacketize(
          payloads.map((payload) => ({ bytes: payload, payloadAt: 0, payloadEnd: payload.length })),
        );
        hold(carried.ok, `a sample that was split can be put together: ${carried.ok ? '' : carried.malformed}`);
        const whole = carried.value.parts;
        hold(
          whole.length === parts.length && whole.every((part, index) => Buffer.compare(part, parts[index]!) === 0),
          'the parts arrive as they left',
        );
      }
      const found = codec.describe(tracker.sets());
      if (!found) return;
      observed.see('format');
      hold(found.width >= 1 && found.height >= 1, 'a picture has a size');
      hold(decoder.test(found.decoder), 'the decoder string is well formed');
      hold(codec.mp4!.configuration(tracker.sets()) !== undefined, 'a described stream has a configuration');
    },
  };
}
