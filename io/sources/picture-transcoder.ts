import { PassThrough } from 'node:stream';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { ticks } from '../../protocol/base/units.ts';
import type { Codec } from '../../protocol/codec/codec.ts';
import { TransportStreamWriter } from '../../protocol/transport-stream.ts';
import type { Ffmpeg } from '../ffmpeg/ffmpeg-locator.ts';
import { Failure } from '../os/failure.ts';
import { type EncodedTrack, openEncoded } from './encoded.ts';
import { EntryGate } from './entry-gate.ts';
import { sampleUnits } from './sample-units.ts';

export interface PictureTranscoderOptions {
  readonly ffmpeg: Ffmpeg;
  /** Codec of the pictures that come in; it can be muxed into MPEG-TS. */
  readonly codec: Codec;
  readonly name: string;
  /** Bits per second. */
  readonly bitrate: number;
  /** Frames per second, which is also the key frame interval, frames. */
  readonly framesPerSecond: number;
  /** Called with each picture in H.264 without B-frames, on the timeline of what came in. */
  readonly onUnit: (unit: AccessUnit) => void;
  /** Called once at the end: why, where it was not asked for. */
  readonly onEnd: (cause: string | undefined) => void;
}

/** Pictures that ffmpeg has not taken, bytes: above it, pictures are left out up to a key frame. */
const WAITING_BYTES_MAX = 8_000_000;
/** Time without a picture after which ffmpeg counts as hung, milliseconds: a live stream may stall. */
const SILENCE_MS_MAX = 2 ** 31 - 1;
/**
 * A short examination: everything that it needs is in the first picture. Without `nobuffer`, which would lose it, and with
 * one thread, as each further one delays the pictures by a frame.
 */
const READING = ['-f', 'mpegts', '-probesize', '5000', '-analyzeduration', '1', '-threads', '1', '-copyts'];

/** Encodes the pictures of a live stream anew, in real time, without B-frames. */
export class PictureTranscoder {
  readonly #options: PictureTranscoderOptions;
  readonly #feed = new PassThrough({ highWaterMark: WAITING_BYTES_MAX });
  readonly #encoded: EncodedTrack;
  readonly #writer: TransportStreamWriter;
  /** Time of the first picture, 90 kHz: ffmpeg's output counts from there. */
  #base: number | undefined;
  #waitsForKey = true;
  #ended = false;

  constructor(options: PictureTranscoderOptions) {
    this.#options = options;
    const { ffmpeg, codec, name, bitrate, framesPerSecond } = options;
    this.#writer = new TransportStreamWriter({ codec, clockLead: ticks(0) });
    const live = { options: READING, feed: this.#feed, silenceMsMax: SILENCE_MS_MAX };
    const gop = Math.max(1, Math.round(framesPerSecond));
    this.#encoded = openEncoded(
      { ffmpeg, input: 'pipe:0', name, mode: 'x264', bitrate, gop, framesPerSecond, live },
      'h264',
    );
    void this.#read();
  }

  /** Takes the next picture, in decode order. */
  push(unit: AccessUnit): void {
    if (this.#ended || this.#feed.writableEnded) return;
    if (this.#feed.writableLength > WAITING_BYTES_MAX) this.#waitsForKey = true;
    if (this.#waitsForKey && unit.importance !== 'key') return;
    this.#waitsForKey = false;
    this.#base ??= unit.timestamp;
    this.#feed.write(this.#writer.write(unit));
  }

  /** Ends the stream after what has come in. */
  finish(): void {
    this.#feed.end();
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    void this.#encoded.close();
  }

  async #read(): Promise<void> {
    let cause: string | undefined;
    try {
      for await (const unit of sampleUnits(await this.#encoded.track, new EntryGate())) {
        if (this.#ended) break;
        const timestamp = ticks(unit.timestamp + (this.#base ?? 0));
        this.#options.onUnit({ ...unit, timestamp, decodeTimestamp: timestamp });
      }
    } catch (error) {
      cause = error instanceof Failure ? error.inOneLine : (error as Error).message;
    }
    if (this.#ended) return;
    this.close();
    this.#options.onEnd(cause);
  }
}
