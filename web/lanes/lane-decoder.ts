import type { LanePicture } from '../../protocol/page/lane-message.ts';
import { VideoView } from '../shared/video-view.ts';
import { PictureFeed } from './picture-feed.ts';
import type { LanePictures } from './worker-message.ts';

/** Pictures that wait inside the decoder: one is decoded, one is next. The others wait in the feed, which can drop them. */
const DECODING_MAX = 2;

/** The pictures of one lane, from the connection to the page. */
export class LaneDecoder {
  readonly id: number;
  readonly view: VideoView;
  #feed: PictureFeed;
  readonly #gaveUp: () => void;
  /** Pictures left out by earlier feeds. */
  #skippedBefore = 0;
  #run: number | undefined;

  /**
   * @param on.progressed called when a picture was decoded, or when the decoder has room for another one.
   * @param on.gaveUp called when the decoder did not keep up, and what waited was dropped.
   * @param delayMs time by which pictures are held back, milliseconds.
   */
  constructor(id: number, on: { progressed(): void; gaveUp(): void }, delayMs: () => number) {
    this.id = id;
    this.#gaveUp = on.gaveUp;
    this.#feed = new PictureFeed(this.#gaveUp);
    this.view = new VideoView(undefined, () => this.#feed.needKey(performance.now()), {
      tolerant: true,
      progressed: on.progressed,
      delayMs,
    });
  }

  get feed(): PictureFeed {
    return this.#feed;
  }

  /** Begins a run, of which nothing old is shown. @param run `undefined`: that of the next picture. */
  begin(run: number | undefined): void {
    if (run === this.#run && run !== undefined) return;
    this.#run = run;
    this.view.reset();
    this.#skippedBefore += this.#feed.skipped;
    const { keysOnly } = this.#feed;
    this.#feed = new PictureFeed(this.#gaveUp);
    this.#feed.keysOnly = keysOnly;
  }

  push(picture: LanePicture, nowMs: number): void {
    this.begin(picture.run);
    this.#feed.push(picture, nowMs);
  }

  /** Gives the decoder its next picture, if it has room for it. @returns true when it got one. */
  decodeNext(nowMs: number): boolean {
    if (this.view.queueLength >= DECODING_MAX) return false;
    const picture = this.#feed.take(nowMs);
    if (!picture) return false;
    this.view.show({ ...picture, number: picture.frame, sentAtMs: picture.capturedMs });
    return true;
  }

  /** Returns what is to be reported; the newest picture is reported once. */
  takePictures(): Omit<LanePictures, 'soundPeak'> {
    const { framesHidden, decodeErrors, unable } = this.view;
    return {
      id: this.id,
      run: this.#run,
      newest: this.view.takeNewest(),
      framesHidden,
      framesSkipped: this.#skippedBefore + this.#feed.skipped,
      decodeErrors,
      unable,
    };
  }
}
