import { parseDecoderConfiguration, splitLengthPrefixed } from '../../protocol/h264/decoder-configuration.ts';
import { Encoder, type EncoderOptions } from '../encoder.ts';
import { Failure } from '../failure.ts';
import type { SampleTrack } from './sample-units.ts';

/** The track that one run of ffmpeg gives, and the way to end that run. */
export interface EncodedTrack {
  readonly track: Promise<SampleTrack>;
  close(): Promise<void>;
}

/** Starts ffmpeg. The track is known when its header has come; nothing more is read until asked for. */
export function openEncoded(options: EncoderOptions): EncodedTrack {
  const encoder = new Encoder(options);
  return { track: readTrack(encoder, options), close: () => encoder.close() };
}

async function readTrack(encoder: Encoder, { name, mode }: EncoderOptions): Promise<SampleTrack> {
  const events = encoder.events();
  const first = await events.next();
  if (first.done === true || first.value.kind !== 'configuration') {
    await encoder.close();
    throw new Failure(`${name}: ffmpeg gave no picture`);
  }
  const configuration = parseDecoderConfiguration(first.value.record);
  if (!configuration.ok) {
    await encoder.close();
    throw new Failure(`${name}: ffmpeg gave a damaged decoder configuration (${configuration.malformed})`);
  }
  const { lengthSize, sequenceParameterSets, pictureParameterSets } = configuration.value;
  return {
    parameterSets: [...sequenceParameterSets, ...pictureParameterSets],
    // Our own encoding has no B-frames, so no picture waits for another.
    samplesAreUnits: mode === 'x264',
    reorderFrames: mode === 'x264' ? 0 : undefined,
    samples: (async function* () {
      for await (const event of events) {
        if (event.kind === 'configuration') continue;
        const { nalUnits } = splitLengthPrefixed(event.bytes, lengthSize);
        yield { nalUnits, timestamp: event.timestamp, duration: 0 };
      }
    })(),
  };
}
