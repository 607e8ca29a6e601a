import { decoderOfByteStream } from '../../protocol/codec/h264/byte-stream-decoder.ts';
import type { Rotation } from '../../protocol/codec/nal/display-orientation.ts';
import type { PagePicture } from '../../protocol/page/page-message.ts';
import { PictureCanvas } from './picture-canvas.ts';

/** Decoder queue length above which frames are skipped up to the next key frame. */
const QUEUE_PICTURES_MAX = 30;
/** The same limit while frames are decoded that are not drawn: a window that joins has a group of them. */
const QUEUE_HIDDEN_MAX = 600;
/**
 * Restarts of the decoder within one group of pictures; after that it waits for a key frame. Each restart decodes the
 * group again.
 */
const RESUMES_MAX = 6;
const GROUP_PICTURES_MAX = 300;
/** Consecutive errors without a decoded frame after which the browser counts as unable to decode the stream. */
const FAILURES_MAX = 3;
/** Frames that wait for their sound at most: a second and a half at 30 frames per second. */
const HELD_FRAMES_MAX = 45;
/** Frames are drawn up to half a refresh of the screen before their sound, microseconds. */
const EARLY_US = 8_000;
/** Decoded frames of a tolerant view that wait for their time at most: 0.6 s at 60 frames per second. */
const DELAYED_FRAMES_MAX = 36;
/** Frames in the delay median: two seconds at 30 frames per second. */
const DELAY_WINDOW = 60;

/** Codecs that not every browser decodes, and whose pictures do not tell the decoder string, by its beginning. */
const ANNOUNCED: Readonly<Partial<Record<string, string>>> = { hvc1: 'HEVC', hev1: 'HEVC', vp09: 'VP9', av01: 'AV1' };

export interface VideoViewOptions {
  /**
   * True when frames may be missing and may arrive in bursts: a frame that the decoder rejects is skipped, decoding
   * continues without it, decoded frames wait for `takeNewest`, and the caller bounds the decoder's queue.
   */
  readonly tolerant?: boolean;
  /**
   * Media time that is heard now, microseconds; `undefined` while nothing is. Frames are drawn when their sound is heard.
   */
  readonly heardUs?: () => number | undefined;
  /** Time by which frames of a tolerant view are held back, milliseconds: that of the sound on its way. */
  readonly delayMs?: () => number;
  /** Called when a frame was decoded, or when the decoder has taken one from its queue. */
  readonly progressed?: () => void;
}

/** A decoded frame, which its taker closes, and the time at which it was sent. */
export interface TakenPicture {
  readonly frame: VideoFrame;
  readonly sentAtMs: number | undefined;
}

/** Decodes frames with WebCodecs as they arrive, and draws them on a canvas or hands them out. */
export class VideoView {
  framesReceived = 0;
  framesSkipped = 0;
  /** Frames decoded without being drawn, because others refer to them: mended ones, and those before a window joined. */
  framesHidden = 0;
  decodeErrors = 0;
  /** True to stop drawing. Decoding continues, so that resuming is instant. */
  paused = false;
  /** Codec string (RFC 6381) from the sequence parameter set; empty before the first key frame. */
  codec = '';
  /** Time of the last decoded frame, `performance.now()`. */
  decodedAt = Number.NEGATIVE_INFINITY;

  readonly #canvas: PictureCanvas | undefined;
  readonly #requestKey: () => void;
  readonly #sentAtMs = new Map<number, number>();
  /** Tolerant view: times from which frames can be taken, `performance.now()`, of frames that are held back. */
  readonly #dueMs = new Map<number, number>();
  /** Timestamps of frames that are decoded and not drawn, until a later frame is decoded. */
  readonly #hidden = new Set<number>();
  readonly #delaysMs: number[] = [];
  readonly #tolerant: boolean;
  readonly #progressed: (() => void) | undefined;
  readonly #heardUs: (() => number | undefined) | undefined;
  /** Frames that wait for their sound, in order. */
  #held: VideoFrame[] = [];
  #decoder: VideoDecoder | undefined;
  /** Tolerant view: chunks decoded since the last key frame. */
  #group: EncodedVideoChunk[] = [];
  readonly #delayMs: (() => number) | undefined;
  /** Tolerant view: the newest decoded frame that can be taken, and those that are held back, in order. */
  #decoded: VideoFrame[] = [];
  #resumes = 0;
  #shownTimestamp = Number.NEGATIVE_INFINITY;
  #failures = 0;
  /** Decoder string announced by the server; empty when unknown. */
  #announced = '';
  #rotation: Rotation = 0;
  /** True when the browser has said that it cannot decode the announced stream. */
  #isUnsupported = false;
  /** True when this browser has decoded a frame of the stream, so that later errors do not count as inability. */
  #everDecoded = false;

  /**
   * @param canvas `undefined` for a tolerant view, whose frames are taken.
   * @param requestKey called when decoding can continue only from a key frame.
   */
  constructor(canvas: HTMLCanvasElement | undefined, requestKey: () => void, options: VideoViewOptions = {}) {
    this.#canvas = canvas && new PictureCanvas(canvas);
    this.#requestKey = requestKey;
    this.#tolerant = options.tolerant ?? false;
    this.#progressed = options.progressed;
    this.#heardUs = options.heardUs;
    this.#delayMs = options.delayMs;
  }

  static get supported(): boolean {
    return 'VideoDecoder' in globalThis;
  }

  /** True when the browser has WebCodecs but cannot decode this stream. */
  get unable(): boolean {
    if (this.#isUnsupported) return true;
    return this.#failures >= FAILURES_MAX && !this.#everDecoded;
  }

  get framesDrawn(): number {
    return this.#canvas?.framesDrawn ?? 0;
  }

  /** Number of frames that wait in the decoder. */
  get queueLength(): number {
    return this.#decoder?.decodeQueueSize ?? 0;
  }

  /** Median time from the server to the canvas over recent frames, milliseconds; `undefined` before the first. */
  get delayMs(): number | undefined {
    return this.#delaysMs.toSorted((a, b) => a - b)[this.#delaysMs.length >> 1];
  }

  /** Name of the codec, of those that not every browser decodes; `undefined` for H.264. */
  get announcedCodec(): string | undefined {
    return ANNOUNCED[this.#announced.slice(0, 4)];
  }

  /**
   * Resets the view for a new stream, which starts at a key frame.
   * @param announced its decoder string, when it is known before the first key frame.
   * @param rotation clockwise, that is applied to its pictures.
   */
  reset(announced = '', rotation: Rotation = 0): void {
    this.#rotation = rotation;
    this.#announced = announced;
    this.#isUnsupported = false;
    if (this.announcedCodec && VideoView.supported) void this.#askSupport(announced);
    if (this.#decoder !== undefined && this.#decoder.state !== 'closed') this.#decoder.close();
    this.#decoder = undefined;
    this.#failures = 0;
    this.#everDecoded = false;
    this.codec = '';
    this.#group = [];
    for (const frame of this.#decoded.splice(0)) frame.close();
    this.#dueMs.clear();
    for (const frame of this.#held.splice(0)) frame.close();
    this.#resumes = 0;
    this.#shownTimestamp = Number.NEGATIVE_INFINITY;
    this.#sentAtMs.clear();
    this.#hidden.clear();
    this.#delaysMs.length = 0;
  }

  show(picture: PagePicture): void {
    this.framesReceived += 1;
    if (!VideoView.supported || this.unable) return;
    if (picture.key) this.#startAt(picture.data);
    const decoder = this.#decoder;
    if (decoder === undefined) {
      this.framesSkipped += 1;
      return;
    }
    if (!this.#tolerant && decoder.decodeQueueSize >= this.#queueMax) return this.#giveUp(decoder);
    // WebCodecs timestamps are in microseconds. The value also identifies the send time of a decoded frame.
    const timestamp = Math.round((picture.timestamp * 100) / 9);
    if (picture.decodeOnly === true) this.#hidden.add(timestamp);
    else this.#sentAtMs.set(timestamp, picture.sentAtMs);
    const chunk = new EncodedVideoChunk({ type: picture.key ? 'key' : 'delta', timestamp, data: picture.data });
    if (this.#tolerant) this.#remember(chunk);
    const delayMs = this.#delayMs?.() ?? 0;
    if (delayMs > 0) this.#dueMs.set(timestamp, performance.now() + delayMs);
    if (!decode(decoder, chunk)) this.#fail(decoder);
  }

  /** Frames that are not drawn come in bursts: they do not count towards the limit. */
  get #queueMax(): number {
    return Math.min(QUEUE_HIDDEN_MAX, QUEUE_PICTURES_MAX + this.#hidden.size);
  }

  #remember(chunk: EncodedVideoChunk): void {
    if (chunk.type === 'key') {
      this.#group = [];
      this.#resumes = 0;
    }
    if (this.#group.length < GROUP_PICTURES_MAX) this.#group.push(chunk);
  }

  /** Prepares the decoder for a key frame; it is replaced only when the codec changes. */
  #startAt(data: Uint8Array): void {
    const codec = this.announcedCodec ? this.#announced : (decoderOfByteStream(data) ?? this.codec);
    if (codec === '' || (codec === this.codec && this.#decoder !== undefined)) return;
    if (this.#decoder !== undefined && this.#decoder.state !== 'closed') this.#decoder.close();
    this.#sentAtMs.clear();
    this.#hidden.clear();
    this.#open(codec);
  }

  async #askSupport(codec: string): Promise<void> {
    const answer = await VideoDecoder.isConfigSupported({ codec }).catch(() => undefined);
    if (codec === this.#announced) this.#isUnsupported = answer?.supported !== true;
  }

  #open(codec: string): VideoDecoder {
    const decoder = new VideoDecoder({
      output: (frame) => this.#take(frame),
      error: () => this.#fail(decoder),
    });
    // Without a description the decoder expects Annex B of H.264 and HEVC.
    decoder.configure({ codec, optimizeForLatency: true });
    if (this.#progressed) decoder.addEventListener('dequeue', this.#progressed);
    this.#decoder = decoder;
    this.codec = codec;
    return decoder;
  }

  /** Makes the decoder give out every frame that it holds; the next one that it is given must be a key frame. */
  async drain(): Promise<void> {
    // An error goes to the decoder's own callback.
    await this.#decoder?.flush().catch(() => {});
  }

  /** True when a frame waits for `takeNewest`. */
  get hasNewest(): boolean {
    return this.#isDue(this.#decoded[0]);
  }

  /** Returns the newest decoded frame of a tolerant view whose time has come, once. */
  takeNewest(): TakenPicture | undefined {
    this.#closePassed();
    if (!this.hasNewest) return undefined;
    const frame = this.#decoded.shift()!;
    this.#dueMs.delete(frame.timestamp);
    this.#shownTimestamp = frame.timestamp;
    return { frame, sentAtMs: this.#takeSentAtMs(frame) };
  }

  #isDue(frame: VideoFrame | undefined): boolean {
    if (!frame) return false;
    return this.#decoded.length > DELAYED_FRAMES_MAX || (this.#dueMs.get(frame.timestamp) ?? 0) <= performance.now();
  }

  /** Of the frames whose time has come, only the last one is drawn. */
  #closePassed(): void {
    while (this.#isDue(this.#decoded[1])) {
      const frame = this.#decoded.shift()!;
      this.#sentAtMs.delete(frame.timestamp);
      this.#dueMs.delete(frame.timestamp);
      frame.close();
    }
  }

  #takeSentAtMs({ timestamp }: VideoFrame): number | undefined {
    const sentAtMs = this.#sentAtMs.get(timestamp);
    this.#sentAtMs.delete(timestamp);
    return sentAtMs;
  }

  #take(frame: VideoFrame): void {
    this.#failures = 0;
    this.#everDecoded = true;
    this.decodedAt = performance.now();
    if (this.#hidden.has(frame.timestamp)) {
      this.framesHidden += 1;
      return frame.close();
    }
    for (const timestamp of this.#hidden) if (timestamp < frame.timestamp) this.#hidden.delete(timestamp);
    if (!this.#tolerant) return this.#hold(frame);
    // Decoded again after an error.
    if (frame.timestamp <= (this.#decoded.at(-1)?.timestamp ?? this.#shownTimestamp)) return frame.close();
    this.#decoded.push(frame);
    this.#closePassed();
    this.#progressed?.();
  }

  /** Draws a frame, or keeps it until its sound is heard. */
  #hold(frame: VideoFrame): void {
    this.#held.push(frame);
    this.drawDue();
  }

  /** Draws the newest frame whose sound is heard; called once per animation frame where there is sound. */
  drawDue(): void {
    const heardUs = this.#heardUs?.() ?? Number.POSITIVE_INFINITY;
    while (this.#held.length > 0) {
      const [frame, next] = this.#held as [VideoFrame, VideoFrame | undefined];
      if (frame.timestamp > heardUs + EARLY_US && this.#held.length <= HELD_FRAMES_MAX) return;
      this.#held.shift();
      const isPassed = next !== undefined && next.timestamp <= heardUs + EARLY_US && heardUs < Number.POSITIVE_INFINITY;
      if (this.paused || isPassed) this.#sentAtMs.delete(frame.timestamp);
      else this.#draw(frame);
      frame.close();
    }
  }

  #draw(frame: VideoFrame): void {
    const sentAtMs = this.#takeSentAtMs(frame);
    this.#canvas?.draw(frame, sentAtMs, this.#rotation);
    if (sentAtMs === undefined) return;
    this.#delaysMs.push(performance.timeOrigin + performance.now() - sentAtMs);
    if (this.#delaysMs.length > DELAY_WINDOW) this.#delaysMs.shift();
  }

  /** Handles an error, after which WebCodecs has closed the decoder. */
  #fail(decoder: VideoDecoder): void {
    this.decodeErrors += 1;
    if (decoder !== this.#decoder) return;
    this.#failures += 1;
    this.#decoder = undefined;
    // The last chunk most likely caused the error: chunks are decoded one at a time, at once.
    this.#group.pop();
    if (this.#group.length === 0 || ++this.#resumes > RESUMES_MAX) return this.#requestKey();
    const next = this.#open(this.codec);
    if (this.#group.every((chunk) => decode(next, chunk))) return;
    this.#decoder = undefined;
    this.#group = [];
    this.#requestKey();
  }

  #giveUp(decoder: VideoDecoder): void {
    this.framesSkipped += decoder.decodeQueueSize + 1;
    decoder.close();
    this.#decoder = undefined;
    this.#hidden.clear();
    this.#sentAtMs.clear();
    this.#requestKey();
  }
}

/**
 * @returns false when the decoder takes no such chunk, and is closed: the first picture of a damaged stream is no key frame for
 * it, whatever it is marked as.
 */
function decode(decoder: VideoDecoder, chunk: EncodedVideoChunk): boolean {
  try {
    decoder.decode(chunk);
    return true;
  } catch {
    if (decoder.state !== 'closed') decoder.close();
    return false;
  }
}
