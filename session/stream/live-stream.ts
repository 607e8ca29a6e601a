import type { MediaSource } from '../../io/sources/media-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import {
  type Instant,
  later,
  type Microseconds,
  type Ticks,
  ticks,
  ticksToMicroseconds,
} from '../../protocol/base/units.ts';
import { BacklogBudget } from './backlog-budget.ts';
import { Broadcast } from './broadcast.ts';
import { HeldSound } from './held-sound.ts';
import { broadcastMedia } from './play-order.ts';
import { RecentGroup } from './recent-group.ts';

/** A viewer of a live stream: a receiver of ours, or a player that speaks RTSP. */
export interface StreamViewer {
  /** Takes a picture when its time has come. */
  send(unit: AccessUnit): void;
  /** Takes a unit of the sound. */
  sendSound(unit: AccessUnit): void;
  /** True when sound may come before its time, with its decode time; absent: it may not. */
  readonly takesEarlySound?: boolean;
  /** The stream has ended: nothing follows. */
  finish(): void;
}

export interface LiveStreamOptions {
  readonly source: MediaSource;
  /** True when the source is repeated at its end. */
  readonly loop: boolean;
  /** Called before each unit of an adaptive source is read. */
  readonly onRead: () => void;
  /** Called when a viewer cannot decode without a key frame, for a source that can make one. */
  readonly onKeyFrameWanted: (viewer: object) => void;
  readonly onUnit: ((unit: AccessUnit) => void) | undefined;
  readonly onSound: ((unit: AccessUnit) => void) | undefined;
  /** Called before units are handed to the viewers: until `onHandedOver`, their datagrams may wait for each other. */
  readonly onHandOver?: (() => void) | undefined;
  readonly onHandedOver?: (() => void) | undefined;
  /** Called when an entry of a playlist is left out. */
  readonly onSkipped?: ((error: unknown) => void) | undefined;
  /** Called when reading the sound fails, which ends the sound of its round. */
  readonly onSoundFailure: (error: unknown) => void;
  /** Called when everything that follows is late by this. */
  readonly onStall: (late: Microseconds) => void;
  /** Called after the end of the stream, or when the last viewer has left. `error` is set when the source failed. */
  readonly onIdle: (error: unknown) => void;
}

/**
 * A source as a live stream for any number of viewers. It starts on request, stops when the last viewer leaves, and
 * begins anew after its end.
 */
export class LiveStream {
  /** Limits what waits for its slow viewers. */
  readonly backlogBudget = new BacklogBudget();
  readonly #options: LiveStreamOptions;
  readonly #viewers = new Set<StreamViewer>();
  readonly #recent = new RecentGroup();
  /** Sound for viewers that take none before its time. */
  readonly #heldSound = new HeldSound((unit) => {
    for (const viewer of this.#viewers) if (!viewer.takesEarlySound) viewer.sendSound(unit);
    this.#options.onHandedOver?.();
  });
  #broadcast: Broadcast | undefined;
  /** True while a broadcast runs, or some of its viewers are still there. */
  #streaming = false;
  /** Decode time of the last unit, and the instant at which it was due. */
  #anchor: { readonly mediaTime: Ticks; readonly at: Instant } | undefined;
  #closed = false;

  constructor(options: LiveStreamOptions) {
    this.#options = options;
  }

  /** True for a source that produces pictures by itself. */
  get #isLive(): boolean {
    return this.#options.source.description.isLive === true;
  }

  /** Starts a source that produces pictures by itself; any other waits for a viewer. */
  open(): void {
    if (this.#isLive) this.start();
  }

  /** True while units leave. */
  get isLive(): boolean {
    return this.#broadcast !== undefined;
  }

  /** Position in the source; `undefined` while nothing is streamed. */
  get position(): Microseconds | undefined {
    return this.#broadcast?.position;
  }

  /** Pictures since the last key frame, for viewers that join between key frames. */
  get recent(): RecentGroup {
    return this.#recent;
  }

  /**
   * Instant of a media time on the one clock of pictures and sound, whenever a unit leaves: one that is encoded anew does later.
   * `undefined` before the first unit.
   */
  dueAt(mediaTime: Ticks): Instant | undefined {
    const anchor = this.#anchor;
    return anchor && later(anchor.at, ticksToMicroseconds(ticks(mediaTime - anchor.mediaTime)));
  }

  /** Time until the next key frame; `undefined` when unknown. */
  nextKeyFrameIn(): Microseconds | undefined {
    return this.#broadcast?.nextKeyFrameIn();
  }

  /** The next pictures, as far as they are read; none of a source that produces pictures by itself. */
  upcoming(count: number): readonly AccessUnit[] {
    return this.#broadcast?.upcoming(count) ?? [];
  }

  /** Asks a source that can make key frames for one. @param viewer that cannot decode without it. */
  requestKeyFrame(viewer: object): void {
    this.#options.onKeyFrameWanted(viewer);
  }

  add(viewer: StreamViewer): void {
    this.#viewers.add(viewer);
  }

  /** Removes a viewer; the stream stops with the last one. */
  delete(viewer: StreamViewer): void {
    if (!this.#viewers.delete(viewer)) return;
    // A live source goes on: nobody could give back what it shows meanwhile.
    const goesOn = this.#isLive && this.#broadcast !== undefined;
    if (this.#viewers.size === 0 && this.#streaming && !this.#closed && !goesOn) this.#idle(undefined);
  }

  /** Starts the stream, unless it is running. Returns true when it was not. */
  start(): boolean {
    if (this.#broadcast || this.#closed) return false;
    const { source, loop, onRead, onHandOver, onHandedOver, onSoundFailure, onSkipped, onStall } = this.#options;
    const { adaptive } = source;
    this.#recent.clear();
    this.#heldSound.clear();
    this.#anchor = undefined;
    this.#broadcast = new Broadcast({
      ...broadcastMedia(source),
      loop: loop && !this.#isLive,
      onSkipped,
      isLive: this.#isLive,
      ...(adaptive && { leadTime: () => adaptive.leadTime, onRead }),
      ...{ onHandOver, onHandedOver },
      onUnit: (unit, dueAt) => this.#send(unit, dueAt),
      onSound: (unit, dueAt) => this.#sendSound(unit, dueAt),
      bundlesSound: () => this.#takesEarlySound,
      onEnd: (error) => {
        // Viewers that join from now on get the stream from its beginning.
        this.#broadcast = undefined;
        this.#heldSound.flush();
        for (const viewer of this.#viewers) viewer.finish();
        if (this.#viewers.size === 0 || error) this.#idle(error);
      },
      onSoundFailure,
      onStall,
    });
    this.#streaming = true;
    this.#broadcast.start();
    return true;
  }

  /** Stops the stream for good, without a word to the viewers. */
  close(): void {
    this.#closed = true;
    this.#heldSound.clear();
    this.#broadcast?.stop();
  }

  /** True when a viewer takes sound before its time. The players of other programs do not: they measure jitter by what comes early. */
  get #takesEarlySound(): boolean {
    for (const viewer of this.#viewers) if (viewer.takesEarlySound) return true;
    return false;
  }

  #send(unit: AccessUnit, dueAt: Instant): void {
    this.#anchor = { mediaTime: unit.decodeTimestamp, at: dueAt };
    this.#options.onUnit?.(unit);
    this.#recent.add(unit);
    for (const viewer of this.#viewers) viewer.send(unit);
  }

  #sendSound(unit: AccessUnit, dueAt: Instant): void {
    this.#anchor = { mediaTime: unit.decodeTimestamp, at: dueAt };
    this.#options.onSound?.(unit);
    let isHeld = false;
    for (const viewer of this.#viewers) {
      if (viewer.takesEarlySound) viewer.sendSound(unit);
      else isHeld = true;
    }
    // Sound at its own time passes through, behind what is held.
    if (isHeld) this.#heldSound.hold(unit, dueAt);
  }

  #idle(error: unknown): void {
    this.#streaming = false;
    this.#heldSound.clear();
    this.#broadcast?.stop();
    this.#broadcast = undefined;
    this.#options.onIdle(error);
  }
}
