import type { LaneAnnouncement, LanePicture, LaneSettings, LanesState } from '../../protocol/page/lane-message.ts';
import { PictureStore, type StoredPicture } from './picture-store.ts';
import { RECORDED_BYTES_MAX, RECORDED_MS, type RecordedLane, type RecordedLink, type Recording } from './recording.ts';
import { RunTrack } from './run-track.ts';

interface Track {
  readonly id: number;
  place: number;
  /** Runs of the lane, oldest first. */
  runs: RunTrack[];
}

/** Records the last half minute of all lanes as it passes: encoded pictures, packets, frames and figures. */
export class RunRecorder {
  readonly #bytesMax: number;
  readonly #store = new PictureStore();
  #tracks: Track[] = [];
  #ids: readonly number[] = [];
  #state: LanesState | undefined;
  #links: RecordedLink[] = [];
  #description: Extract<LaneAnnouncement, { readonly kind: 'description' }> | undefined;
  /** Time of the newest events; `undefined` before the first. */
  #nowMs: number | undefined;
  /** Begin of what is known, and of what is still kept. */
  #sinceMs = 0;

  /** @param bytesMax limit of the pictures, bytes. */
  constructor(bytesMax = RECORDED_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** Begins again for a new connection, whose clock may be another one. */
  forget(): void {
    for (const { runs } of this.#tracks) for (const run of runs) run.clear();
    this.#tracks = [];
    this.#links = [];
    this.#nowMs = undefined;
  }

  /** @param ids of the lanes, in order, once the announcement is in force. */
  announced(announcement: LaneAnnouncement, ids: readonly number[]): void {
    switch (announcement.kind) {
      case 'description':
        this.#description = announcement;
        return;
      case 'state':
        return this.#arrange(announcement.state, ids);
      case 'events': {
        const { atMs, lanes } = announcement;
        if (this.#nowMs === undefined) this.#sinceMs = atMs;
        this.#nowMs = atMs;
        for (const [index, events] of lanes.entries()) this.#runOf(index, events.run)?.addEvents(atMs, events);
        return this.#forgetOld(atMs - RECORDED_MS);
      }
      case 'figures':
        if (this.#nowMs === undefined) return;
        for (const [index, figures] of announcement.lanes.entries()) {
          this.#runOf(index, figures.run)?.addFigures(announcement.atMs, figures);
        }
        return;
      default:
        return;
    }
  }

  picture(picture: LanePicture): void {
    this.#runOf(picture.lane, picture.run)?.addPicture(picture, this.#nowMs ?? 0);
    while (this.#store.bytes > this.#bytesMax) this.#shorten();
  }

  /** Returns what is recorded; `undefined` before there is anything. */
  recording(): Recording | undefined {
    const [state, untilMs] = [this.#state, this.#nowMs];
    if (!state || untilMs === undefined || this.#tracks.length === 0) return undefined;
    const media = new Uint8Array(this.#store.bytes);
    const places = new Map<StoredPicture, number>();
    let end = 0;
    const place = (picture: StoredPicture): number => {
      const known = places.get(picture);
      if (known !== undefined) return known;
      places.set(picture, end);
      media.set(picture.data, end);
      end += picture.data.length;
      return places.get(picture)!;
    };
    const fromMs = Math.max(this.#sinceMs, untilMs - RECORDED_MS);
    const lanes = this.#tracks.flatMap(({ id, place: at, runs }): RecordedLane[] => {
      const seen = runs.filter((run) => run.hasFrames && (run.untilMs ?? untilMs) > fromMs);
      return seen.length === 0 ? [] : [{ id, place: at, runs: seen.map((run) => run.recorded(untilMs, place)) }];
    });
    if (lanes.length === 0) return undefined;
    const { width = 0, height = 0 } = this.#description ?? {};
    return {
      record: {
        version: 1,
        fromMs,
        untilMs,
        // A recording may be shared: it names neither the other inputs nor the command as typed, whose paths tell of its author.
        state: { ...state, sources: [state.source] },
        width,
        height,
        links: [...this.#links],
        lanes,
      },
      media: media.subarray(0, end),
    };
  }

  #arrange(state: LanesState, ids: readonly number[]): void {
    const fromMs = this.#nowMs ?? 0;
    if (this.#links.at(-1)?.link !== state.link) this.#links.push({ fromMs, link: state.link });
    this.#state = state;
    this.#ids = ids;
    for (const track of this.#tracks) {
      const place = ids.indexOf(track.id);
      if (place >= 0) track.place = place;
      else endRun(track, fromMs);
    }
  }

  /** Returns the track of a run, which begins with its first event or picture; `undefined` for an unknown lane. */
  #runOf(index: number, run: number): RunTrack | undefined {
    const [id, settings] = [this.#ids[index], this.#state?.lanes[index]];
    if (id === undefined || settings === undefined) return undefined;
    let track = this.#tracks.find((other) => other.id === id);
    if (!track) {
      track = { id, place: index, runs: [] };
      this.#tracks.push(track);
    }
    const known = track.runs.find((other) => other.run === run);
    return known ?? this.#begin(track, run, settings);
  }

  #begin(track: Track, run: number, settings: LaneSettings): RunTrack {
    const fromMs = this.#nowMs ?? 0;
    endRun(track, fromMs);
    const begun = new RunTrack(run, settings, fromMs, this.#store);
    track.runs.push(begun);
    return begun;
  }

  #forgetOld(beforeMs: number): void {
    for (const track of this.#tracks) {
      track.runs = track.runs.filter((run) => {
        const isOver = run.untilMs !== undefined && run.untilMs < beforeMs;
        if (isOver) run.clear();
        else run.forgetBefore(beforeMs);
        return !isOver;
      });
    }
    this.#tracks = this.#tracks.filter(({ runs }) => runs.length > 0);
    while (this.#links[1] !== undefined && this.#links[1].fromMs < beforeMs) this.#links.shift();
  }

  /** Gives up the oldest pictures: the recording begins later. */
  #shorten(): void {
    const runs = this.#tracks.flatMap((track) => track.runs).filter(({ oldestMs }) => oldestMs !== undefined);
    const oldest = runs.reduce((first, run) => (run.oldestMs! < first.oldestMs! ? run : first));
    this.#sinceMs = Math.max(this.#sinceMs, oldest.dropOldestGroup());
  }
}

function endRun({ runs }: Track, atMs: number): void {
  const last = runs.at(-1);
  if (last) last.untilMs ??= atMs;
}
