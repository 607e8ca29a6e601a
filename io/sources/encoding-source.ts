import { basename } from 'node:path';
import { type AccessUnit, shifted } from '../../protocol/access-unit.ts';
import {
  CLOCK_RATE,
  elapsed,
  type Instant,
  type Microseconds,
  microseconds,
  microsecondsToTicks,
  milliseconds,
  ticks,
} from '../../protocol/base/units.ts';
import { NAL_UNIT_TYPE, nalUnitType } from '../../protocol/codec/h264/nal-unit.ts';
import { codecString, parseSequenceParameterSet } from '../../protocol/codec/h264/sequence-parameter-set.ts';
import { splitAnnexB } from '../../protocol/codec/nal/annex-b.ts';
import { EncoderHost, type EncoderHostOptions, EncoderLost } from '../encoder/encoder-host.ts';
import type { EncodedPicture, EncoderOrder, EncoderState } from '../encoder/encoder-messages.ts';
import { now } from '../os/clock.ts';
import { Failure } from '../os/failure.ts';
import type { AdaptiveControl, AdaptiveState } from './adaptive-control.ts';
import { Fallbacks, type OpenFallback } from './fallback-units.ts';
import { isBeyondEnd } from './find-start.ts';
import { isLostAgain } from './lost-again.ts';
import type { MediaDescription, MediaSource, SourcePass } from './media-source.ts';

export interface EncodingSourceOptions {
  /** Name of the input, for messages. */
  readonly name: string;
  readonly order: Omit<EncoderOrder, 'from' | 'resume'>;
  /** Place at which the source starts, seconds from its first picture; default 0. */
  readonly startSeconds?: number | undefined;
  /** Bit rate at the start, bits per second. */
  readonly bitrate: number;
  /** Range of the bit rate, when the source follows; `undefined`: the bit rate is fixed. */
  readonly range: { readonly min: number; readonly max: number } | undefined;
  /** Seconds, where the input itself does not state its duration. */
  readonly durationSeconds?: number | undefined;
  /** Sources that take over when the encoder keeps failing, the preferred one first. */
  readonly fallbacks: readonly OpenFallback[];
  readonly host?: EncoderHostOptions;
  warn(message: string): void;
}

/** Pictures after which a second process is started, so that it does not slow the start of the stream. */
const SPARE_AFTER_PICTURES = 60;
/** Weight of the newest picture in the mean encoding time, and the time added to it, for the scheduler. */
const WEIGHT = 0.1;
const LEAD_MARGIN: Microseconds = milliseconds(3);
const LEAD_FACTOR = 1.5;

interface Pass {
  readonly host: EncoderHost;
  readonly first: AccessUnit;
}

/** Encodes an input with x264 in a process of its own, at a bit rate that may change from picture to picture. */
export class EncodingSource implements MediaSource {
  readonly description: MediaDescription;
  readonly adaptive: AdaptiveControl | undefined;
  readonly #options: EncodingSourceOptions;
  readonly #hosts = new Set<EncoderHost>();
  readonly #fallbacks: Fallbacks;
  #begun: Pass | undefined;
  /** Encoder that has reached the end of the input, and begins again where the input is repeated. */
  #rested: EncoderHost | undefined;
  /** Idle process that takes over when the encoder is lost: starting one takes longer than a stream may stop. */
  #spare: EncoderHost | undefined;
  #picturesSinceStart = 0;
  #bitrate: number;
  #keyFrame = false;
  /** Time of the newest picture, and that of the pictures after it to be left out, 90 kHz. */
  #timestamp = 0;
  #skipped = 0;
  #state: EncoderState;
  readonly #epoch: number;
  /** Media time at which the source starts, 90 kHz. */
  readonly #start: number;
  #encoding: Microseconds = microseconds(0);
  #closed = false;

  /** @throws {Failure} when the input cannot be encoded. */
  static async open(options: EncodingSourceOptions): Promise<EncodingSource> {
    const { name, bitrate } = options;
    const from = startOf(options);
    try {
      const host = await EncoderHost.start({ ...options.order, from }, bitrate, options.host);
      const picture = await host.next(bitrate, true);
      if (picture === undefined) {
        host.close();
        if (from > 0) throw isBeyondEnd(name, ticks(from), options.durationSeconds ?? host.opened.durationSeconds);
        throw new Failure(`${name}: no picture can be decoded`);
      }
      return new EncodingSource(options, host, picture);
    } catch (error) {
      if (error instanceof EncoderLost) throw new Failure(`${name}: the encoder failed: ${error.message}`);
      if (error instanceof Failure && !error.message.startsWith(name)) throw new Failure(`${name}: ${error.message}`);
      throw error;
    }
  }

  private constructor(options: EncodingSourceOptions, host: EncoderHost, picture: EncodedPicture) {
    this.#options = options;
    this.#fallbacks = new Fallbacks(options.fallbacks, (message) => options.warn(message));
    this.#start = startOf(options);
    this.#bitrate = options.bitrate;
    this.#state = picture.state;
    this.#hosts.add(host);
    const first = accessUnitOf(picture);
    this.#begun = { host, first };
    const { framesPerSecond, durationSeconds, epoch } = host.opened;
    this.#epoch = epoch;
    this.description = {
      ...describe(first),
      name: basename(options.name),
      codecName: 'h264',
      framesPerSecond,
      durationSeconds: options.durationSeconds ?? durationSeconds,
      mode: 'x264',
    };
    this.adaptive = options.range && this.#control(options.range);
  }

  get startSeconds(): number {
    return this.#start / CLOCK_RATE;
  }

  /** Numbers of the encoder processes that encode, for tests. */
  get processes(): readonly (number | undefined)[] {
    return [...this.#hosts].filter((host) => host !== this.#spare).map(({ pid }) => pid);
  }

  /** Number of the process that takes over when the encoder is lost, for tests; `undefined` while there is none. */
  get spareProcess(): number | undefined {
    return this.#spare?.pid;
  }

  async *units({ isRepeat = false }: SourcePass = {}): AsyncGenerator<AccessUnit> {
    if (isRepeat || this.#start === 0) return yield* this.#unitsFrom(0);
    for await (const unit of this.#unitsFrom(this.#start)) yield shifted(unit, ticks(-this.#start));
  }

  /** Times count from the beginning of the input. */
  async *#unitsFrom(start: number): AsyncGenerator<AccessUnit> {
    let pass: Pass | undefined = this.#begun;
    this.#begun = undefined;
    let place = start;
    let lostAt: Instant | undefined;
    try {
      while (!this.#closed) {
        try {
          pass ??= await this.#startAt(place);
          if (pass === undefined) return;
          for (let unit: AccessUnit | undefined = pass.first; unit; unit = await this.#encode(pass.host)) {
            place = unit.timestamp + 1;
            yield unit;
          }
          this.#rest(pass.host);
          pass = undefined;
          return;
        } catch (error) {
          if (this.#closed) return;
          if (!(error instanceof EncoderLost)) throw this.#named(error);
          const failedAt = now();
          const again = isLostAgain(lostAt, failedAt);
          lostAt = failedAt;
          if (pass) this.#end(pass.host);
          pass = undefined;
          if (!again) this.#options.warn(`${this.#options.name}: the encoder failed (${error.message}): restarted`);
          else {
            const cause = `${this.#options.name}: the encoder failed twice (${error.message})`;
            return yield* this.#fallbacks.units(place, this.#bitrate, cause);
          }
        }
      }
    } finally {
      if (pass) this.#end(pass.host);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const host of this.#hosts) host.close();
    this.#hosts.clear();
    await this.#fallbacks.close();
  }

  #control({ min, max }: { readonly min: number; readonly max: number }): AdaptiveControl {
    const source = this;
    return {
      bitrateMin: min,
      bitrateMax: max,
      setTarget: (bitsPerSecond) => {
        source.#bitrate = Math.min(max, Math.max(min, bitsPerSecond));
      },
      requestKeyFrame: () => {
        source.#keyFrame = true;
      },
      skip: (span) => {
        source.#skipped = microsecondsToTicks(span);
      },
      get state(): AdaptiveState {
        return { ...source.#state, bitrate: source.#bitrate };
      },
      get leadTime() {
        return microseconds(source.#encoding * LEAD_FACTOR + LEAD_MARGIN);
      },
    };
  }

  async #startAt(from: number): Promise<Pass | undefined> {
    // Of the place before, which may be the end of the input.
    this.#skipped = 0;
    this.#timestamp = from;
    const rested = this.#rested;
    this.#rested = undefined;
    if (from === 0 && rested) {
      this.#keyFrame = true;
      return this.#passOf(rested);
    }
    const resume = from > 0 ? { preset: this.#state.preset, epoch: this.#epoch } : undefined;
    const order = { ...this.#options.order, from, resume };
    const host = this.#takeSpare() ?? this.#startProcess();
    try {
      await host.open(order, this.#bitrate);
    } catch (error) {
      this.#end(host);
      throw error;
    }
    return this.#passOf(host);
  }

  #takeSpare(): EncoderHost | undefined {
    const spare = this.#spare;
    this.#spare = undefined;
    this.#picturesSinceStart = 0;
    if (spare?.isLost) this.#end(spare);
    return spare?.isLost ? undefined : spare;
  }

  #startProcess(): EncoderHost {
    const host = new EncoderHost(this.#options.host);
    this.#hosts.add(host);
    return host;
  }

  async #passOf(host: EncoderHost): Promise<Pass | undefined> {
    try {
      const picture = await this.#encode(host);
      if (picture) return { host, first: picture };
      this.#end(host);
      return undefined;
    } catch (error) {
      this.#end(host);
      throw error;
    }
  }

  #rest(host: EncoderHost): void {
    if (this.#rested) this.#end(this.#rested);
    this.#rested = host;
  }

  async #encode(host: EncoderHost): Promise<AccessUnit | undefined> {
    const from = now();
    const keyFrame = this.#keyFrame;
    this.#keyFrame = false;
    const notBefore = this.#skipped > 0 ? this.#timestamp + this.#skipped : undefined;
    this.#skipped = 0;
    const picture = await host.next(this.#bitrate, keyFrame, notBefore);
    if (picture === undefined) return undefined;
    this.#timestamp = picture.timestamp;
    this.#state = picture.state;
    // Nobody waits for a picture of a source that is read ahead.
    const isLive = this.#options.range !== undefined;
    if (isLive && ++this.#picturesSinceStart === SPARE_AFTER_PICTURES) this.#spare ??= this.#startProcess();
    const taken = elapsed(from, now());
    this.#encoding = microseconds(this.#encoding + (taken - this.#encoding) * WEIGHT);
    return accessUnitOf(picture);
  }

  #end(host: EncoderHost): void {
    host.close();
    this.#hosts.delete(host);
  }

  #named(error: unknown): unknown {
    const { name } = this.#options;
    return error instanceof Failure && !error.message.startsWith(name)
      ? new Failure(`${name}: ${error.message}`)
      : error;
  }
}

const startOf = ({ startSeconds = 0 }: EncodingSourceOptions): number => Math.round(startSeconds * CLOCK_RATE);

function accessUnitOf({ bytes, timestamp, keyFrame }: EncodedPicture): AccessUnit {
  const at = ticks(timestamp);
  return {
    parts: splitAnnexB(bytes),
    timestamp: at,
    decodeTimestamp: at,
    importance: keyFrame ? 'key' : 'reference',
  };
}

function describe({ parts }: AccessUnit): Pick<MediaDescription, 'codec' | 'width' | 'height' | 'parameterSets'> {
  const ofType = (type: number) => parts.filter((nalUnit) => nalUnitType(nalUnit) === type);
  const sequence = ofType(NAL_UNIT_TYPE.sequenceParameterSet);
  const parsed = sequence.map(parseSequenceParameterSet).find((set) => set.ok);
  const sps = parsed?.ok === true ? parsed.value : undefined;
  return {
    codec: sps === undefined ? 'avc1' : codecString(sps),
    width: sps?.width ?? 0,
    height: sps?.height ?? 0,
    parameterSets: [...sequence, ...ofType(NAL_UNIT_TYPE.pictureParameterSet)],
  };
}
