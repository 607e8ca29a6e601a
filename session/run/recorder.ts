import { type AccessUnitSink, openRecording, type RecordingDescription } from '../../io/mp4/recording.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';

/** Limit of units that wait for a slow disk; beyond it the recording fails. */
const WAITING_UNITS_MAX = 2_000;

/** Writes access units to a file in order, without blocking the receiver. */
export class Recorder {
  readonly #sink: AccessUnitSink;
  readonly #onFailure: (error: unknown) => void;
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  #written = 0;
  #failed = false;

  static async open(
    path: string,
    description: RecordingDescription & { readonly codecName: CodecName },
    onFailure: (error: unknown) => void,
  ): Promise<Recorder> {
    return new Recorder(await openRecording(path, description, codecByName(description.codecName)), onFailure);
  }

  private constructor(sink: AccessUnitSink, onFailure: (error: unknown) => void) {
    this.#sink = sink;
    this.#onFailure = onFailure;
  }

  /** Resolves when the reader of the output is gone. */
  get abandoned(): Promise<void> {
    return this.#sink.abandoned;
  }

  get written(): number {
    return this.#written;
  }

  write(unit: AccessUnit, { isSound = false }: { readonly isSound?: boolean } = {}): void {
    if (this.#failed) return;
    if (++this.#waiting > WAITING_UNITS_MAX) return this.#fail(new Error('the disk is too slow for this stream'));
    this.#tail = this.#tail.then(async () => {
      if (this.#failed) return;
      try {
        if (isSound) await this.#sink.writeSound?.(unit);
        else {
          await this.#sink.write(unit);
          this.#written++;
        }
      } catch (error) {
        this.#fail(error);
      }
      this.#waiting--;
    });
  }

  /** Waits until everything is written and the file is closed. */
  async close(): Promise<void> {
    await this.#tail;
    try {
      await this.#sink.close();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#onFailure(error);
  }
}
