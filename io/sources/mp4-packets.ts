import { type FileHandle, open } from 'node:fs/promises';
import { CustomSource, type EncodedPacket, EncodedPacketSink, type Input, type InputVideoTrack } from 'mediabunny';
import { Mp4Fragments } from '../mp4/mp4-fragments.ts';
import type { Mp4Structure, Patch } from '../mp4/mp4-structure.ts';
import { within } from '../os/time-limit.ts';

/** A sample of an MP4 file with what its place in the file says about it. */
export interface Mp4Packet {
  readonly data: Uint8Array;
  /** On the media's own time line, seconds. */
  readonly mediaTime: number;
  readonly duration: number;
  /** The sample description, from 0. */
  readonly description: number;
}

/** Opens the file; with patches, as if these bytes stood in it. */
export type OpenInput = (patches: readonly Patch[]) => Input;

/** A disk that does not answer in this time is treated as damage. */
export const READ_MS_MAX = 20_000;

/**
 * The samples of one track through mediabunny, with what it leaves out: fragments behind the movie box's own samples,
 * sample descriptions that change, and fragments that overlap.
 */
export class Mp4Packets {
  readonly #path: string;
  readonly #structure: Mp4Structure;
  readonly #open: OpenInput;
  /** From mediabunny's times to the media's: it obeys the first edit of a list by itself. */
  readonly #shift: number;
  #isCut = false;

  constructor(path: string, structure: Mp4Structure, open: OpenInput) {
    this.#path = path;
    this.#structure = structure;
    this.#open = open;
    const first = structure.edits.find((edit) => edit.mediaTime !== undefined);
    this.#shift = first === undefined ? 0 : first.mediaTime! - first.start;
  }

  /** Of all that was asked for, true when something that the file announces is not in it. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** In decode order, from the last sample at or before this media time at which decoding can start. */
  async *read(from: number): AsyncGenerator<Mp4Packet> {
    const { withoutSamples, samples } = this.#structure;
    if (samples > 0) yield* this.#readIndexed(from);
    if (this.#structure.fragmentDefaults !== undefined) yield* this.#readFragments(withoutSamples);
  }

  async *#readIndexed(from: number): AsyncGenerator<Mp4Packet> {
    const input = this.#open([]);
    try {
      const sink = new EncodedPacketSink((await input.getVideoTracks())[0] as InputVideoTrack);
      // Where the index says nothing good of it, the beginning will do.
      const wanted = Number.isFinite(from) ? from - this.#shift : undefined;
      const start =
        wanted === undefined ? null : await sink.getKeyPacket(wanted, { verifyKeyPackets: true }).catch(() => null);
      let last = -1;
      for await (const packet of packetsOf(sink, start ?? undefined)) {
        last = Math.max(last, packet.sequenceNumber);
        yield this.#packet(packet, this.#structure.descriptionOf(packet.sequenceNumber));
      }
      this.#isCut ||= last + 1 < this.#structure.samples;
    } finally {
      input.dispose();
    }
  }

  /** From the first one: fragments have no index to look a sync sample up in. */
  async *#readFragments(patches: readonly Patch[]): AsyncGenerator<Mp4Packet> {
    const input = this.#open(patches);
    const fragments = await Mp4Fragments.open(this.#path, this.#structure);
    try {
      const track = (await input.getVideoTracks())[0] as InputVideoTrack;
      let facts: Awaited<ReturnType<Mp4Fragments['at']>> | undefined;
      let offset = 0;
      for await (const packet of packetsOf(new EncodedPacketSink(track))) {
        // mediabunny numbers samples from the place of their fragment on.
        if (facts === undefined || packet.sequenceNumber - offset >= facts.samples) {
          offset = packet.sequenceNumber;
          facts = await fragments.at(offset);
        }
        const index = packet.sequenceNumber - offset;
        if (index < facts.firstSample || index >= facts.endSample) continue;
        yield this.#packet(packet, facts.description);
      }
      this.#isCut ||= fragments.isCut;
    } finally {
      input.dispose();
      await fragments.close();
    }
  }

  #packet({ data, timestamp, duration }: EncodedPacket, description: number): Mp4Packet {
    return { data, mediaTime: timestamp + this.#shift, duration, description };
  }
}

/** @throws where the disk does not answer. */
export async function* packetsOf(sink: EncodedPacketSink, start?: EncodedPacket): AsyncGenerator<EncodedPacket> {
  const packets = sink.packets(start);
  while (true) {
    const next = await within(READ_MS_MAX, packets.next());
    if (next === undefined) throw new Error(`timeout: no answer within ${READ_MS_MAX / 1000} s`);
    if (next.value.done === true) return;
    yield next.value.value;
  }
}

/** A file in which these bytes stand in the place of its own. */
export function patchedSource(path: string, patches: readonly Patch[], cacheBytes: number): CustomSource {
  let file: Promise<FileHandle> | undefined;
  const opened = (): Promise<FileHandle> => {
    file ??= open(path, 'r');
    return file;
  };
  return new CustomSource({
    maxCacheSize: cacheBytes,
    prefetchProfile: 'fileSystem',
    handleUnhandledError: () => {},
    getSize: async () => (await (await opened()).stat()).size,
    read: async (start, end) => {
      const bytes = new Uint8Array(end - start);
      await (await opened()).read(bytes, 0, bytes.length, start);
      for (const patch of patches) {
        for (const [index, byte] of patch.bytes.entries()) {
          const at = patch.offset + index - start;
          if (at >= 0 && at < bytes.length) bytes[at] = byte;
        }
      }
      return bytes;
    },
    dispose: () => void file?.then((handle) => handle.close()).catch(() => {}),
  });
}
