import type { PagePicture } from '../../protocol/page/page-message.ts';

/** A decoder that is this far behind is not going to catch up: pictures are skipped up to a keyframe. */
const QUEUE_PICTURES_MAX = 30;
/** Where frames come in heaps: all that waited behind a hole, or a group that a window is given when it joins. */
const QUEUE_PICTURES_MAX_IN_HEAPS = 600;
/** So often decoding goes on after an error before it waits for a key frame: each time decodes the group again. */
const RESUMES_MAX = 6;
const GROUP_PICTURES_MAX = 300;
/** Errors in a row, with no picture between them, after which this browser is taken to be unable to decode it. */
const FAILURES_MAX = 3;
/** Pictures over which the middle delay is taken: two seconds at 30 a second. */
const DELAY_WINDOW = 60;

export interface VideoViewOptions {
  /**
   * Frames may be missing, and may come in heaps: what a decoder refuses is left out, and decoding goes on without it;
   * what is decoded waits for `present`.
   */
  readonly tolerant?: boolean;
}

/** Decodes Annex B pictures as they come (WebCodecs) and draws each on a canvas at once. */
export class VideoView {
  framesReceived = 0;
  framesDrawn = 0;
  framesSkipped = 0;
  decodeErrors = 0;
  /** Draws nothing while true; decoding goes on, so that going on is instant. */
  paused = false;
  /** RFC 6381, from the sequence parameter set; empty before the first keyframe. */
  codec = '';
  /** The `sentAtMs` of the picture that is on the canvas; `undefined`: none is. */
  drawnSentAtMs: number | undefined;
  /** When the last picture left the decoder, `performance.now()`. */
  decodedAt = Number.NEGATIVE_INFINITY;

  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #requestKey: () => void;
  readonly #sentAtMs = new Map<number, number>();
  readonly #delaysMs: number[] = [];
  readonly #tolerant: boolean;
  #decoder: VideoDecoder | undefined;
  /** What was decoded since the last key frame, in a tolerant view. */
  #group: EncodedVideoChunk[] = [];
  /** Decoded and not drawn yet, in a tolerant view. */
  #decoded: VideoFrame | undefined;
  #resumes = 0;
  #drawnTimestamp = Number.NEGATIVE_INFINITY;
  #failures = 0;
  /** Since the stream began: a browser that has decoded some of it is not unable to. */
  #everDecoded = false;

  /** `requestKey` is called when decoding can only go on from a keyframe. */
  constructor(canvas: HTMLCanvasElement, requestKey: () => void, options: VideoViewOptions = {}) {
    const context = canvas.getContext('2d', { alpha: false });
    if (context === null) throw new Error('this browser has no canvas');
    this.#canvas = canvas;
    this.#context = context;
    this.#requestKey = requestKey;
    this.#tolerant = options.tolerant ?? false;
  }

  static get supported(): boolean {
    return 'VideoDecoder' in window;
  }

  /** The browser has a decoder, but not for this stream. */
  get unable(): boolean {
    return this.#failures >= FAILURES_MAX && !this.#everDecoded;
  }

  /** Milliseconds from the server's hand to the canvas, the middle of the last pictures; `undefined`: none yet. */
  get delayMs(): number | undefined {
    return this.#delaysMs.toSorted((a, b) => a - b)[this.#delaysMs.length >> 1];
  }

  /** Forgets the stream: the next picture shown is a keyframe. */
  reset(): void {
    if (this.#decoder !== undefined && this.#decoder.state !== 'closed') this.#decoder.close();
    this.#decoder = undefined;
    this.#failures = 0;
    this.#everDecoded = false;
    this.codec = '';
    this.#group = [];
    this.#decoded?.close();
    this.#decoded = undefined;
    this.#resumes = 0;
    this.#drawnTimestamp = Number.NEGATIVE_INFINITY;
    this.#sentAtMs.clear();
    this.#delaysMs.length = 0;
  }

  show(picture: PagePicture): void {
    this.framesReceived += 1;
    if (!VideoView.supported || this.unable) return;
    if (picture.key) this.#startAt(picture.annexB);
    const decoder = this.#decoder;
    if (decoder === undefined) {
      this.framesSkipped += 1;
      return;
    }
    const queueMax = this.#tolerant ? QUEUE_PICTURES_MAX_IN_HEAPS : QUEUE_PICTURES_MAX;
    if (decoder.decodeQueueSize >= queueMax) return this.#giveUp(decoder);
    // WebCodecs counts in microseconds; the number also finds the send time again when the picture comes out.
    const timestamp = Math.round((picture.timestamp * 100) / 9);
    this.#sentAtMs.set(timestamp, picture.sentAtMs);
    const chunk = new EncodedVideoChunk({ type: picture.key ? 'key' : 'delta', timestamp, data: picture.annexB });
    if (this.#tolerant) this.#remember(chunk);
    decoder.decode(chunk);
  }

  #remember(chunk: EncodedVideoChunk): void {
    if (chunk.type === 'key') {
      this.#group = [];
      this.#resumes = 0;
    }
    if (this.#group.length < GROUP_PICTURES_MAX) this.#group.push(chunk);
  }

  /** Before a keyframe: a decoder for its codec, the present one if that is the same. */
  #startAt(annexB: Uint8Array): void {
    const codec = codecOf(annexB) ?? this.codec;
    if (codec === '' || (codec === this.codec && this.#decoder !== undefined)) return;
    if (this.#decoder !== undefined && this.#decoder.state !== 'closed') this.#decoder.close();
    this.#sentAtMs.clear();
    this.#open(codec);
  }

  #open(codec: string): VideoDecoder {
    const decoder = new VideoDecoder({
      output: (frame) => this.#take(frame),
      error: () => this.#fail(decoder),
    });
    // No description: the bytes are Annex B.
    decoder.configure({ codec, optimizeForLatency: true });
    this.#decoder = decoder;
    this.codec = codec;
    return decoder;
  }

  /** Draws what was decoded last, where that has not been done at once: when the browser draws the page. */
  present(): void {
    const frame = this.#decoded;
    this.#decoded = undefined;
    if (!frame) return;
    if (!this.paused) this.#draw(frame);
    frame.close();
  }

  #take(frame: VideoFrame): void {
    this.#failures = 0;
    this.#everDecoded = true;
    this.decodedAt = performance.now();
    if (!this.#tolerant) {
      if (!this.paused) this.#draw(frame);
      else this.#sentAtMs.delete(frame.timestamp);
      return frame.close();
    }
    // Decoded a second time, after an error.
    if (frame.timestamp <= this.#drawnTimestamp) return frame.close();
    // Of a heap only the last is seen, and only it is worth drawing.
    if (this.#decoded) this.#sentAtMs.delete(this.#decoded.timestamp);
    this.#decoded?.close();
    this.#decoded = frame;
  }

  #draw(frame: VideoFrame): void {
    const sentAtMs = this.#sentAtMs.get(frame.timestamp);
    this.#sentAtMs.delete(frame.timestamp);
    this.#drawnTimestamp = frame.timestamp;
    if (this.#canvas.width !== frame.displayWidth || this.#canvas.height !== frame.displayHeight) {
      this.#canvas.width = frame.displayWidth;
      this.#canvas.height = frame.displayHeight;
    }
    this.#context.drawImage(frame, 0, 0, this.#canvas.width, this.#canvas.height);
    this.framesDrawn += 1;
    this.drawnSentAtMs = sentAtMs;
    if (sentAtMs === undefined) return;
    this.#delaysMs.push(performance.timeOrigin + performance.now() - sentAtMs);
    if (this.#delaysMs.length > DELAY_WINDOW) this.#delaysMs.shift();
  }

  /** The decoder has closed itself. A new one starts at the next keyframe. */
  #fail(decoder: VideoDecoder): void {
    this.decodeErrors += 1;
    if (decoder !== this.#decoder) return;
    this.#failures += 1;
    this.#decoder = undefined;
    // What came last is most likely what it failed at: frames come one by one, and are decoded at once.
    this.#group.pop();
    if (this.#group.length === 0 || ++this.#resumes > RESUMES_MAX) return this.#requestKey();
    const next = this.#open(this.codec);
    for (const chunk of this.#group) next.decode(chunk);
  }

  #giveUp(decoder: VideoDecoder): void {
    this.framesSkipped += decoder.decodeQueueSize + 1;
    decoder.close();
    this.#decoder = undefined;
    this.#requestKey();
  }
}

/** `avc1.PPCCLL` (RFC 6381 §3.3) from the three bytes that follow the header of a sequence parameter set. */
function codecOf(annexB: Uint8Array): string | undefined {
  for (let at = 0; at + 6 < annexB.length; at += 1) {
    const startsHere = annexB[at] === 0 && annexB[at + 1] === 0 && annexB[at + 2] === 1;
    if (!startsHere || ((annexB[at + 3] ?? 0) & 0x1f) !== 7) continue;
    const bytes = annexB.subarray(at + 4, at + 7);
    return `avc1.${[...bytes].map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join('')}`;
  }
  return undefined;
}
