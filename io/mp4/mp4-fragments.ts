import { type FileHandle, open } from 'node:fs/promises';
import { child, children, uint32, uint64 } from './boxes.ts';
import { type FileBox, type Mp4Structure, readBoxHeader, readFileBytes } from './mp4-structure.ts';

/** Header data of one fragment of a track (ISO/IEC 14496-12 §8.8.4) that its samples do not contain. */
export interface FragmentFacts {
  readonly samples: number;
  /** Sample description index, from 0. */
  readonly description: number;
  /** Index of the first sample to use; samples before it duplicate an earlier fragment. */
  readonly firstSample: number;
  /** Index after the last sample to use; samples from it on are repeated in the next fragment. */
  readonly endSample: number;
}

interface Fragment {
  readonly box: FileBox;
  readonly description: number;
  /** Decode time of the first sample, ticks of the track; `undefined` when it follows the previous fragment. */
  readonly start: number | undefined;
  readonly durations: readonly number[];
  readonly startsWithSync: boolean;
}

const UNKNOWN_FRAGMENT: FragmentFacts = {
  samples: Number.POSITIVE_INFINITY,
  description: 0,
  firstSample: 0,
  endSample: Number.POSITIVE_INFINITY,
};
const FRAGMENT_BYTES_MAX = 16 * 1024 * 1024;
/** Flag sample_is_non_sync_sample (§8.8.3.1). */
const NON_SYNC = 0x10000;
/** Limit of boxes between two fragments of one track: fragments of other tracks, styp, sidx. */
const BOXES_BETWEEN_MAX = 1_000;

/**
 * Reads fragment headers on demand, one fragment ahead. When two fragments overlap, as after an encoder restart, the
 * later one takes precedence from its sync sample on.
 */
export class Mp4Fragments {
  readonly #file: FileHandle;
  readonly #structure: Mp4Structure;
  #next: Fragment | undefined;
  /** End of the fragments so far, ticks of the track. */
  #end = 0;
  #isCut = false;

  static async open(path: string, structure: Mp4Structure): Promise<Mp4Fragments> {
    return new Mp4Fragments(await open(path, 'r'), structure);
  }

  private constructor(file: FileHandle, structure: Mp4Structure) {
    this.#file = file;
    this.#structure = structure;
  }

  /** True when samples of a fragment are missing. Valid after the file has been read to its end. */
  get isCut(): boolean {
    return this.#isCut || this.#next !== undefined;
  }

  /** Returns the facts about the fragment box at this offset. Called once for each, in file order. */
  async at(offset: number): Promise<FragmentFacts> {
    const fragment = this.#next?.box.offset === offset ? this.#next : await this.#read(offset);
    if (fragment === undefined) return UNKNOWN_FRAGMENT;
    this.#next = await this.#following(fragment.box.end);
    const { durations, startsWithSync, description } = fragment;
    const cut = this.#next?.startsWithSync === true ? this.#next.start : undefined;
    let [firstSample, endSample, time] = [0, 0, fragment.start ?? this.#end];
    for (const duration of durations) {
      // Times are rounded, so half a sample does not count as an overlap.
      const middle = time + duration / 2;
      if (cut !== undefined && middle >= cut) break;
      // A fragment that does not start with a sync sample cannot replace the end of the previous one.
      if (!startsWithSync && middle < this.#end) firstSample = endSample + 1;
      endSample += 1;
      time += duration;
    }
    this.#end = startsWithSync ? time : Math.max(this.#end, time);
    return { samples: durations.length, description, firstSample, endSample };
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #following(offset: number): Promise<Fragment | undefined> {
    let at = offset;
    for (let count = 0; count < BOXES_BETWEEN_MAX; count += 1) {
      const box = await readBoxHeader(this.#file, at);
      if (box === undefined) return undefined;
      this.#isCut ||= box.end > (await this.#file.stat()).size;
      const fragment = box.type === 'moof' ? await this.#readBox(box) : undefined;
      if (fragment !== undefined) return fragment;
      at = box.end;
    }
    return undefined;
  }

  async #read(offset: number): Promise<Fragment | undefined> {
    const box = await readBoxHeader(this.#file, offset);
    return box?.type === 'moof' ? this.#readBox(box) : undefined;
  }

  /** Returns `undefined` when the box contains no fragment of the track, or is too large. */
  async #readBox(box: FileBox): Promise<Fragment | undefined> {
    const bytes = box.end - box.bodyOffset;
    if (bytes > FRAGMENT_BYTES_MAX) return undefined;
    const body = await readFileBytes(this.#file, box.bodyOffset, bytes);
    const { trackId, fragmentDefaults } = this.#structure;
    const track = children(body, 'traf').find((each) => uint32(child(each, 'tfhd') ?? new Uint8Array(), 4) === trackId);
    const header = track && child(track, 'tfhd');
    if (track === undefined || header === undefined) return undefined;
    const defaults = readHeader(header, fragmentDefaults ?? { description: 0, sampleDuration: 0, sampleFlags: 0 });
    const time = child(track, 'tfdt');
    const runs = children(track, 'trun').map((run) => readRun(run, defaults));
    const first = runs.find((run) => run.durations.length > 0);
    return {
      box,
      description: defaults.description,
      start: time === undefined ? undefined : time[0] === 1 ? uint64(time, 4) : uint32(time, 4),
      durations: runs.flatMap((run) => run.durations),
      startsWithSync: first === undefined || (first.firstFlags & NON_SYNC) === 0,
    };
  }
}

interface Defaults {
  readonly description: number;
  readonly sampleDuration: number;
  readonly sampleFlags: number;
}

/** Parses the track fragment header (§8.8.7 tfhd). */
function readHeader(header: Uint8Array, defaults: Defaults): Defaults {
  const flags = uint32(header, 0) & 0xffffff;
  let offset = 8 + (flags & 0x1 ? 8 : 0);
  const field = (flag: number): number | undefined => {
    if ((flags & flag) === 0) return undefined;
    offset += 4;
    return uint32(header, offset - 4);
  };
  const description = field(0x2);
  const duration = field(0x8);
  field(0x10);
  const sampleFlags = field(0x20);
  return {
    description: description === undefined ? defaults.description : Math.max(0, description - 1),
    sampleDuration: duration ?? defaults.sampleDuration,
    sampleFlags: sampleFlags ?? defaults.sampleFlags,
  };
}

/** Parses a track fragment run (§8.8.8 trun). */
function readRun(run: Uint8Array, defaults: Defaults): { readonly durations: number[]; readonly firstFlags: number } {
  const flags = uint32(run, 0) & 0xffffff;
  const count = uint32(run, 4);
  let offset = 8 + (flags & 0x1 ? 4 : 0);
  let firstFlags = defaults.sampleFlags;
  if (flags & 0x4) {
    firstFlags = uint32(run, offset);
    offset += 4;
  }
  const entryBytes = [0x100, 0x200, 0x400, 0x800].reduce((sum, flag) => sum + (flags & flag ? 4 : 0), 0);
  if (flags & 0x400 && !(flags & 0x4)) {
    firstFlags = uint32(run, offset + (flags & 0x100 ? 4 : 0) + (flags & 0x200 ? 4 : 0));
  }
  const durations: number[] = [];
  // A count that exceeds the box is damage, unless every sample uses the defaults.
  const countMax = entryBytes === 0 ? FRAGMENT_BYTES_MAX / 16 : Math.floor((run.length - offset) / entryBytes);
  for (let index = 0; index < Math.min(count, countMax); index += 1) {
    durations.push(flags & 0x100 ? uint32(run, offset + index * entryBytes) : defaults.sampleDuration);
  }
  return { durations, firstFlags };
}
