import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Ticks, ticks } from '../../protocol/base/units.ts';
import { AAC } from '../../protocol/codec/aac/aac.ts';
import { withAdts } from '../../protocol/codec/aac/adts.ts';
import { type AudioSpecificConfig, parseAudioSpecificConfig } from '../../protocol/codec/aac/audio-specific-config.ts';
import type { Ffmpeg } from '../ffmpeg/ffmpeg-locator.ts';
import { OpusRun } from '../ffmpeg/opus-run.ts';
import { copiedFormatOf } from './sound-track.ts';
import { soundUnits } from './sound-units.ts';

export interface SoundTranscoderOptions {
  readonly ffmpeg: Ffmpeg;
  /** Configuration of the AAC that comes in. */
  readonly parameterSets: readonly Uint8Array[];
  /** Called with each unit of Opus, on the timeline of what came in, about 60 ms after it. */
  readonly onUnit: (unit: AccessUnit) => void;
  /** Called when ffmpeg ends by itself. */
  readonly onFailure: (cause: string) => void;
}

/** Sound that ffmpeg has not taken, bytes: above it, more is left out. Four seconds at 128 kb/s. */
const WAITING_BYTES_MAX = 64_000;
/** Difference from the time that follows from the samples before, 90 kHz, from which on time has jumped: 20 ms. */
const JUMP_MIN = 1_800;
const JUMPS_MAX = 64;

/** Media time of a position among the samples, both in 90 kHz. */
interface TimeMark {
  readonly position: number;
  readonly time: number;
}

/** Encodes the AAC of a live stream as Opus, in real time. */
export class SoundTranscoder {
  readonly #options: SoundTranscoderOptions;
  readonly #config: AudioSpecificConfig;
  readonly #run: OpusRun;
  readonly #marks: TimeMark[] = [];
  #position = 0;
  #closed = false;

  /** @throws {Error} for a configuration that ADTS cannot carry. */
  constructor(options: SoundTranscoderOptions) {
    this.#options = options;
    const config = options.parameterSets[0] && parseAudioSpecificConfig(options.parameterSets[0]);
    if (!config || !withAdts(new Uint8Array(1), config)) throw new Error('its AAC cannot be described to ffmpeg');
    this.#config = config;
    const parameters = ['-probesize', '32', '-analyzeduration', '0', '-f', 'aac', '-i', 'pipe:0'];
    this.#run = new OpusRun(options.ffmpeg, { parameters, name: 'the sound' });
    void this.#run.ended.then(() => this.#fail(this.#run.complaint() ?? 'ffmpeg ended'));
    this.#read().catch((error: Error) => this.#fail(this.#run.complaint() ?? error.message));
  }

  /** Takes the next unit of AAC. */
  push(unit: AccessUnit): void {
    if (this.#closed || this.#run.stdin.writableLength > WAITING_BYTES_MAX) return;
    const last = this.#marks.at(-1);
    const expected = last && last.time + (this.#position - last.position);
    if (expected === undefined || Math.abs(unit.timestamp - expected) > JUMP_MIN) {
      this.#marks.push({ position: this.#position, time: unit.timestamp });
      if (this.#marks.length > JUMPS_MAX) this.#marks.shift();
    }
    this.#position += AAC.sound!.durationOf(unit.parts, this.#options.parameterSets);
    for (const part of unit.parts) {
      const framed = withAdts(part, this.#config);
      if (framed) this.#run.stdin.write(framed);
    }
  }

  close(): void {
    this.#closed = true;
    this.#run.close();
  }

  async #read(): Promise<void> {
    const track = await this.#run.ogg.getPrimaryAudioTrack();
    const format = track && (await copiedFormatOf(track, null, false));
    if (!track || !format) throw new Error('ffmpeg made no Opus');
    const losses = { backwards: 0, damaged: 0, changed: 0 };
    for await (const unit of soundUnits(track, format, { startsAt: ticks(0), losses })) {
      if (this.#closed) return;
      const timestamp = this.#timeOf(unit.timestamp);
      this.#options.onUnit({ ...unit, timestamp, decodeTimestamp: timestamp });
    }
  }

  #timeOf(position: number): Ticks {
    const mark = this.#marks.findLast((each) => each.position <= position) ?? this.#marks[0]!;
    return ticks(Math.round(mark.time + (position - mark.position)));
  }

  #fail(cause: string): void {
    if (this.#closed) return;
    this.close();
    this.#options.onFailure(cause);
  }
}
