import { PictureCanvas } from '../shared/picture-canvas.ts';
import { VideoView } from '../shared/video-view.ts';
import type { ReplayedPicture, ReplayedRun } from './replayed-run.ts';

/** Pictures that wait in the decoder while it plays; a search for a picture gives it the whole group. */
const DECODING_MAX = 4;
/** Time after which a picture that an idle decoder keeps is forced out of it, milliseconds. */
const FORCED_MS = 250;

/** Shows the pictures of one recorded lane on a canvas: any of them, in any order. */
export class ReplayDecoder {
  readonly #canvas: PictureCanvas;
  #view = this.#open();
  #run: ReplayedRun | undefined;
  /** Index of the picture that the decoder was given last; −1 when it needs a key frame. */
  #given = -1;
  /** Index of the picture that is wanted, and of the one on the canvas. */
  #wanted = -1;
  #drawn = -1;
  #wantedAt = 0;
  /** Timestamp of the last picture that it gave out. */
  #takenTimestamp = Number.NEGATIVE_INFINITY;
  /** True when the decoder needs a key frame next. */
  #isDrained = false;
  #isDraining = false;
  /** Newest picture before the wanted one, should the decoder not give out that. */
  #before: VideoFrame | undefined;
  /** Picture that the decoder refuses. */
  #refused = -1;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = new PictureCanvas(canvas);
  }

  /** True when this browser cannot decode the pictures. */
  get unable(): boolean {
    return !VideoView.supported || this.#view.unable;
  }

  /** True when the canvas shows the picture that was asked for, or the one before it where that cannot be decoded. */
  get isSettled(): boolean {
    return this.#wanted === this.#drawn;
  }

  /**
   * Shows the picture at an index of a run, as soon as it is decoded; called again until it is there.
   * @param index −1: none. @param isPlaying true to draw pictures on the way to it as well.
   * @returns true while a picture of the run is on the canvas.
   */
  show(run: ReplayedRun, index: number, nowMs: number, isPlaying: boolean): boolean {
    if (run !== this.#run) this.#begin(run);
    if (index !== this.#wanted) {
      this.#wantedAt = nowMs;
      this.#keepBefore(undefined);
    }
    this.#wanted = index;
    if (index < 0 || this.unable) {
      if (this.#drawn >= 0) this.#canvas.clear();
      this.#drawn = -1;
      return false;
    }
    this.#feed(run.pictures, index, isPlaying);
    this.#takeDecoded(run.pictures, isPlaying);
    if (this.#view.queueLength > 0 || this.#isDraining) this.#wantedAt = nowMs;
    if (!this.isSettled && nowMs - this.#wantedAt > FORCED_MS) this.#force(nowMs);
    return this.#drawn >= 0;
  }

  /** Shows nothing: the lane is not there. */
  hide(): void {
    this.#wanted = -1;
  }

  close(): void {
    this.#keepBefore(undefined);
    this.#view.reset();
  }

  #open(): VideoView {
    return new VideoView(
      undefined,
      () => {
        this.#refused = this.#given;
        this.#given = -1;
      },
      { tolerant: true },
    );
  }

  #begin(run: ReplayedRun): void {
    this.#run = run;
    this.#keepBefore(undefined);
    this.#restart();
    this.#drawn = -1;
    this.#canvas.clear();
  }

  #restart(): void {
    this.#view.reset();
    this.#given = -1;
    this.#refused = -1;
    this.#takenTimestamp = Number.NEGATIVE_INFINITY;
    this.#isDrained = false;
  }

  /** Gives the decoder what it needs for a picture. */
  #feed(pictures: readonly ReplayedPicture[], index: number, isPlaying: boolean): void {
    const { through, picture: wanted } = pictures[index]!;
    if (index === this.#drawn || this.#refused === through) return;
    const key = pictures.findLastIndex((picture, at) => picture.key && at <= index);
    if (key < 0) return;
    const isAhead = wanted.timestamp > this.#takenTimestamp;
    if (isAhead && this.#given === through) return;
    const goesOn = isAhead && !this.#isDrained && this.#given >= key && this.#given < through;
    if (goesOn && this.#view.queueLength > DECODING_MAX) return;
    if (!goesOn) this.#restart();
    for (let at = goesOn ? this.#given + 1 : key; at <= through; at++) {
      const { picture, frame } = pictures[at]!;
      // The newest that is decoded is taken: when it stands still, nothing newer than what is wanted.
      const decodeOnly = !isPlaying && picture.timestamp > wanted.timestamp;
      this.#view.show({ ...picture, number: frame, sentAtMs: at, decodeOnly });
    }
    this.#given = through;
  }

  #takeDecoded(pictures: readonly ReplayedPicture[], isPlaying: boolean): void {
    const taken = this.#view.takeNewest();
    if (!taken) return;
    const { frame, sentAtMs: index } = taken;
    const decoded = index === undefined ? undefined : pictures[index];
    if (index !== undefined && decoded && decoded.picture.timestamp <= pictures[this.#wanted]!.picture.timestamp) {
      this.#takenTimestamp = decoded.picture.timestamp;
      if (index !== this.#wanted && !isPlaying) return this.#keepBefore(frame);
      if (index !== this.#wanted && decoded.shownMs === undefined) return frame.close();
      this.#canvas.draw(frame, undefined);
      this.#drawn = index;
    }
    frame.close();
  }

  #keepBefore(frame: VideoFrame | undefined): void {
    this.#before?.close();
    this.#before = frame;
  }

  /**
   * A decoder that holds pictures back gives them out when it is drained, after which it needs a key frame. A picture that
   * it has given out before is decoded again. One that is too damaged never comes: the one before it stays on the screen.
   */
  #force(nowMs: number): void {
    this.#wantedAt = nowMs;
    if (this.#isDrained && this.#before) {
      this.#canvas.draw(this.#before, undefined);
      this.#keepBefore(undefined);
      this.#drawn = this.#wanted;
      return;
    }
    if (this.#isDrained) return this.#restart();
    this.#isDrained = true;
    this.#isDraining = true;
    void this.#view.drain().then(() => {
      this.#isDraining = false;
    });
  }
}
