import { ticks } from '../../protocol/base/units.ts';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import { frameStreamOf } from '../../protocol/codec/frame-streams.ts';
import { NAL_UNIT_TYPE, nalUnitType } from '../../protocol/codec/h264/nal-unit.ts';
import { splitLengthPrefixed } from '../../protocol/codec/nal/length-prefixed.ts';
import { nalStreamOf } from '../../protocol/codec/nal-streams.ts';
import { Encoder, type EncoderOptions } from '../ffmpeg/encoder.ts';
import type { FragmentedMp4Event } from '../mp4/fragmented-mp4-reader.ts';
import { Failure } from '../os/failure.ts';
import type { Sample, SampleTrack } from './sample-units.ts';

/** The track produced by one run of ffmpeg, and the means to stop the run. */
export interface EncodedTrack {
  readonly track: Promise<SampleTrack>;
  close(): Promise<void>;
}

/** Starts ffmpeg, which makes or copies this codec. The track resolves with its header; nothing more is read until requested. */
export function openEncoded(options: EncoderOptions, codecName: CodecName): EncodedTrack {
  const encoder = new Encoder(options);
  return { track: readTrack(encoder, options, codecName), close: () => encoder.close() };
}

async function readTrack(encoder: Encoder, { name, mode }: EncoderOptions, codecName: CodecName): Promise<SampleTrack> {
  const codec = codecByName(codecName);
  const events = encoder.events();
  const first = await events.next();
  if (first.done === true || first.value.kind !== 'configuration') {
    await encoder.close();
    throw new Failure(`${name}: ffmpeg produced no picture`);
  }
  const frames = frameStreamOf(codec);
  if (frames) {
    return {
      ...{ codec, parameterSets: frames.parameterSetsOf(first.value.record) },
      ...{ samplesAreUnits: true, reorderFrames: 0 },
      samples: samplesOf(events, frames.split),
    };
  }
  const configuration = nalStreamOf(codec).parseConfiguration(first.value.record);
  if (!configuration.ok) {
    await encoder.close();
    throw new Failure(`${name}: ffmpeg produced a damaged decoder configuration (${configuration.malformed})`);
  }
  const { lengthSize, parameterSets } = configuration.value;
  return {
    codec,
    parameterSets,
    // The encoder here makes no B-frames, so no picture waits for another.
    samplesAreUnits: mode === 'x264',
    reorderFrames: mode === 'x264' ? 0 : undefined,
    samples: samplesOf(events, (bytes) => {
      const { nalUnits: parts } = splitLengthPrefixed(bytes, lengthSize);
      return mode === 'x264' ? fromDelimiter(parts) : parts;
    }),
  };
}

async function* samplesOf(
  events: AsyncIterable<FragmentedMp4Event>,
  split: (bytes: Uint8Array) => readonly Uint8Array[],
): AsyncGenerator<Sample> {
  for await (const event of events) {
    if (event.kind === 'configuration') continue;
    yield { parts: split(event.bytes), timestamp: event.timestamp, duration: ticks(0) };
  }
}

/**
 * Drops NAL units before the first delimiter: libx264 puts a note about itself there, where none is allowed, and
 * repeats it after the delimiter.
 */
export function fromDelimiter(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const delimiter = parts.findIndex((nalUnit) => nalUnitType(nalUnit) === NAL_UNIT_TYPE.accessUnitDelimiter);
  return delimiter === -1 ? parts : parts.slice(delimiter);
}
