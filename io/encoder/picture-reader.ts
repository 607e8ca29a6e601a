import { Failure } from '../os/failure.ts';
import {
  AV,
  type AvCodec,
  type AvCodecContext,
  type AvFormatContext,
  type AvFrame,
  type AvLibrary,
  type AvStream,
} from './av-library.ts';
import type { EncoderOrder, OpenedInput } from './encoder-messages.ts';

/** A decoded picture; valid until the next one is read. */
export interface SourcePicture {
  readonly frame: AvFrame;
  /** Media time, 90 kHz, from the first picture of the input. */
  readonly timestamp: number;
}

const CLOCK_RATE = 90_000;
const MICROSECONDS = 1_000_000;
/** Frame rates outside this range are mistakes of a header, 1/s. */
const RATE_MAX = 1_000;
/** Damaged packets in a row after which the input counts as unreadable. */
const DAMAGED_IN_A_ROW_MAX = 1_000;

/** Decodes the first video stream of an input. */
export class PictureReader {
  readonly #av: AvLibrary;
  readonly #order: EncoderOrder;
  readonly #container: AvFormatContext;
  readonly #stream: AvStream;
  readonly #decoder: AvCodecContext;
  readonly #packet;
  readonly #frame: AvFrame;
  readonly #codec: AvCodec;
  readonly #framesPerSecond: number;
  /** Quarter turns clockwise that the picture needs to be upright. */
  readonly quarterTurns: number;
  #epoch: number | undefined;
  /** True where pictures before the place are to be read past, but could be skipped. */
  #seeks = false;
  #last = Number.NEGATIVE_INFINITY;
  #read = 0;
  #damaged = 0;
  #damagedInARow = 0;
  #draining = false;

  /** @throws {Failure} when the input cannot be read, or holds no video. */
  static async open(av: AvLibrary, order: EncoderOrder): Promise<PictureReader> {
    const reader = new PictureReader(av, order);
    reader.#check(await reader.#decoder.open2(reader.#codec, null));
    return reader;
  }

  private constructor(av: AvLibrary, order: EncoderOrder) {
    this.#av = av;
    this.#order = order;
    this.#container = new av.FormatContext();
    this.#packet = new av.Packet();
    this.#packet.alloc();
    this.#frame = new av.Frame();
    this.#frame.alloc();
    this.#open();
    const index = this.#container.findBestStream(AV.mediaTypeVideo);
    const stream = this.#container.streams.find((each) => each.index === index);
    if (index < 0 || stream === undefined) throw new Failure('it contains no video');
    this.#stream = stream;
    const codec = av.Codec.findDecoder(stream.codecpar.codecId);
    if (codec === null) throw new Failure('its video codec is not supported');
    this.#codec = codec;
    this.#decoder = new av.CodecContext();
    this.#decoder.allocContext3(codec);
    this.#decoder.parametersToContext(stream.codecpar);
    // More threads would decode ahead, and take the core on which the pictures are encoded.
    this.#decoder.threadCount = 1;
    this.#framesPerSecond = this.#rate();
    this.quarterTurns = quarterTurnsOf(stream.codecpar.getCodedSideData(AV.displayMatrix));
  }

  get opened(): OpenedInput {
    const { width, height } = this.#stream.codecpar;
    const upright = this.quarterTurns % 2 === 0;
    const duration = Number(this.#container.duration);
    return {
      width: upright ? width : height,
      height: upright ? height : width,
      framesPerSecond: this.#framesPerSecond,
      durationSeconds: duration > 0 ? duration / MICROSECONDS : undefined,
      epoch: this.#epoch ?? 0,
    };
  }

  /** Pictures and packets that could not be decoded. */
  get damaged(): number {
    return this.#damaged;
  }

  /** Returns the next picture; `undefined` at the end. @throws {Failure} when nothing more can be read. */
  next(): SourcePicture | undefined {
    for (;;) {
      const code = this.#decoder.receiveFrameSync(this.#frame);
      if (code === 0) {
        const timestamp = this.#timestampOf(this.#frame);
        if (timestamp !== undefined) return { frame: this.#frame, timestamp };
      } else if (code === AV.errorEnd) return undefined;
      else if (code !== AV.errorAgain) this.#countDamage();
      else if (this.#draining) return undefined;
      else this.#feed();
    }
  }

  close(): void {
    this.#decoder.freeContext();
    this.#container.closeInputSync();
    this.#frame.free();
  }

  #open(): void {
    const { input, guard, rawPictures } = this.#order;
    const options = new this.#av.Dictionary();
    for (const [key, value] of Object.entries(guard)) options.set(key, value, 0);
    let format: object | null = null;
    if (rawPictures) {
      format = this.#av.InputFormat.findInputFormat('rawvideo');
      options.set('pixel_format', 'yuv420p', 0);
      options.set('video_size', `${rawPictures.width}x${rawPictures.height}`, 0);
      options.set('framerate', `${rawPictures.framesPerSecond}`, 0);
    }
    if ('graph' in input) format = this.#av.InputFormat.findInputFormat('lavfi');
    this.#check(this.#container.openInputSync('graph' in input ? input.graph : input.url, format, options));
    this.#check(this.#container.findStreamInfoSync(null));
    const { from, resume, evenTimes } = this.#order;
    const canSeek = !evenTimes && 'url' in input;
    if (resume === undefined) {
      // The times of the input are known from its first picture on.
      this.#seeks = canSeek && from > 0;
      return;
    }
    this.#epoch = resume.epoch;
    if (canSeek) this.#seek(resume.epoch + from);
  }

  /** Goes to the key frame before the place; pictures up to it are decoded and dropped. Not every input can be searched. */
  #seek(time: number): void {
    const place = (time / CLOCK_RATE) * MICROSECONDS;
    this.#container.seekFrameSync(-1, BigInt(Math.round(place)), AV.seekBackward);
  }

  #rate(): number {
    const { avgFrameRate, rFrameRate } = this.#stream;
    for (const { num, den } of [avgFrameRate, rFrameRate]) {
      const rate = num / den;
      if (rate > 0 && rate <= RATE_MAX) return this.#order.evenTimes ? this.#order.framesPerSecondDefault : rate;
    }
    return this.#order.framesPerSecondDefault;
  }

  /** Media time of a picture; `undefined` for one to be dropped. */
  #timestampOf(frame: AvFrame): number | undefined {
    const { num, den } = this.#stream.timeBase;
    const stated = Number(frame.bestEffortTimestamp);
    const isStated = !this.#order.evenTimes && stated > -(2 ** 62);
    const step = CLOCK_RATE / this.#framesPerSecond;
    const time = isStated ? (stated * num * CLOCK_RATE) / den : (this.#epoch ?? 0) + this.#read * step;
    this.#read++;
    this.#epoch ??= time;
    if (this.#seeks) {
      this.#seeks = false;
      this.#seek(this.#epoch + this.#order.from);
      this.#decoder.flushBuffers();
      // A decoder that keeps pictures back returns the first one of a short clip after the end of the input.
      this.#draining = false;
      return undefined;
    }
    const timestamp = Math.round(time - this.#epoch);
    // A picture that goes back in time was cut away by an edit list, or its time is damaged.
    if (timestamp <= this.#last || timestamp < this.#order.from) return undefined;
    this.#last = timestamp;
    this.#damagedInARow = 0;
    return timestamp;
  }

  #feed(): void {
    const code = this.#container.readFrameSync(this.#packet);
    if (code !== 0) {
      this.#draining = true;
      this.#decoder.sendPacketSync(null);
      if (code !== AV.errorEnd) this.#countDamage();
      return;
    }
    if (this.#packet.streamIndex === this.#stream.index && this.#decoder.sendPacketSync(this.#packet) !== 0) {
      this.#countDamage();
    }
    this.#packet.unref();
  }

  #countDamage(): void {
    this.#damaged++;
    if (++this.#damagedInARow > DAMAGED_IN_A_ROW_MAX) throw new Failure('its video is damaged and cannot be decoded');
  }

  #check(code: number): void {
    if (code < 0) throw new Failure(new this.#av.FFmpegError(code).message);
  }
}

/** Quarter turns clockwise of a display matrix: nine numbers of 32 bits, of which the first two are the first row. */
function quarterTurnsOf(matrix: Uint8Array | null): number {
  if (matrix === null || matrix.length < 36) return 0;
  const view = new DataView(matrix.buffer, matrix.byteOffset, matrix.byteLength);
  const [a, b] = [view.getInt32(0, true), view.getInt32(4, true)];
  if (a === 0 && b === 0) return 0;
  const angle = (Math.atan2(b, a) * 2) / Math.PI;
  return (Math.round(angle) + 4) % 4;
}
