import type { EncodedPacket } from 'mediabunny';
import type { Edit } from '../mp4/mp4-structure.ts';
import { type PacketReader, packetsOf } from './mp4-packets.ts';

/** A packet and its presentation time. */
export interface EditedPacket {
  readonly data: Uint8Array;
  /** Seconds from the beginning of the presentation. */
  readonly timestamp: number;
}

/** Tolerance at the end of an edit, seconds: durations are in ticks of the movie, often milliseconds. */
const END_TOLERANCE = 0.001;

/**
 * Yields the packets of a sound track as its edit list places them (ISO/IEC 14496-12 §8.6.6); mediabunny applies the offset of the
 * first edit only. What is before the first edit keeps its distance: a decoder begins with it. A packet at the border of two edits
 * belongs to the one that has most of it.
 * @param from presentation time, seconds, before which nothing is wanted, as far as the index tells; `undefined`: everything.
 */
export async function* editedPackets(
  sink: PacketReader,
  edits: readonly Edit[],
  from: number | undefined,
): AsyncGenerator<EditedPacket> {
  const played = edits.filter((edit): edit is Edit & { mediaTime: number } => edit.mediaTime !== undefined);
  const [first, last] = [played[0], played.at(-1)];
  if (!first) return yield* packetsOf(sink, await packetAt(sink, from));
  const shift = first.mediaTime - first.start;
  for (const edit of played) {
    const { start, duration, mediaTime } = edit;
    const end = mediaTime + duration;
    if (from !== undefined && start + duration <= from && edit !== last) continue;
    const wanted = from !== undefined && from > start ? from - start + mediaTime : mediaTime;
    const begin = edit === first && from === undefined ? undefined : wanted - shift;
    for await (const packet of packetsOf(sink, await packetAt(sink, begin))) {
      const time = packet.timestamp + shift;
      const middle = time + packet.duration / 2;
      if (time >= end - Math.min(END_TOLERANCE, packet.duration / 2) || (edit !== last && middle >= end)) break;
      if (edit === first || middle >= mediaTime) yield { data: packet.data, timestamp: start + time - mediaTime };
    }
  }
}

/** The packet at a time of mediabunny's; the first one without a time, and without a usable index. */
async function packetAt(sink: PacketReader, seconds: number | undefined): Promise<EncodedPacket | undefined> {
  if (seconds === undefined) return undefined;
  return (await sink.getPacket(seconds).catch(() => null)) ?? undefined;
}
