import { assert } from '../../protocol/base/assert.ts';
import { AV, type AvFilterContext, type AvFilterGraph, type AvFrame, type AvLibrary } from './av-library.ts';
import type { PictureSize } from './resolution-steps.ts';

/** Rotations clockwise as filters of FFmpeg, by quarter turns. */
const TURNS: readonly (readonly string[])[] = [[], ['transpose=clock'], ['hflip', 'vflip'], ['transpose=cclock']];

/** Makes pictures upright, of one size, with 8 bits a sample and 4:2:0 (the format that every player decodes). */
export class PictureFilter {
  readonly #av: AvLibrary;
  readonly #quarterTurns: number;
  readonly #result: AvFrame;
  #graph: AvFilterGraph | undefined;
  #ends: { readonly source: AvFilterContext; readonly sink: AvFilterContext } | undefined;
  #made = '';

  constructor(av: AvLibrary, quarterTurns: number) {
    this.#av = av;
    this.#quarterTurns = quarterTurns;
    this.#result = new av.Frame();
    this.#result.alloc();
  }

  /** Returns the picture at this size; valid until the next call. */
  apply(frame: AvFrame, size: PictureSize): AvFrame {
    const { width, height, format, colorRange } = frame;
    const isSize = width === size.width && height === size.height;
    const isPlain = format === AV.pixelFormatYuv420p && colorRange <= AV.colorRangeMpeg;
    if (isSize && isPlain && this.#quarterTurns === 0) return frame;
    const wanted = [width, height, format, colorRange, size.width, size.height].join();
    if (wanted !== this.#made) {
      this.#make(frame, size);
      this.#made = wanted;
    }
    const { source, sink } = this.#ends!;
    this.#result.unref();
    frame.pts = 0n;
    assert(source.buffersrcAddFrameSync(frame, AV.keepReference) === 0, 'the filter graph must accept the picture');
    assert(sink.buffersinkGetFrameSync(this.#result) === 0, 'the filter graph must return one picture for each input');
    return this.#result;
  }

  close(): void {
    this.#graph?.free();
    this.#result.free();
  }

  #make(frame: AvFrame, size: PictureSize): void {
    this.#graph?.free();
    const graph = new this.#av.FilterGraph();
    graph.alloc();
    graph.nbThreads = 1;
    this.#graph = graph;
    const { width, height, format, colorSpace, colorRange } = frame;
    const kind = `video_size=${width}x${height}:pix_fmt=${format}:colorspace=${colorSpace}:range=${colorRange}`;
    const source = this.#filter('buffer', `${kind}:time_base=1/90000:pixel_aspect=1/1`);
    const steps = [
      ...TURNS[this.#quarterTurns]!,
      `scale=${size.width}:${size.height}:flags=bilinear:out_range=tv`,
      'format=yuv420p',
    ];
    let last = source;
    for (const step of steps) {
      const [name = '', parameters = null] = step.split(/=(.*)/s);
      const filter = this.#filter(name, parameters);
      assert(last.link(0, filter, 0) >= 0, 'the video filters must link');
      last = filter;
    }
    const sink = this.#filter('buffersink', null);
    assert(last.link(0, sink, 0) >= 0, 'the video filters must link');
    assert(graph.configSync() >= 0, 'the filter graph must be valid');
    this.#ends = { source, sink };
  }

  #filter(name: string, parameters: string | null): AvFilterContext {
    const filter = this.#av.Filter.getByName(name);
    assert(filter !== null, 'the FFmpeg library must provide the filter');
    const context = this.#graph!.createFilter(
      filter,
      `${name}-${this.#graph === undefined ? 0 : ++this.#number}`,
      parameters,
    );
    assert(context !== null, 'the parameters of the filter must be valid');
    return context;
  }

  #number = 0;
}
