import { clearTimeout, setTimeout } from 'node:timers';
import { CustomSource, type EncodedPacket, EncodedPacketSink, type Input, type InputVideoTrack } from 'mediabunny';
import { Mp4Fragments } from '../mp4/mp4-fragments.ts';
import type { Mp4Structure, Patch } from '../mp4/mp4-structure.ts';
import { ReadAhead } from './read-ahead.ts';

/** A sample of an MP4 file, with its times and its sample description. */
export interface Mp4Packet {
  readonly data: Uint8Array;
  /** Time on the media timeline, seconds. */
  readonly mediaTime: number;
  readonly duration: number;
  /** Sample description index, from 0. */
  readonly description: number;
}

/** Opens the file with these patches applied. */
export type OpenInput = (patches: readonly Patch[]) => Input;

/** Read timeout, milliseconds; a timeout is treated as damage. */
export const READ_MS_MAX = 20_000;

/**
 * Reads the samples of one track through mediabunny, and adds what mediabunny lacks: fragments after the samples of the
 * movie box, changing sample descriptions, and overlapping fragments.
 */
export class Mp4Packets {
  readonly #path: string;
  readonly #structure: Mp4Structure;
  readonly #open: OpenInput;
  /** Offset from mediabunny's times to media times, seconds: mediabunny applies the first edit of a list. */
  readonly #shift: number;
  #isCut = false;

  constructor(path: string, structure: Mp4Structure, open: OpenInput) {
    this.#path = path;
    this.#structure = structure;
    this.#open = open;
    const first = structure.edits.find((edit) => edit.mediaTime !== undefined);
    this.#shift = first === undefined ? 0 : first.mediaTime! - first.start;
  }

  /** True when samples announced by the file were missing from what has been read. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Yields samples in decode order, from the last sync sample at or before this media time. */
  async *read(from: number): AsyncGenerator<Mp4Packet> {
    const { withoutSamples, samples } = this.#structure;
    if (samples > 0) yield* this.#readIndexed(from);
    if (this.#structure.fragmentDefaults !== undefined) yield* this.#readFragments(withoutSamples);
  }

  async *#readIndexed(from: number): AsyncGenerator<Mp4Packet> {
    const input = this.#open([]);
    try {
      const sink = new EncodedPacketSink((await input.getVideoTracks())[0] as InputVideoTrack);
      // Without a usable index entry, reading starts at the beginning.
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

  /** Yields samples from the first fragment on, because fragments have no index of sync samples. */
  async *#readFragments(patches: readonly Patch[]): AsyncGenerator<Mp4Packet> {
    const input = this.#open(patches);
    const fragments = await Mp4Fragments.open(this.#path, this.#structure);
    try {
      const track = (await input.getVideoTracks())[0] as InputVideoTrack;
      let facts: Awaited<ReturnType<Mp4Fragments['at']>> | undefined;
      let offset = 0;
      for await (const packet of packetsOf(new EncodedPacketSink(track))) {
        // mediabunny numbers the samples of a fragment from the offset of its box.
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

/** Reads the packets of a track. */
export type PacketReader = Pick<EncodedPacketSink, 'packets' | 'getPacket'>;

/** Yields packets from `start`, or from the first one. @throws {Error} when a read times out. */
export async function* packetsOf(
  sink: Pick<PacketReader, 'packets'>,
  start?: EncodedPacket,
): AsyncGenerator<EncodedPacket> {
  const packets = sink.packets(start);
  let giveUp: (error: Error) => void = () => {};
  // One timer for all reads, as each is short and there are many.
  const timer = setTimeout(() => {
    giveUp(new Error(`timeout: no answer within ${READ_MS_MAX / 1000} s`));
  }, READ_MS_MAX).unref();
  try {
    while (true) {
      timer.refresh();
      const next = await new Promise<IteratorResult<EncodedPacket, unknown>>((resolve, reject) => {
        giveUp = reject;
        packets.next().then(resolve, reject);
      });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Returns a source that reads the file with patches applied. @param onRead called before each read. */
export function fileSource(
  path: string,
  patches: readonly Patch[],
  cacheBytes: number,
  onRead?: () => void,
): CustomSource {
  const file = new ReadAhead(path, patches);
  return new CustomSource({
    maxCacheSize: cacheBytes,
    prefetchProfile: 'fileSystem',
    // An error outside a read is raised again by the next read.
    handleUnhandledError: () => {},
    getSize: () => file.size(),
    read: (start, end) => {
      onRead?.();
      return file.read(start, end);
    },
    dispose: () => file.close(),
  });
}
