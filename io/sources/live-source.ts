import type { AccessUnit } from '../../protocol/access-unit.ts';
import { now } from '../os/clock.ts';
import { causeOf, Failure } from '../os/failure.ts';
import { LiveTimeline } from './live-timeline.ts';
import type { MediaDescription, MediaSource } from './media-source.ts';

export interface LiveSourceOptions {
  readonly name: string;
  /** Opens the source anew. */
  readonly open: () => Promise<MediaSource>;
  /** True when the source is opened again after its end: a camera or another sender may come back, stdin does not. */
  readonly returns: boolean;
  readonly warn: (message: string) => void;
  readonly inform: (message: string) => void;
}

/** Silence that is said, milliseconds. */
const SILENCE_MS = 2_000;
/** Time between two attempts to open a source that has ended, milliseconds: at first, and at most. */
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 10_000;

/** A source that has returned with another codec than the receivers have agreed on. */
class CodecChange extends Failure {}

/**
 * A source that produces pictures by itself: a camera, a pipe, another sender. Its pictures are passed on as they come;
 * its end, its silence and its return are said.
 */
export class LiveSource implements MediaSource {
  readonly description: MediaDescription;
  readonly #options: LiveSourceOptions;
  readonly #timeline = new LiveTimeline();
  #current: MediaSource | undefined;
  #retry: { readonly timer: NodeJS.Timeout; readonly resolve: () => void } | undefined;
  #silence: NodeJS.Timeout | undefined;
  #silentSince: number | undefined;
  /** Wait before the next attempt, milliseconds; short again once a picture has come. */
  #waitMs = RETRY_MS_MIN;
  #closed = false;

  /** Opens the source for the first time. @throws {Failure} when that fails. */
  static async open(options: LiveSourceOptions): Promise<LiveSource> {
    return new LiveSource(options, await options.open());
  }

  private constructor(options: LiveSourceOptions, first: MediaSource) {
    this.#options = options;
    this.#current = first;
    this.description = { ...first.description, durationSeconds: undefined, isLive: true };
  }

  async *units(): AsyncGenerator<AccessUnit> {
    const { name, returns, warn, inform } = this.#options;
    let isFirst = true;
    while (!this.#closed) {
      let cause = 'it ended';
      try {
        this.#current ??= await this.#options.open();
        this.#checkCodec(this.#current);
        if (!isFirst) inform(`${name}: the source is back`);
        isFirst = false;
        yield* this.#placed(this.#current);
      } catch (error) {
        if (!returns || error instanceof CodecChange) throw error;
        cause = causeOf(error).replace(`${name}: `, '');
      } finally {
        this.#stopListening();
        const ended = this.#current;
        this.#current = undefined;
        await ended?.close();
      }
      if (this.#closed) return;
      if (!returns) return inform(`${name}: the source has ended`);
      warn(`${name}: the source is gone: ${cause}; it is opened again until it returns`);
      await this.#reopen();
      this.#timeline.restart();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopListening();
    clearTimeout(this.#retry?.timer);
    this.#retry?.resolve();
    await this.#current?.close();
  }

  async *#placed(source: MediaSource): AsyncGenerator<AccessUnit> {
    this.#listen();
    for await (const unit of source.units()) {
      this.#hear();
      const placed = this.#timeline.place(now(), unit);
      const notice = this.#timeline.takeNotice();
      if (notice?.kind === 'jumped') {
        this.#options.warn(`${this.#options.name}: its clock jumped by ${secondsText(notice.by)}; the stream goes on`);
      } else if (notice) {
        this.#options.warn(
          `${this.#options.name}: its clock stood still for ${secondsText(notice.for)}; the stream goes on`,
        );
      }
      yield placed;
      this.#listen();
    }
  }

  /** The receivers have agreed on a codec. */
  #checkCodec({ description }: MediaSource): void {
    const [before, after] = [this.description.codecName, description.codecName];
    if (after !== before) {
      throw new CodecChange(`${this.#options.name}: it is ${after} now, and was ${before}: start the sender again`);
    }
  }

  /** Tries to open the source until it succeeds. */
  async #reopen(): Promise<void> {
    while (!this.#closed) {
      const waitMs = this.#waitMs;
      this.#waitMs = Math.min(RETRY_MS_MAX, waitMs * 2);
      await new Promise<void>((resolve) => {
        this.#retry = { timer: setTimeout(resolve, waitMs), resolve };
      });
      if (this.#closed) return;
      const opened = await this.#options.open().catch(() => undefined);
      if (!opened) continue;
      this.#current = opened;
      if (this.#closed) await opened.close();
      return;
    }
  }

  #listen(): void {
    this.#silence = setTimeout(() => {
      this.#silentSince = now() - SILENCE_MS * 1_000;
      this.#options.warn(
        `${this.#options.name}: no picture for ${SILENCE_MS / 1_000} s; the stream waits for the source`,
      );
    }, SILENCE_MS);
    this.#silence.unref();
  }

  #stopListening(): void {
    clearTimeout(this.#silence);
    this.#silentSince = undefined;
  }

  #hear(): void {
    this.#waitMs = RETRY_MS_MIN;
    clearTimeout(this.#silence);
    if (this.#silentSince === undefined) return;
    if (!this.#closed)
      this.#options.inform(`${this.#options.name}: pictures again after ${secondsText(now() - this.#silentSince)}`);
    this.#silentSince = undefined;
  }
}

const secondsText = (microseconds: number): string => `${(microseconds / 1e6).toFixed(1)} s`;
