import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** A packet of a track: its time, seconds, and the sum of its bytes. */
export interface PacketSum {
  readonly seconds: number;
  readonly sum: string;
}

const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
/**
 * NAL units that containers keep elsewhere or add by themselves: parameter sets, delimiters and supplemental messages.
 * The others are the coded pictures.
 */
const FILTERS: Readonly<Partial<Record<string, string>>> = {
  h264: 'h264_mp4toannexb,filter_units=remove_types=6-9',
  hevc: 'hevc_mp4toannexb,filter_units=remove_types=32-35|39|40',
  // Without ADTS headers, which only some containers have.
  aac: 'aac_adtstoasc',
  // Temporal delimiters: containers leave them out, IVF does not.
  av1: 'filter_units=remove_types=2',
};

/** Returns the packets of the first track of a kind, in the order of the file, by ffmpeg, which decodes nothing. */
export async function packetSums(
  ffmpeg: string,
  path: string,
  { kind, codec }: { readonly kind: 'v' | 'a'; readonly codec: string },
): Promise<PacketSum[]> {
  const filter = FILTERS[codec];
  const filtering = filter === undefined ? [] : [`-bsf:${kind}`, filter];
  const input = ['-v', 'error', '-copyts', '-i', path, '-map', `0:${kind}:0`, '-c', 'copy', ...filtering];
  const parameters = [...input, '-f', 'framemd5', '-'];
  const { stdout } = await promisify(execFile)(ffmpeg, parameters, { maxBuffer: OUTPUT_BYTES_MAX });
  const [, numerator, denominator] = /^#tb 0: (\d+)\/(\d+)/m.exec(stdout) ?? [];
  const tick = Number(numerator) / Number(denominator);
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('0,'))
    .map((line) => {
      const [, , shown, , , sum] = line.split(',').map((field) => field.trim());
      return { seconds: Number(shown) * tick, sum: sum! };
    });
}

/** Comparison of a track with its copy. */
export interface TrackComparison {
  readonly packets: number;
  /** Packets of the track before the first one of the copy. */
  readonly before: number;
  /** Packets of the track after the last one of the copy. */
  readonly after: number;
  /** Packets of the copy after the last one of the track. */
  readonly more: number;
  /** Packets of the copy that differ from those of the track. */
  readonly different: number;
  /** Largest difference of the times, after the first packet of the copy is at the same time, milliseconds. */
  readonly offMsMax: number;
}

/** Compares a copy with its track from the first packet of the copy on. */
export function compareTracks(track: readonly PacketSum[], copy: readonly PacketSum[]): TrackComparison {
  const before = Math.max(
    0,
    track.findIndex(({ sum }) => sum === copy[0]?.sum),
  );
  const more = Math.max(0, before + copy.length - track.length);
  const pairs = copy.slice(0, copy.length - more).map((packet, index) => [track[before + index], packet] as const);
  const [first, firstCopy] = pairs[0] ?? [];
  const shift = (firstCopy?.seconds ?? 0) - (first?.seconds ?? 0);
  const offs = pairs.map(([own, other]) => (own ? Math.abs(other.seconds - own.seconds - shift) : 0));
  return {
    packets: track.length,
    before,
    after: Math.max(0, track.length - before - copy.length),
    more,
    different: pairs.filter(([own, other]) => own?.sum !== other.sum).length,
    offMsMax: 1_000 * offs.reduce((most, off) => Math.max(most, off), 0),
  };
}
