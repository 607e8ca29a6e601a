import { assert } from '../../protocol/base/assert.ts';
import { Failure } from '../os/failure.ts';
import { AV, type AvCodec, type AvCodecContext, type AvFrame, type AvLibrary } from './av-library.ts';
import type { RateCorrection } from './rate-correction.ts';
import type { PictureSize } from './resolution-steps.ts';

export interface X264Options {
  readonly preset: string;
  readonly size: PictureSize;
  /** Nominal frame rate, 1/s. */
  readonly framesPerSecond: number;
  /** Frames from one key frame to the next; `undefined`: key frames on request only. */
  readonly keyInterval: number | undefined;
  /** Length of the buffer (VBV), seconds; `undefined`: one picture. */
  readonly bufferSeconds: number | undefined;
  /** A picture to be encoded, for its colors and the shape of its samples. */
  readonly like: AvFrame;
}

export interface X264Picture {
  /** H.264 byte stream (Annex B); valid until the next picture. */
  readonly bytes: Uint8Array;
  readonly keyFrame: boolean;
}

/** `X264_KEYINT_MAX_INFINITE`: no key frame but the first and those on request. */
const ENDLESS = 1 << 30;
/** libx264 takes rates and buffers in units of 1,000 bits, and 0 would turn the buffer off. */
const BUFFER_BITS_MIN = 1_000;
const BITRATE_MIN = 1_000;
/** Largest rate that libx264 takes, bits per second. */
const BITRATE_MAX = 2_000_000_000;

/**
 * libx264 for one size and preset. The bit rate is set before each picture; the buffer (VBV) of one picture makes sure
 * that a key frame is hardly larger than others and a new rate is in force at once. There is one slice, no B-frame and no
 * look-ahead: a picture goes in, its access unit comes out.
 */
export class X264Encoder {
  readonly #av: AvLibrary;
  readonly #context: AvCodecContext;
  readonly #packet;
  readonly #framesPerSecond: number;
  readonly #bufferSeconds: number | undefined;
  readonly #correction: RateCorrection;
  #pictures = 0;

  /**
   * @param correction kept from one encoder of a stream to the next.
   * @throws {Failure} when there is no libx264, or it refuses the size.
   */
  static async open(
    av: AvLibrary,
    options: X264Options,
    bitrate: number,
    correction: RateCorrection,
  ): Promise<X264Encoder> {
    const codec = av.Codec.findEncoderByName('libx264');
    if (codec === null) throw new Failure('this build of node-av has no libx264');
    const encoder = new X264Encoder(av, codec, options, correction);
    encoder.#setRate(bitrate, 1 / options.framesPerSecond);
    const settings = new av.Dictionary();
    settings.set('preset', options.preset, 0);
    settings.set('tune', 'zerolatency', 0);
    settings.set('forced-idr', '1', 0);
    settings.set('x264-params', 'repeat-headers=1:aud=1:sliced-threads=0:slices=1:scenecut=0:force-cfr=1', 0);
    const code = await encoder.#context.open2(codec, settings);
    const { width, height } = options.size;
    if (code < 0) throw new Failure(`x264 refused ${width}×${height}: ${new av.FFmpegError(code).message}`);
    return encoder;
  }

  private constructor(av: AvLibrary, codec: AvCodec, options: X264Options, correction: RateCorrection) {
    this.#av = av;
    const { size, framesPerSecond, keyInterval, like } = options;
    this.#framesPerSecond = framesPerSecond;
    this.#bufferSeconds = options.bufferSeconds;
    this.#correction = correction;
    this.#packet = new av.Packet();
    this.#packet.alloc();
    const context = new av.CodecContext();
    context.allocContext3(codec);
    context.width = size.width;
    context.height = size.height;
    context.pixelFormat = AV.pixelFormatYuv420p;
    const rate = asFraction(framesPerSecond);
    context.framerate = new av.Rational(rate.num, rate.den);
    context.timeBase = new av.Rational(rate.den, rate.num);
    context.gopSize = keyInterval ?? ENDLESS;
    context.maxBFrames = 0;
    context.threadCount = 1;
    context.colorRange = AV.colorRangeMpeg;
    context.colorPrimaries = like.colorPrimaries;
    context.colorTrc = like.colorTrc;
    context.colorSpace = like.colorSpace;
    if (like.sampleAspectRatio.num > 0) context.sampleAspectRatio = like.sampleAspectRatio;
    this.#context = context;
  }

  /**
   * Encodes one picture.
   * @param bitrate of the access units, bits per second.
   * @param seconds time since the picture before: a variable frame rate gives each picture the bits of its time.
   */
  encode(frame: AvFrame, bitrate: number, seconds: number, keyFrame: boolean): X264Picture {
    const context = this.#context;
    this.#setRate(bitrate, seconds);
    frame.pts = BigInt(this.#pictures++);
    frame.pictType = keyFrame ? AV.pictureTypeIntra : AV.pictureTypeNone;
    this.#packet.unref();
    let code = context.sendFrameSync(frame);
    if (code === 0) code = context.receivePacketSync(this.#packet);
    if (code < 0) throw new Failure(`x264 failed: ${new this.#av.FFmpegError(code).message}`);
    const { data, isKeyframe } = this.#packet;
    assert(data !== null, 'an encoded packet must have data');
    if (!isKeyframe) this.#correction.update((data.length * 8) / (bitrate * seconds));
    return { bytes: data, keyFrame: isKeyframe };
  }

  close(): void {
    this.#context.freeContext();
  }

  #setRate(bitrate: number, seconds: number): void {
    const corrected = this.#bufferSeconds === undefined ? this.#correction.factor * seconds * this.#framesPerSecond : 1;
    const wanted = bitrate * corrected;
    const rate = Math.round(Math.min(BITRATE_MAX, Math.max(BITRATE_MIN, wanted)));
    this.#context.bitRate = BigInt(rate);
    this.#context.rcMaxRate = BigInt(rate);
    const length = this.#bufferSeconds ?? 1 / this.#framesPerSecond;
    const buffer = Math.ceil((rate * length) / BUFFER_BITS_MIN) * BUFFER_BITS_MIN;
    this.#context.rcBufferSize = Math.min(BITRATE_MAX, Math.max(BUFFER_BITS_MIN, buffer));
  }
}

/** A frame rate as a fraction: exact for whole numbers and for those of NTSC, such as 30000/1001. */
function asFraction(rate: number): { readonly num: number; readonly den: number } {
  for (const den of [1, 1_001]) {
    const num = rate * den;
    if (Math.abs(num - Math.round(num)) < 0.005) return { num: Math.round(num), den };
  }
  return { num: Math.round(rate * 1_000), den: 1_000 };
}
