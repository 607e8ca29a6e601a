import type { LanePicture } from '../../protocol/page/lane-message.ts';

/** Age of the oldest waiting picture, milliseconds, above which what can be left out is left out. */
const HURRY_MS = 120;
/** Age above which the lane gives up and waits for a key frame, milliseconds. */
const GIVE_UP_MS = 500;
/** The same while pictures since a key frame are decoded that are not shown: there are many of them, and they end. */
const CATCH_UP_MS = 4_000;
/** Age above which a picture is decoded without being shown, milliseconds. */
const SHOW_MS = 700;
/** Pictures that wait at most: a group for a window that joins, and a second of video. */
const PICTURES_MAX = 600;
/**
 * A lane that needs a key frame again within this time waits for one of the stream, milliseconds: the pictures since the
 * key frame are work for a decoder that had too much already.
 */
const RELAPSE_MS = 10_000;
/** The longest wait for it: more than most streams have between two of them, milliseconds. */
const KEY_WAIT_MS = 2_500;

interface Waiting {
  readonly picture: LanePicture;
  readonly receivedMs: number;
}

/**
 * The pictures of one lane that wait for its decoder. The queue is bounded in time: a decoder that does not keep up is
 * given the newest key frame, then no discardable pictures, and in the end nothing until the next key frame.
 */
export class PictureFeed {
  #queue: Waiting[] = [];
  #needsKey = true;
  /** Time at which the lane needed a key frame; `undefined` before the first picture. */
  #neededSinceMs: number | undefined;
  #catchingUpSinceMs: number | undefined;
  /** Time at which a key frame was last needed or requested. */
  #troubleMs = Number.NEGATIVE_INFINITY;
  #waitsMs = KEY_WAIT_MS;
  #keysOnly = false;
  readonly #gaveUp: () => void;
  /** Pictures left out because the window did not keep up. */
  skipped = 0;

  /** @param gaveUp called when the decoder did not keep up, and what waited was dropped. */
  constructor(gaveUp: () => void = () => {}) {
    this.#gaveUp = gaveUp;
  }

  /** True while only key frames are decoded. Afterwards the lane goes on at the next one. */
  get keysOnly(): boolean {
    return this.#keysOnly;
  }

  set keysOnly(keysOnly: boolean) {
    if (this.#keysOnly === keysOnly) return;
    this.#keysOnly = keysOnly;
    // The pictures that wait have no end in sight, or began with some that were left out.
    this.#needsKey = true;
    this.#neededSinceMs = undefined;
    this.#waitsMs = KEY_WAIT_MS;
  }

  /** True while pictures wait that are decoded and not shown. */
  get isCatchingUp(): boolean {
    return this.#catchingUpSinceMs !== undefined;
  }

  get length(): number {
    return this.#queue.length;
  }

  /** Time that the oldest picture has waited, milliseconds; 0 without one. */
  behindMs(nowMs: number): number {
    const head = this.#queue[0];
    return head === undefined ? 0 : nowMs - head.receivedMs;
  }

  /** True when the pictures since the key frame are to be requested: the lane cannot wait for the next one. */
  wantsRejoin(nowMs: number): boolean {
    return (
      !this.#keysOnly &&
      this.#needsKey &&
      this.#neededSinceMs !== undefined &&
      nowMs - this.#neededSinceMs >= this.#waitsMs
    );
  }

  push(picture: LanePicture, nowMs: number): void {
    if (this.#queue.length >= PICTURES_MAX) this.#giveUp(nowMs);
    if (picture.key) this.#needsKey = this.#keysOnly;
    else if (this.#needsKey) {
      this.#neededSinceMs ??= nowMs;
      this.skipped++;
      return;
    }
    if (picture.decodeOnly) this.#catchingUpSinceMs ??= nowMs;
    this.#queue.push({ picture, receivedMs: nowMs });
  }

  /** Returns the next picture for the decoder; `undefined` when there is none. */
  take(nowMs: number): LanePicture | undefined {
    if (this.behindMs(nowMs) > HURRY_MS) this.#hurry(nowMs);
    const head = this.#queue.shift();
    if (this.#queue.length === 0) this.#catchingUpSinceMs = undefined;
    if (head === undefined) return undefined;
    const { picture, receivedMs } = head;
    return nowMs - receivedMs > SHOW_MS && this.#queue.length > 0 ? { ...picture, decodeOnly: true } : picture;
  }

  /** Waits for a key frame from now on; what waits is dropped. */
  needKey(nowMs: number): void {
    this.skipped += this.#queue.length;
    this.#queue = [];
    this.#catchingUpSinceMs = undefined;
    this.#needsKey = true;
    this.#waitsMs = nowMs - this.#troubleMs < RELAPSE_MS ? KEY_WAIT_MS : 0;
    this.#neededSinceMs = nowMs;
    this.#troubleMs = nowMs;
  }

  /** Records that the pictures since the key frame were requested; the next request waits longer. */
  requested(nowMs: number): void {
    this.#neededSinceMs = nowMs;
    this.#troubleMs = nowMs;
    this.#waitsMs = KEY_WAIT_MS;
  }

  #hurry(nowMs: number): void {
    const newestKey = this.#queue.findLastIndex(({ picture }) => picture.key);
    if (newestKey > 0) {
      this.skipped += newestKey;
      this.#queue.splice(0, newestKey);
      this.#catchingUpSinceMs = this.#queue.some(({ picture }) => picture.decodeOnly) ? nowMs : undefined;
    }
    while (this.#queue[0]?.picture.discardable && nowMs - this.#queue[0].receivedMs > HURRY_MS) {
      this.#queue.shift();
      this.skipped++;
    }
    const since = this.#catchingUpSinceMs;
    const isLost = since === undefined ? this.behindMs(nowMs) > GIVE_UP_MS : nowMs - since > CATCH_UP_MS;
    if (isLost) this.#giveUp(nowMs);
  }

  #giveUp(nowMs: number): void {
    this.needKey(nowMs);
    this.#gaveUp();
  }
}
