import { type Ffmpeg, locateFfmpeg } from '../../io/ffmpeg/ffmpeg-locator.ts';
import { now } from '../../io/os/clock.ts';
import { causeOf } from '../../io/os/failure.ts';
import type { MediaSource } from '../../io/sources/media-source.ts';
import { PictureTranscoder } from '../../io/sources/picture-transcoder.ts';
import { SoundTranscoder } from '../../io/sources/sound-transcoder.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { elapsed, type Instant, type Microseconds, seconds, type Ticks, ticks } from '../../protocol/base/units.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import type { SentFormat } from '../../protocol/whep/format-choice.ts';
import type { JoinedStream } from '../player/player-session.ts';
import type { BacklogBudget } from '../stream/backlog-budget.ts';
import type { LiveStream, StreamViewer } from '../stream/live-stream.ts';
import { RecentGroup } from '../stream/recent-group.ts';
import { browserNeeds } from './browser-needs.ts';

export interface BrowserRenditionOptions {
  readonly live: LiveStream;
  readonly source: MediaSource;
  /** Path of ffmpeg. */
  readonly ffmpeg: string | undefined;
  /** Bit rate of pictures that are encoded, bits per second. */
  readonly bitrate: number;
  readonly warn: (message: string) => void;
  /** Called when the pictures, or a source's sound alone, cannot be encoded: there is nothing to watch. */
  readonly onFailure: (cause: string) => void;
}

/** Streams that are encoded independently of each other. */
type EncodedStream = 'pictures' | 'sound';

interface EncoderFailure {
  readonly cause: string;
  readonly at: Instant;
}

/** Time after a failure until the encoder is tried again; players are told to come back then. */
const RETRY_AFTER: Microseconds = seconds(5);

const FRAMES_PER_SECOND_DEFAULT = 30;
const OPUS = codecByName('opus');
const H264 = codecByName('h264');

/**
 * A live stream in a form that browsers show by WebRTC. Pictures and sound pass through where they can; otherwise they are
 * encoded, once for all browsers, while there are any.
 */
export class BrowserRendition implements JoinedStream, StreamViewer {
  readonly #options: BrowserRenditionOptions;
  readonly #viewers = new Set<StreamViewer>();
  /** True where the sound comes in the place of the pictures. */
  readonly #isSoundAlone: boolean;
  readonly #encodes: Readonly<Record<EncodedStream, boolean>>;
  /** Encoded pictures since the last key frame. */
  readonly #recent = new RecentGroup();
  #pictures: PictureTranscoder | undefined;
  #sound: SoundTranscoder | undefined;
  #ffmpeg: Ffmpeg | undefined;
  #isSearching = false;
  /** Time of the last picture that is not to be shown, which the encoder does not know of. */
  #hiddenUntil: Ticks | undefined;
  /** Last failure of each encoder. */
  readonly #failures: Partial<Record<EncodedStream, EncoderFailure>> = {};

  constructor(options: BrowserRenditionOptions) {
    this.#options = options;
    const needs = browserNeeds(options.source);
    this.#isSoundAlone = codecByName(options.source.description.codecName).mediaType === 'audio';
    this.#encodes = { pictures: needs.pictures !== undefined, sound: needs.sound !== undefined };
  }

  /** Its streams: pictures first, then the sound; a source of sound alone has that in their place. */
  get formats(): readonly SentFormat[] {
    const { description, sound } = this.#options.source;
    const soundSets = (this.#isSoundAlone ? description : sound?.description)?.parameterSets ?? [];
    const ownSound = { codec: OPUS, clockRate: OPUS.clockRate, parameterSets: this.#encodes.sound ? [] : soundSets };
    if (this.#isSoundAlone) return [ownSound];
    const codec = this.#encodes.pictures ? H264 : codecByName(description.codecName);
    const parameterSets = this.#encodes.pictures ? [] : description.parameterSets;
    const pictures = { codec, clockRate: codec.clockRate, parameterSets };
    return sound ? [pictures, ownSound] : [pictures];
  }

  get isLive(): boolean {
    return this.#options.live.isLive;
  }

  dueAt(mediaTime: Ticks): Instant | undefined {
    return this.#options.live.dueAt(mediaTime);
  }

  upcoming(count: number): readonly AccessUnit[] {
    return this.#encodes.pictures || this.#isSoundAlone ? [] : this.#options.live.upcoming(count);
  }

  get backlogBudget(): BacklogBudget {
    return this.#options.live.backlogBudget;
  }

  get recent(): RecentGroup {
    // Sound alone has no group: it is encoded as it comes.
    const isEncoded = this.#isSoundAlone ? this.#encodes.sound : this.#encodes.pictures;
    return isEncoded ? this.#recent : this.#options.live.recent;
  }

  /** Reason for which there is nothing to watch; `undefined` when there is none, or when it is time for a new attempt. */
  get failure(): string | undefined {
    const stream = this.#isSoundAlone ? 'sound' : 'pictures';
    return this.#mustWait(stream) ? `the stream cannot be encoded: ${this.#failures[stream]!.cause}` : undefined;
  }

  /** Looks for the encoder where one is needed, and returns the reason for which there is nothing to watch. */
  async unavailable(): Promise<string | undefined> {
    await this.#prepare();
    return this.failure;
  }

  start(): boolean {
    const isBeginning = this.#options.live.start();
    if (isBeginning) {
      this.#recent.clear();
      this.#hiddenUntil = undefined;
    }
    return isBeginning;
  }

  requestKeyFrame(viewer: object): void {
    // The encoder makes one every second.
    if (!this.#encodes.pictures) this.#options.live.requestKeyFrame(viewer);
  }

  add(viewer: StreamViewer): void {
    this.#viewers.add(viewer);
    if (this.#viewers.size > 1) return;
    this.#options.live.add(this);
    void this.#prepare();
  }

  delete(viewer: StreamViewer): void {
    if (!this.#viewers.delete(viewer) || this.#viewers.size > 0) return;
    this.#stop();
    this.#options.live.delete(this);
  }

  send(unit: AccessUnit): void {
    if (this.#isSoundAlone && this.#encodes.sound) return this.#pushSound(unit);
    if (!this.#encodes.pictures) return this.#pass(unit);
    if (unit.decodeOnly === true)
      this.#hiddenUntil = ticks(Math.max(this.#hiddenUntil ?? unit.timestamp, unit.timestamp));
    if (this.#pictures) this.#pictures.push(unit);
    else void this.#prepare();
  }

  sendSound(unit: AccessUnit): void {
    if (this.#encodes.sound) this.#pushSound(unit);
    else this.#passSound(unit);
  }

  finish(): void {
    this.#sound?.close();
    this.#sound = undefined;
    if (this.#pictures) this.#pictures.finish();
    else this.#conclude();
  }

  #pushSound(unit: AccessUnit): void {
    if (this.#sound) this.#sound.push(unit);
    else void this.#prepare();
  }

  #pass(unit: AccessUnit): void {
    for (const viewer of this.#viewers) viewer.send(unit);
  }

  #passSound(unit: AccessUnit): void {
    for (const viewer of this.#viewers) viewer.sendSound(unit);
  }

  #conclude(): void {
    for (const viewer of this.#viewers) viewer.finish();
  }

  #mustWait(stream: EncodedStream): boolean {
    const failure = this.#failures[stream];
    return failure !== undefined && elapsed(failure.at, now()) < RETRY_AFTER;
  }

  /** Starts the encoders that are needed. */
  async #prepare(): Promise<void> {
    const needed = (['pictures', 'sound'] as const).filter((each) => this.#encodes[each] && !this.#mustWait(each));
    if (needed.length === 0 || this.#isSearching) return;
    this.#isSearching = true;
    let ffmpeg: Ffmpeg;
    try {
      this.#ffmpeg ??= await locateFfmpeg({ explicit: this.#options.ffmpeg });
      ffmpeg = this.#ffmpeg;
    } catch (error) {
      return this.#fail(needed[0]!, causeOf(error));
    } finally {
      this.#isSearching = false;
    }
    for (const stream of needed) {
      // The last browser may have left meanwhile.
      if (this.#viewers.size === 0) return;
      try {
        if (stream === 'pictures') this.#pictures ??= this.#encodePictures(ffmpeg);
        else this.#sound ??= this.#encodeSound(ffmpeg);
      } catch (error) {
        this.#fail(stream, causeOf(error));
      }
    }
  }

  #encodePictures(ffmpeg: Ffmpeg): PictureTranscoder {
    const { source, bitrate, live } = this.#options;
    const { codecName, name, framesPerSecond = FRAMES_PER_SECOND_DEFAULT } = source.description;
    const transcoder: PictureTranscoder = new PictureTranscoder({
      ...{ ffmpeg, codec: codecByName(codecName), name, bitrate, framesPerSecond },
      onUnit: (encoded) => {
        const isHidden = this.#hiddenUntil !== undefined && encoded.timestamp <= this.#hiddenUntil;
        const unit = isHidden ? { ...encoded, decodeOnly: true as const } : encoded;
        this.#recent.add(unit);
        this.#pass(unit);
      },
      onEnd: (cause) => {
        if (transcoder !== this.#pictures) return;
        this.#pictures = undefined;
        if (cause === undefined) this.#conclude();
        else this.#fail('pictures', cause);
      },
    });
    this.#recent.clear();
    for (const unit of live.recent.caughtUp()) transcoder.push(unit);
    return transcoder;
  }

  #encodeSound(ffmpeg: Ffmpeg): SoundTranscoder {
    const { description, sound } = this.#options.source;
    const { parameterSets } = this.#isSoundAlone ? description : sound!.description;
    return new SoundTranscoder({
      ffmpeg,
      parameterSets,
      onUnit: (unit) => (this.#isSoundAlone ? this.#pass(unit) : this.#passSound(unit)),
      onFailure: (cause) => {
        this.#sound = undefined;
        this.#fail('sound', cause);
      },
    });
  }

  #fail(stream: EncodedStream, cause: string): void {
    // One line: the next attempt mostly ends in the same way.
    if (this.#failures[stream]?.cause !== cause) {
      const lacking = stream === 'sound' && !this.#isSoundAlone ? 'hear nothing' : 'cannot watch';
      this.#options.warn(`browsers ${lacking}, as the encoder of the ${stream} failed: ${cause}`);
    }
    this.#failures[stream] = { cause, at: now() };
    // It may have been replaced meanwhile.
    this.#ffmpeg = undefined;
    const { failure } = this;
    if (failure !== undefined) this.#options.onFailure(failure);
  }

  #stop(): void {
    const { pictures, sound } = { pictures: this.#pictures, sound: this.#sound };
    this.#pictures = undefined;
    this.#sound = undefined;
    pictures?.close();
    sound?.close();
  }
}
