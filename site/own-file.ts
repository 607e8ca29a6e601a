import { BlobSource, EncodedPacketSink, Input, type InputVideoTrack, MATROSKA, MP4, MPEG_TS, QTFF } from 'mediabunny';
import { EntryGate } from '../io/sources/entry-gate.ts';
import type { MediaSource } from '../io/sources/media-source.ts';
import { type Sample, sampleUnits } from '../io/sources/sample-units.ts';
import { NoEntry, UnitSource } from '../io/sources/unit-source.ts';
import { CLOCK_RATE, ticks } from '../protocol/base/units.ts';
import { codecByName } from '../protocol/codec/codecs.ts';
import { splitAnnexB } from '../protocol/codec/nal/annex-b.ts';
import { splitLengthPrefixed } from '../protocol/codec/nal/length-prefixed.ts';
import { nalStreamOf } from '../protocol/codec/nal-streams.ts';

const FORMATS = [MP4, QTFF, MATROSKA, MPEG_TS];
/** Packets used for the mean frame rate. */
const RATE_PACKETS = 120;
const WITH_DROPFRAME = 'dropframe on your own machine encodes it: npm ci && npm start';
const codec = codecByName('h264');

/**
 * Opens a video of the user's own, which stays in the browser: H.264 in MP4, MOV, Matroska or MPEG-TS. Rejects with the
 * reason in words.
 */
export async function openOwnFile(name: string, file: Blob): Promise<MediaSource> {
  const input = new Input({ source: new BlobSource(file), formats: FORMATS });
  const track = await input.getPrimaryVideoTrack().catch(() => null);
  if (!track) throw new Error(`${name} is not a video that this page can read; ${WITH_DROPFRAME}`);
  const [found, rotation] = [await track.getCodec(), await track.getRotation()];
  if (found !== 'avc') throw new Error(`${name} contains ${found ?? 'an unknown codec'}, not H.264; ${WITH_DROPFRAME}`);
  if (rotation !== 0) throw new Error(`${name} is to be rotated when it is shown; ${WITH_DROPFRAME}`);
  const rate = await track.computePacketStats(RATE_PACKETS);
  const record = await configurationOf(track);
  const recipe = {
    name,
    mode: 'copy',
    codecName: 'h264',
    framesPerSecond: rate.averagePacketRate > 0 ? rate.averagePacketRate : undefined,
    durationSeconds: undefined,
    open: () => {
      const gate = new EntryGate();
      const parameterSets = record?.parameterSets ?? [];
      const samples = samplesOf(track, record?.lengthSize);
      const units = sampleUnits(
        { codec, parameterSets, samples, reorderFrames: undefined, samplesAreUnits: false },
        gate,
      );
      return { gate, units, close: async () => {} };
    },
  } as const;
  return UnitSource.open(recipe, () => {}).catch((error: unknown) => {
    throw error instanceof NoEntry ? new Error(`${name}: ${error.message}; ${WITH_DROPFRAME}`) : error;
  });
}

async function configurationOf(track: InputVideoTrack) {
  const description = (await track.getDecoderConfig())?.description;
  if (description === undefined) return undefined;
  const bytes = ArrayBuffer.isView(description)
    ? new Uint8Array(description.buffer, description.byteOffset, description.byteLength)
    : new Uint8Array(description);
  const configuration = nalStreamOf(codec).parseConfiguration(bytes);
  return configuration.ok ? configuration.value : undefined;
}

/** @param lengthSize bytes of the length before each NAL unit; `undefined`: they have start codes. */
async function* samplesOf(track: InputVideoTrack, lengthSize: number | undefined): AsyncGenerator<Sample> {
  for await (const { data, timestamp, duration } of new EncodedPacketSink(track).packets()) {
    const parts = lengthSize === undefined ? splitAnnexB(data) : splitLengthPrefixed(data, lengthSize).nalUnits;
    yield { parts, timestamp: ticksOf(timestamp), duration: ticksOf(duration) };
  }
}

const ticksOf = (seconds: number) => ticks(Math.round(seconds * CLOCK_RATE));
