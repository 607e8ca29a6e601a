import { EntryGate } from '../io/sources/entry-gate.ts';
import type { MediaSource } from '../io/sources/media-source.ts';
import { UnitSource } from '../io/sources/unit-source.ts';
import { untimedUnits } from '../io/sources/untimed-units.ts';
import { codecByName } from '../protocol/codec/codecs.ts';
import { AnnexBSplitter } from '../protocol/codec/nal/annex-b.ts';

/** Rate of a stream that states none, frames per second. */
const FRAMES_PER_SECOND_DEFAULT = 30;

/** Fetches an H.264 stream of a few megabytes, which is shown again and again. */
export async function fetchSource(name: string, url: URL): Promise<MediaSource> {
  const response = await fetch(url).catch(() => undefined);
  if (!response?.ok || !response.body) {
    throw new Error(`${name} could not be loaded (${response?.status ?? 'no answer'}): reload the page`);
  }
  const reader = response.body.getReader();
  const parts = new ArrivingParts(chunksOf(reader));
  const close = () => reader.cancel().catch(() => {});
  try {
    const source = await openParts(name, () => ({ parts: parts.inOrder(), close: async () => {} }));
    return {
      description: source.description,
      units: () => source.units(),
      close: async () => void (await Promise.all([close(), source.close()])),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens an H.264 stream (Annex B) in a file, which is read anew in each round, as far as it is played. */
export function openRawFile(name: string, file: Pick<Blob, 'stream'>): Promise<MediaSource> {
  return openParts(name, () => {
    const reader: Reader = file.stream().getReader();
    return { parts: splitParts(chunksOf(reader)), close: () => reader.cancel().catch(() => {}) };
  });
}

type Reader = Pick<ReadableStreamDefaultReader<Uint8Array>, 'read' | 'cancel'>;

/** NAL units of one round. */
interface Pass {
  readonly parts: AsyncIterable<readonly Uint8Array[]>;
  close(): Promise<void>;
}

function openParts(name: string, pass: () => Pass): Promise<MediaSource> {
  const codec = codecByName('h264');
  const recipe = {
    name,
    mode: 'copy',
    codecName: 'h264',
    framesPerSecond: undefined,
    assumedFramesPerSecond: FRAMES_PER_SECOND_DEFAULT,
    durationSeconds: undefined,
    open: () => {
      const gate = new EntryGate();
      const timing = { codec, framesPerSecond: FRAMES_PER_SECOND_DEFAULT };
      const { parts, close } = pass();
      return { gate, units: untimedUnits(parts, gate, timing), close };
    },
  } as const;
  return UnitSource.open(recipe, (message) => console.warn(message));
}

/** Not every browser iterates over a stream. */
async function* chunksOf(reader: Reader): AsyncGenerator<Uint8Array> {
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) yield chunk.value;
}

async function* splitParts(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Uint8Array[]> {
  const splitter = new AnnexBSplitter();
  for await (const chunk of chunks) yield splitter.push(chunk);
  yield splitter.flush();
}

/** NAL units of a stream that is still arriving, kept for later rounds. */
class ArrivingParts {
  readonly #groups: (readonly Uint8Array[])[] = [];
  #arrived: () => void = () => {};
  #change!: Promise<void>;
  #isComplete = false;
  #failure: unknown;

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#expect();
    void this.#read(bytes);
  }

  async *inOrder(): AsyncGenerator<readonly Uint8Array[]> {
    for (let index = 0; ; index++) {
      while (index >= this.#groups.length && !this.#isComplete) await this.#change;
      if (index >= this.#groups.length) break;
      yield this.#groups[index]!;
    }
    if (this.#failure !== undefined) throw new Error('the video did not arrive as a whole: reload the page');
  }

  async #read(bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const splitter = new AnnexBSplitter();
    try {
      for await (const chunk of bytes) this.#add(splitter.push(chunk));
      this.#add(splitter.flush());
    } catch (error) {
      this.#failure = error;
    }
    this.#isComplete = true;
    this.#arrived();
  }

  #add(parts: readonly Uint8Array[]): void {
    this.#groups.push(parts);
    this.#arrived();
    this.#expect();
  }

  #expect(): void {
    this.#change = new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }
}
