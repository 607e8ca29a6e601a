import { elapsed, type Instant, type Microseconds, microseconds } from '../../protocol/base/units.ts';
import { now } from '../os/clock.ts';
import { Failure } from '../os/failure.ts';
import { type AvFrame, type AvLibrary, loadAvLibrary } from './av-library.ts';
import type { EncoderOrder, EncoderState, FromEncoder, ToEncoder } from './encoder-messages.ts';
import { PictureFilter } from './picture-filter.ts';
import { PictureReader, type SourcePicture } from './picture-reader.ts';
import { PresetChoice } from './preset-choice.ts';
import { RateCorrection } from './rate-correction.ts';
import { ResolutionSteps } from './resolution-steps.ts';
import { X264Encoder } from './x264-encoder.ts';

// Entry of the encoder process: decodes an input and encodes a picture on request. A process of its own, so that
// encoding never delays sending, and so that a damaged film that crashes a decoder affects nothing else.

/** Time of a picture relative to the nominal frame interval, at most: a pause earns no bit budget. */
const STEPS_MAX = 3;
const CLOCK_RATE = 90_000;

class EncodingRun {
  readonly #av: AvLibrary;
  readonly #order: EncoderOrder;
  #reader: PictureReader;
  readonly #filter: PictureFilter;
  readonly #steps: ResolutionSteps;
  readonly #presets = new PresetChoice();
  readonly #correction = new RateCorrection();
  readonly #interval: number;
  #encoder: X264Encoder | undefined;
  /** The next picture, decoded ahead, and the time that it took. */
  #picture: SourcePicture | undefined;
  #decoding = microseconds(0);
  #lastTimestamp: number | undefined;
  #ended = false;

  static async open(av: AvLibrary, order: EncoderOrder, bitrate: number): Promise<EncodingRun> {
    const run = new EncodingRun(av, order, await PictureReader.open(av, order));
    if (order.adapts) run.#steps.begin(bitrate);
    run.decodeAhead();
    if (order.resume) run.#presets.begin(order.resume.preset);
    else if (order.adapts) await run.#tryPreset(bitrate);
    return run;
  }

  private constructor(av: AvLibrary, order: EncoderOrder, reader: PictureReader) {
    this.#av = av;
    this.#order = order;
    this.#reader = reader;
    this.#filter = new PictureFilter(av, this.#reader.quarterTurns);
    const { width, height, framesPerSecond } = this.#reader.opened;
    this.#interval = 1 / framesPerSecond;
    this.#steps = new ResolutionSteps({ width, height }, framesPerSecond);
  }

  get opened(): FromEncoder {
    return { kind: 'opened', ...this.#reader.opened };
  }

  async next({ bitrate, keyFrame, notBefore = 0 }: ToEncoder & { kind: 'next' }): Promise<FromEncoder> {
    if (this.#ended) await this.#rewind();
    while (this.#picture && this.#picture.timestamp < notBefore) this.decodeAhead();
    const picture = this.#picture;
    if (picture === undefined) {
      this.#ended = true;
      return { kind: 'end', damaged: this.#reader.damaged };
    }
    const from = now();
    if (this.#order.adapts && this.#steps.update(from, bitrate)) this.#reopen();
    const frame = this.#filter.apply(picture.frame, this.#steps.size);
    this.#encoder ??= await this.#open(frame, bitrate);
    const { bytes, keyFrame: isKey } = this.#encoder.encode(frame, bitrate, this.#secondsOf(picture), keyFrame);
    const answer: FromEncoder = {
      kind: 'picture',
      bytes: new Uint8Array(bytes),
      timestamp: picture.timestamp,
      keyFrame: isKey,
      state: this.#state,
    };
    this.#judge(now(), microseconds(elapsed(from, now()) + this.#decoding));
    return answer;
  }

  /** Begins again: the encoder and what it has learned are kept, so that a loop has no gap. */
  async #rewind(): Promise<void> {
    const reader = await PictureReader.open(this.#av, { ...this.#order, from: 0, resume: undefined });
    this.#reader.close();
    this.#reader = reader;
    this.#lastTimestamp = undefined;
    this.#ended = false;
    this.decodeAhead();
  }

  /** Prepares the next picture. */
  decodeAhead(): void {
    const from = now();
    this.#picture = this.#reader.next();
    this.#decoding = microseconds(elapsed(from, now()));
  }

  get #state(): EncoderState {
    return { preset: this.#presets.preset, ...this.#steps.size };
  }

  #secondsOf({ timestamp }: SourcePicture): number {
    const last = this.#lastTimestamp;
    this.#lastTimestamp = timestamp;
    if (last === undefined) return this.#interval;
    return Math.min(this.#interval * STEPS_MAX, (timestamp - last) / CLOCK_RATE);
  }

  #open(like: AvFrame, bitrate: number): Promise<X264Encoder> {
    const { preset } = this.#presets;
    const options = {
      preset,
      size: this.#steps.size,
      framesPerSecond: 1 / this.#interval,
      keyInterval: this.#order.keyInterval,
      bufferSeconds: this.#order.bufferSeconds,
      like,
    };
    return X264Encoder.open(this.#av, options, bitrate, this.#correction);
  }

  #reopen(): void {
    this.#encoder?.close();
    this.#encoder = undefined;
  }

  /** Encodes the first picture twice with the best preset: the second time shows what a picture takes. */
  async #tryPreset(bitrate: number): Promise<void> {
    if (this.#picture === undefined) return;
    let taken = 0;
    const frame = this.#filter.apply(this.#picture.frame, this.#steps.size);
    const encoder = await this.#open(frame, bitrate);
    for (let round = 0; round < 2; round++) {
      const from = now();
      const again = this.#filter.apply(this.#picture.frame, this.#steps.size);
      encoder.encode(again, bitrate, this.#interval, false);
      taken = elapsed(from, now());
    }
    encoder.close();
    this.#presets.beginWith(microseconds(taken + this.#decoding), microseconds(this.#interval * 1e6));
  }

  #judge(at: Instant, taken: Microseconds): void {
    if (!this.#order.adapts) return;
    const verdict = this.#presets.update(at, taken, microseconds(this.#interval * 1e6));
    switch (verdict) {
      case 'fits':
        return;
      case 'faster':
        return this.#reopen();
      case 'slow':
        if (this.#steps.limit()) this.#reopen();
        return;
      case 'spare':
        // The size grows again at a rate that supports it.
        if (!this.#steps.relax() && this.#presets.improve()) this.#reopen();
        return;
      default:
        verdict satisfies never;
    }
  }
}

let run: EncodingRun | undefined;
// A process that is kept for the loss of another loads before it is needed.
void loadAvLibrary();

async function handle(message: ToEncoder): Promise<void> {
  switch (message.kind) {
    case 'open': {
      const av = await loadAvLibrary();
      if (av === undefined) throw new Failure('node-av does not load');
      run = await EncodingRun.open(av, message.order, message.bitrate);
      return post(run.opened);
    }
    case 'next': {
      const answer = await run!.next(message);
      post(answer);
      if (answer.kind === 'picture') run!.decodeAhead();
      return;
    }
    default:
      message satisfies never;
  }
}

const post = (message: FromEncoder): void => {
  if (process.connected) process.send!(message);
};

process.on('message', (message: ToEncoder) => {
  handle(message).catch((error: unknown) => {
    post({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  });
});
// A terminal's interrupt reaches the whole group; the parent ends this process when it has finished.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(0));
