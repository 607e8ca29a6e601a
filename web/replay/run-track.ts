import type { LaneEvents, LaneFigures, LanePicture, LaneSettings } from '../../protocol/page/lane-message.ts';
import type { PictureStore, StoredPicture } from './picture-store.ts';
import type { RecordedFigures, RecordedRun } from './recording.ts';

interface Kept {
  readonly frame: number;
  readonly key: boolean;
  /** Time of its arrival, on the lanes' clock. */
  readonly atMs: number;
  readonly stored: StoredPicture;
}

interface Batch {
  readonly atMs: number;
  readonly events: LaneEvents;
}

/** Limit of the packets and arrivals of one run; of more, the oldest are left out. */
const EVENTS_MAX = 120_000;
/** Verdicts look back this far, milliseconds: figures are kept that much longer. */
const FIGURES_BEFORE_MS = 4_000;

/** The last seconds of one run of a lane, while they are recorded. */
export class RunTrack {
  readonly run: number;
  readonly settings: LaneSettings;
  readonly fromMs: number;
  /** `undefined` while the run goes on. */
  untilMs: number | undefined;
  readonly #store: PictureStore;
  #pictures: Kept[] = [];
  #batches: Batch[] = [];
  #events = 0;
  #figures: RecordedFigures[] = [];

  constructor(run: number, settings: LaneSettings, fromMs: number, store: PictureStore) {
    this.run = run;
    this.settings = settings;
    this.fromMs = fromMs;
    this.#store = store;
  }

  /** Takes a picture; one that the window has been sent again is there already. */
  addPicture({ frame, key, timestamp, data }: LanePicture, atMs: number): void {
    const newest = this.#pictures.at(-1);
    if (newest === undefined && !key) return;
    const kept = () => ({ frame, key, atMs, stored: this.#store.add(timestamp, data) });
    if (newest === undefined || newest.frame < frame) {
      this.#pictures.push(kept());
      return;
    }
    const place = this.#pictures.findIndex((other) => other.frame >= frame);
    // Before the first one, it is of a group that is no longer kept.
    if (place > 0 && this.#pictures[place]!.frame !== frame) this.#pictures.splice(place, 0, kept());
  }

  addEvents(atMs: number, events: LaneEvents): void {
    this.#batches.push({ atMs, events });
    this.#events += sizeOf(events);
    while (this.#events > EVENTS_MAX && this.#batches.length > 1) this.#shiftBatch();
  }

  addFigures(atMs: number, figures: LaneFigures): void {
    this.#figures.push([atMs, figures]);
  }

  /** Forgets what came before the time, up to the key frame before it. */
  forgetBefore(ms: number): void {
    while (this.#batches[0] !== undefined && this.#batches[0].atMs < ms) this.#shiftBatch();
    while (this.#figures[1] !== undefined && this.#figures[1][0] < ms - FIGURES_BEFORE_MS) this.#figures.shift();
    for (let next = this.#nextKey(); next > 0 && this.#pictures[next]!.atMs <= ms; next = this.#nextKey()) {
      this.#dropPictures(next);
    }
  }

  /** True once the outcome of a frame is known. */
  get hasFrames(): boolean {
    return this.#batches.some(({ events }) => events.frames.length > 0);
  }

  /** Arrival of the oldest picture, milliseconds; `undefined` without one. */
  get oldestMs(): number | undefined {
    return this.#pictures[0]?.atMs;
  }

  /** Forgets the oldest key frame and what builds on it. @returns time from which the pictures are there. */
  dropOldestGroup(): number {
    const next = this.#nextKey();
    const from = this.#pictures[next]?.atMs ?? this.#pictures.at(-1)!.atMs;
    this.#dropPictures(next < 0 ? this.#pictures.length : next);
    return from;
  }

  clear(): void {
    this.#dropPictures(this.#pictures.length);
    this.#batches = [];
  }

  /** @param place returns the offset of a picture in the media. */
  recorded(untilMs: number, place: (picture: StoredPicture) => number): RecordedRun {
    const { run, settings, fromMs } = this;
    return {
      run,
      settings,
      fromMs,
      untilMs: this.untilMs ?? untilMs,
      pictures: this.#pictures.map(({ frame, key, stored }) => {
        return [frame, key ? 1 : 0, stored.timestamp, place(stored), stored.data.length];
      }),
      events: joined(
        run,
        this.#batches.map(({ events }) => events),
      ),
      figures: [...this.#figures],
    };
  }

  /** Index of the second key frame; −1 without one. */
  #nextKey(): number {
    return this.#pictures.findIndex(({ key }, index) => key && index > 0);
  }

  #dropPictures(count: number): void {
    for (const { stored } of this.#pictures.splice(0, count)) this.#store.release(stored);
  }

  #shiftBatch(): void {
    this.#events -= sizeOf(this.#batches.shift()!.events);
  }
}

const sizeOf = ({ sent, arrived, frames }: LaneEvents): number => sent.length + arrived.length + frames.length;

function joined(run: number, all: readonly LaneEvents[]): LaneEvents {
  return {
    run,
    sent: all.flatMap(({ sent }) => sent),
    lost: all.flatMap(({ lost }) => lost),
    arrived: all.flatMap(({ arrived }) => arrived),
    freed: all.flatMap(({ freed }) => freed),
    frames: all.flatMap(({ frames }) => frames),
    // The replay is silent.
    sounds: [],
  };
}
