import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Ticks, ticks } from '../../protocol/base/units.ts';
import { AAC } from '../../protocol/codec/aac/aac.ts';
import { withAdts } from '../../protocol/codec/aac/adts.ts';
import { parseAudioSpecificConfig } from '../../protocol/codec/aac/audio-specific-config.ts';
import { CLOCK_START, TransportStreamWriter } from '../../protocol/transport-stream.ts';
import type { Ffmpeg } from '../ffmpeg/ffmpeg-locator.ts';
import { pipeGuard } from '../ffmpeg/input-guard.ts';
import { OpusRun } from '../ffmpeg/opus-run.ts';
import { KEEPING_TIMES } from './sound-encoder.ts';
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

/** Sound that ffmpeg has not taken, bytes: above it, more is left out. Three seconds at 128 kb/s, with the headers of MPEG-TS. */
const WAITING_BYTES_MAX = 64_000;
/** Hole from which on time has jumped, 90 kHz: 10 s. A shorter one becomes silence. */
const HOLE_MAX = 900_000;
const JUMPS_MAX = 64;
/** A short examination: everything that ffmpeg needs is in the first unit. */
const READING = [...pipeGuard(), '-f', 'mpegts', '-probesize', '1000', '-analyzeduration', '1', '-copyts'];

/** Offset of media times from those of ffmpeg, 90 kHz, from one of these on. */
interface TimeMark {
  readonly from: number;
  readonly offset: number;
}

/** Encodes the AAC of a live stream as Opus, in real time. Holes become silence. */
export class SoundTranscoder {
  readonly #options: SoundTranscoderOptions;
  readonly #writer: TransportStreamWriter;
  readonly #run: OpusRun;
  readonly #marks: TimeMark[] = [];
  /** End of the last unit, in the times of ffmpeg. */
  #end: number = CLOCK_START;
  #closed = false;

  /** @throws {Error} for a configuration that ADTS cannot carry. */
  constructor(options: SoundTranscoderOptions) {
    this.#options = options;
    const config = options.parameterSets[0] && parseAudioSpecificConfig(options.parameterSets[0]);
    if (!config || !withAdts(new Uint8Array(1), config)) throw new Error('its AAC cannot be described to ffmpeg');
    this.#writer = new TransportStreamWriter({ codec: AAC, clockLead: ticks(0), parameterSets: options.parameterSets });
    const parameters = [...READING, '-i', 'pipe:0', ...KEEPING_TIMES];
    this.#run = new OpusRun(options.ffmpeg, { parameters, name: 'the sound' });
    void this.#run.ended.then(() => this.#fail(this.#run.complaint() ?? 'ffmpeg ended'));
    this.#read().catch((error: Error) => this.#fail(this.#run.complaint() ?? error.message));
  }

  /** Takes the next unit of AAC. */
  push(unit: AccessUnit): void {
    if (this.#closed || this.#run.stdin.writableLength > WAITING_BYTES_MAX) return;
    const last = this.#marks.at(-1);
    const at = last && unit.timestamp - last.offset;
    if (at === undefined || at < this.#end - HOLE_MAX || at > this.#end + HOLE_MAX) {
      this.#marks.push({ from: this.#end, offset: unit.timestamp - this.#end });
      if (this.#marks.length > JUMPS_MAX) this.#marks.shift();
    }
    const time = unit.timestamp - this.#marks.at(-1)!.offset;
    this.#end = Math.max(this.#end, time + AAC.sound!.durationOf(unit.parts, this.#options.parameterSets));
    const timestamp = ticks(time - CLOCK_START);
    this.#run.stdin.write(this.#writer.write({ ...unit, timestamp, decodeTimestamp: timestamp }));
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

  #timeOf(time: number): Ticks {
    const mark = this.#marks.findLast(({ from }) => from <= time) ?? this.#marks[0]!;
    return ticks(Math.round(time + mark.offset));
  }

  #fail(cause: string): void {
    if (this.#closed) return;
    this.close();
    this.#options.onFailure(cause);
  }
}
