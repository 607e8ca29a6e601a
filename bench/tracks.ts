import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { fileURLToPath } from 'node:url';
import { type Ffmpeg, locateFfmpeg } from '../io/ffmpeg/ffmpeg-locator.ts';
import { probe } from '../io/ffmpeg/ffmpeg-probe.ts';
import { openRecording } from '../io/mp4/recording.ts';
import { causeOf, Failure } from '../io/os/failure.ts';
import type { MediaSource } from '../io/sources/media-source.ts';
import { openMediaSource } from '../io/sources/open-source.ts';
import type { AccessUnit } from '../protocol/access-unit.ts';
import { assert } from '../protocol/base/assert.ts';
import { type CodecName, codecByName } from '../protocol/codec/codecs.ts';
import type { BenchPart } from './part.ts';
import { textTable } from './table.ts';
import { compareTracks, packetSums, type TrackComparison } from './track-sums.ts';

/** Without the variable, the project's own samples are compared. */
const MEDIA = env.DROPFRAME_MEDIA;
const SAMPLES = fileURLToPath(new URL('../../../../samples', import.meta.url));
/** Payloads as in datagrams of 1,200 bytes. */
const PAYLOAD_BYTES_MAX = 1_160;
/** ffmpeg's names of codecs. */
const FFMPEG_NAMES: Readonly<Partial<Record<CodecName, string>>> = { h265: 'hevc' };

interface Row {
  readonly clip: string;
  readonly kind: 'picture' | 'sound';
  readonly codec: string;
  /** `undefined`: encoded anew. */
  readonly comparison: TrackComparison | undefined;
}

/** Sends each clip through the RTP payload formats into a recording, and compares the tracks packet by packet. */
export const tracks: BenchPart = async ({ progress, quick }) => {
  const ffmpeg = await locateFfmpeg({});
  const folder = mkdtempSync(join(tmpdir(), 'dropframe-tracks-'));
  const rows: Row[] = [];
  const refused: string[] = [];
  try {
    for (const clip of clips().slice(0, quick ? 3 : undefined)) {
      progress(`tracks: ${clip}`);
      try {
        rows.push(...(await compareClip(clip, join(folder, 'copy.mkv'), ffmpeg)));
      } catch (error) {
        refused.push(`${nameOf(clip)}: ${causeOf(error)}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const copied = rows.filter(({ comparison }) => comparison);
  const equal = copied.filter(({ comparison }) => comparison!.different === 0 && comparison!.offMsMax <= 1);
  const table = textTable(
    ['clip', 'track', 'codec', 'packets', 'left out', 'more', 'different', 'time off, ms'],
    rows.map(({ clip, kind, codec, comparison }) => [clip, kind, codec, ...cellsOf(comparison)]),
  );
  const summary = `${equal.length} of ${copied.length} copied tracks equal, with times within 1 ms; ${rows.length - copied.length} encoded`;
  return { text: [table, summary, ...refused].join('\n'), figures: { rows, refused } };
};

const cellsOf = (found: TrackComparison | undefined): string[] =>
  found
    ? [
        `${found.packets}`,
        `${found.before + found.after}`,
        `${found.more}`,
        `${found.different}`,
        found.offMsMax.toFixed(3),
      ]
    : ['encoded', '', '', '', ''];

function clips(): string[] {
  if (MEDIA === undefined) return ['counter.mp4', 'film.mp4', 'flash.mp4'].map((name) => join(SAMPLES, name));
  const folder = join(MEDIA, 'clips');
  return readdirSync(folder).map((name) => join(folder, name));
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

async function compareClip(clip: string, copy: string, ffmpeg: Ffmpeg): Promise<Row[]> {
  const source = await openMediaSource(clip, {
    ...{ encode: 'auto', bitrate: 1_000_000, gop: 60, sound: {}, warn: () => {} },
  });
  try {
    const { codecName, mode } = source.description;
    const sound = source.sound?.description;
    const { sound: probed, complaint } = await probe(ffmpeg, clip);
    // Otherwise copied sound would be listed as encoded.
    if (sound && complaint !== undefined) throw new Failure(complaint);
    const found = probed[0]?.codec;
    const isSoundCopied = found === sound?.codecName;
    await record(source, copy);
    const compare = async (kind: 'v' | 'a', name: CodecName) => {
      const track = { kind, codec: FFMPEG_NAMES[name] ?? name };
      return compareTracks(await packetSums(ffmpeg.path, clip, track), await packetSums(ffmpeg.path, copy, track));
    };
    return [
      {
        ...{ clip: nameOf(clip), kind: 'picture', codec: codecName },
        comparison: mode === 'copy' ? await compare('v', codecName) : undefined,
      },
      ...(sound
        ? [
            {
              ...{ clip: nameOf(clip), kind: 'sound' as const, codec: sound.codecName },
              comparison: isSoundCopied ? await compare('a', sound.codecName) : undefined,
            },
          ]
        : []),
    ];
  } finally {
    await source.close();
  }
}

/** Writes all units into a recording, in order of their times, as they come out of RTP payloads. */
async function record(source: MediaSource, path: string): Promise<void> {
  const { description, sound } = source;
  const sink = await openRecording(
    path,
    { ...description, sound: sound?.description },
    codecByName(description.codecName),
  );
  const pictures = source.units()[Symbol.asyncIterator]();
  const sounds = sound?.units()[Symbol.asyncIterator]();
  let [picture, heard] = [await pictures.next(), await sounds?.next()];
  while (!picture.done || (heard && !heard.done)) {
    const isSound = heard && !heard.done && (picture.done || heard.value.timestamp < picture.value.decodeTimestamp);
    if (isSound) {
      await sink.writeSound?.(carried(sound!.description.codecName, heard!.value as AccessUnit));
      heard = await sounds!.next();
    } else {
      await sink.write(carried(description.codecName, picture.value as AccessUnit));
      picture = await pictures.next();
    }
  }
  await sink.close();
}

function carried(codecName: CodecName, unit: AccessUnit): AccessUnit {
  const codec = codecByName(codecName);
  const payloads = codec.packetize(unit.parts, { payloadBytesMax: PAYLOAD_BYTES_MAX, headroomBytes: 0 });
  const read = codec.depacketize(payloads.map((bytes) => ({ bytes, payloadAt: 0, payloadEnd: bytes.length })));
  assert(read.ok, 'payloads that were made here can be read');
  return { ...unit, parts: read.value.parts };
}
