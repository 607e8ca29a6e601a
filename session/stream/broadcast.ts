import { now } from '../../io/os/clock.ts';
import { WakeUp } from '../../io/os/wake-up.ts';
import type { Playlist, SourcePass } from '../../io/sources/media-source.ts';
import { type AccessUnit, shifted } from '../../protocol/access-unit.ts';
import {
  CLOCK_RATE,
  earlier,
  elapsed,
  type Instant,
  later,
  type Microseconds,
  microseconds,
  microsecondsToTicks,
  milliseconds,
  type Ticks,
  ticks,
  ticksToMicroseconds,
} from '../../protocol/base/units.ts';
import { type PlayedRound, PlayOrder } from './play-order.ts';
import { RoundTimeline } from './round-timeline.ts';
import { SoundFeed } from './sound-feed.ts';
import { StallShift } from './stall-shift.ts';

export interface BroadcastOptions {
  /** Access units in decode order, from the start at each call. */
  readonly units: (pass?: SourcePass) => AsyncIterable<AccessUnit>;
  /** Place at which the first pass starts, seconds; default 0. */
  readonly startSeconds?: number | undefined;
  readonly loop: boolean;
  /** Sources that follow; `units` and `sound` are those of the first. */
  readonly playlist?: Playlist | undefined;
  /** Called when an entry of the playlist is left out, or its rest: it cannot be opened or read, or has no pictures. */
  readonly onSkipped?: ((error: unknown) => void) | undefined;
  /** True for a source that produces pictures by itself: they are emitted when they are read, and never late. */
  readonly isLive?: boolean | undefined;
  /** @param dueAt due time of the unit; the call may be up to `lateMax` later. */
  readonly onUnit: (unit: AccessUnit, dueAt: Instant) => void;
  /** Called before and after units that are due at the same time are handed over. */
  readonly onHandOver?: (() => void) | undefined;
  readonly onHandedOver?: (() => void) | undefined;
  /** Sound beside the units, whose times are on the same timeline; from the start at each call. */
  readonly sound?: ((pass?: SourcePass) => AsyncIterable<AccessUnit>) | undefined;
  /** Called with each unit of the sound when its time has come. @param dueAt due time of the unit, as that of `onUnit`. */
  readonly onSound?: ((unit: AccessUnit, dueAt: Instant) => void) | undefined;
  /**
   * True when sound that is due before the next picture leaves with a picture, at its decode time: each of the two wakes the
   * processes at both ends. Asked at each picture; default: never.
   */
  readonly bundlesSound?: (() => boolean) | undefined;
  /** How long pictures wait for sound that is being read; default: not at all. */
  readonly soundWaitMax?: Microseconds | undefined;
  /** Called when reading the sound fails, which ends the sound of its round. */
  readonly onSoundFailure?: ((error: unknown) => void) | undefined;
  /** Called after the last unit, or when the source fails. Not called after `stop`. */
  readonly onEnd: (error: unknown) => void;
  /** Lateness that counts as a stall; default: a tenth of a second. */
  readonly lateMax?: Microseconds;
  /** Lead time of reading each unit of an adaptive source before it is due; default: units are read ahead. */
  readonly leadTime?: (() => Microseconds) | undefined;
  /** Called before the next unit is read, with the time since its turn; below 0: until then. */
  readonly onRead?: ((late: Microseconds) => void) | undefined;
  /** Called when the source or the process fell behind: everything that follows is delayed by `late`. */
  readonly onStall: (late: Microseconds) => void;
}

/** Limits of the units read ahead, so that a disk or encoder that is briefly slow does not show. */
const AHEAD_UNITS = 32;
const AHEAD_BYTES = 16_000_000;
/** Units read at once: a batch of eight costs a third of eight single reads. */
const BATCH_UNITS = 8;
/**
 * Lateness that counts as a stall. After a stall, everything that follows is delayed, timestamps included, so that
 * receivers see a gap rather than a longer path. Below it the timestamps are kept, and the usual latency of 120 ms
 * absorbs the scheduler's jitter.
 */
const STALL: Microseconds = milliseconds(100);
/** How far a live source may be ahead of the time since its first picture: it sends what it has when it is opened. */
const LIVE_AHEAD_MAX: Microseconds = milliseconds(1_000);
/** Rate at which the clock of a live source may be faster than ours: ten times that of a cheap crystal. */
const LIVE_DRIFT_MAX = 0.001;

/** Longest time by which sound leaves early with a picture: the interval of 20 pictures a second, 90 kHz. */
const SOUND_LEAD_MAX = CLOCK_RATE / 20;
/** Units of sound that leave with a picture, at most: those of that time, of 2.5 ms each. */
const SOUND_UNITS_MAX = 20;

/** One pass over the source. */
interface Round {
  /** First decode time in the stream. */
  readonly begin: Ticks;
  /** Offset of its timestamps from the position in the source, or in the playlist. */
  readonly base: Ticks;
}

/** Emits the access units of a source at their decode times, which makes a file a live stream. */
export class Broadcast {
  readonly #options: BroadcastOptions;
  readonly #wakeUp = new WakeUp(() => this.#handOver());
  readonly #readWakeUp = new WakeUp(() => this.#readNow?.());
  readonly #queue: AccessUnit[] = [];
  /** The round of the last emitted unit, and those that begin in the queue. */
  readonly #rounds: Round[] = [];
  #position: Ticks | undefined;
  /** Decode time of the last emitted picture. */
  #lastPicture: Ticks | undefined;
  /** The pass over the playlist that is read, and the offset of its timestamps. */
  #cycle: { readonly number: number; readonly base: Ticks } | undefined;
  #queueBytes = 0;
  #roomMade: (() => void) | undefined;
  #readNow: (() => void) | undefined;
  /** Decode time of the unit that is read next. */
  #nextRead: Ticks = ticks(0);
  #exhausted = false;
  #error: unknown;
  #stopped = false;
  readonly #order: PlayOrder;
  readonly #sound: SoundFeed | undefined;
  /** A picture has waited in vain for sound; the next ones do not, until there is some again. */
  #soundIsStuck = false;
  #startedAt: Instant | undefined;
  #resolveStarted: () => void = () => {};
  readonly #started = new Promise<void>((resolve) => {
    this.#resolveStarted = resolve;
  });
  #origin: Ticks = ticks(0);
  readonly #stalls = new StallShift();

  constructor(options: BroadcastOptions) {
    this.#options = options;
    if (options.sound) {
      const onFailure = (error: unknown) => options.onSoundFailure?.(error);
      this.#sound = new SoundFeed(() => this.#handleSound(), onFailure);
    }
    const { units, sound, playlist, loop, onSkipped } = options;
    this.#order = new PlayOrder({ first: { units, sound }, playlist, loop, onSkipped });
  }

  start(): void {
    void this.#read();
  }

  stop(): void {
    this.#stopped = true;
    this.#wakeUp.clear();
    this.#readWakeUp.clear();
    this.#sound?.close();
    this.#order.close();
    this.#resolveStarted();
    this.#roomMade?.();
    this.#readNow?.();
  }

  /** Time until the next key frame is emitted; `undefined` when none is queued. */
  nextKeyFrameIn(): Microseconds | undefined {
    const key = this.#queue.find((unit) => unit.importance === 'key');
    return key && this.#startedAt !== undefined ? microseconds(Math.max(0, this.#dueAt(key) - now())) : undefined;
  }

  /** The next pictures, which were read before their time. @param count how many at most. */
  upcoming(count: number): readonly AccessUnit[] {
    return this.#queue.slice(0, count).map((unit) => shifted(unit, this.#stalls.expected(unit)));
  }

  /** Place of the last emitted unit in the source, or among the entries of the playlist; `undefined` before the first one. */
  get position(): Microseconds | undefined {
    return this.#position === undefined ? undefined : ticksToMicroseconds(this.#position);
  }

  /**
   * Delays everything that follows, as a stall of this source would: for one that shows the same as another, which has
   * stalled.
   */
  delay(by: Microseconds): void {
    if (this.#startedAt === undefined || this.#stopped) return;
    this.#stalls.add(microsecondsToTicks(by));
    this.#setWakeUp();
  }

  async #read(): Promise<void> {
    // The rounds of one source take the same time; the entries of a playlist do not.
    const timeline = new RoundTimeline({ equalRounds: this.#options.playlist === undefined });
    try {
      for (let media = await this.#order.next(); media; media = await this.#order.next()) {
        timeline.begin();
        try {
          await this.#readRound(media, timeline);
        } catch (error) {
          if (!this.#stopped) this.#order.skip(error);
        }
        if (this.#stopped) return;
      }
    } catch (error) {
      this.#error = error;
    }
    this.#exhausted = true;
    this.#handOver();
  }

  async #readRound(media: PlayedRound, timeline: RoundTimeline): Promise<void> {
    let isEmpty = true;
    for await (const each of this.#announced(media.units())) {
      if (this.#stopped) return;
      const { unit, base, begins } = timeline.place(each);
      if (begins) {
        isEmpty = false;
        this.#order.succeed();
        if (media.cycle !== this.#cycle?.number) {
          const skipped = media.cycle === 0 ? Math.round((this.#options.startSeconds ?? 0) * CLOCK_RATE) : 0;
          this.#cycle = { number: media.cycle, base: ticks(base - skipped) };
        }
        this.#rounds.push({ begin: unit.decodeTimestamp, base: this.#cycle.base });
        this.#sound?.begin(base, media.sound);
      }
      this.#take(unit);
      this.#nextRead = timeline.end;
      const { leadTime } = this.#options;
      await (leadTime ? this.#untilNeeded(timeline.end, leadTime()) : this.#room());
      if (this.#stopped) return;
    }
    if (isEmpty) this.#order.skipEmpty();
  }

  /** Yields the units and calls `onRead` before each read. */
  async *#announced(units: AsyncIterable<AccessUnit>): AsyncGenerator<AccessUnit> {
    this.#announceRead();
    for await (const unit of units) {
      yield unit;
      this.#announceRead();
    }
  }

  #announceRead(): void {
    const { onRead } = this.#options;
    if (!onRead) return;
    const begun = this.#startedAt !== undefined;
    onRead(begun ? elapsed(this.#dueAt({ decodeTimestamp: this.#nextRead }), now()) : microseconds(0));
  }

  /** Waits until the unit with this decode time must be read. */
  async #untilNeeded(decodeTimestamp: Ticks, lead: Microseconds): Promise<void> {
    await this.#started;
    if (this.#stopped) return;
    const readAt = earlier(this.#dueAt({ decodeTimestamp }), lead);
    if (readAt <= now()) return;
    await new Promise<void>((resolve) => {
      this.#readNow = resolve;
      this.#readWakeUp.set(readAt);
    });
  }

  #take(unit: AccessUnit): void {
    this.#queue.push(unit);
    this.#queueBytes += bytesOf(unit);
    if (this.#startedAt === undefined) this.#begin();
    else if (this.#options.isLive) this.#handOver();
    else if (this.#queue.length === 1) this.#setWakeUp();
  }

  /** Starts with the earliest of the first units, once they are known. */
  #begin(): void {
    const [picture, sound] = [this.#queue[0], this.#sound?.head];
    if (!picture || (this.#sound && !sound && !this.#sound.exhausted)) return;
    this.#startedAt = now();
    this.#origin = ticks(Math.min(picture.decodeTimestamp, sound?.decodeTimestamp ?? picture.decodeTimestamp));
    this.#resolveStarted();
    this.#setWakeUp();
  }

  #handleSound(): void {
    this.#soundIsStuck = false;
    if (this.#stopped) return;
    if (this.#startedAt === undefined) this.#begin();
    else this.#handOver();
  }

  /** Next unit of the pictures or of the sound. */
  get #head(): { readonly unit: AccessUnit; readonly isSound: boolean } | undefined {
    const [picture, sound] = [this.#queue[0], this.#sound?.head];
    const isSound = sound !== undefined && !(picture && picture.decodeTimestamp <= sound.decodeTimestamp);
    const unit = isSound ? sound : picture;
    return unit && { unit, isSound };
  }

  #setWakeUp(): void {
    const head = this.#head;
    if (head) this.#wakeUp.set(this.#dueAt(head.unit));
  }

  async #room(): Promise<void> {
    if (this.#queue.length < AHEAD_UNITS && this.#queueBytes < AHEAD_BYTES) return;
    while (!this.#stopped && (this.#queue.length > AHEAD_UNITS - BATCH_UNITS || this.#queueBytes >= AHEAD_BYTES)) {
      await new Promise<void>((resolve) => {
        this.#roomMade = resolve;
      });
    }
  }

  #dueAt(unit: Pick<AccessUnit, 'decodeTimestamp'>): Instant {
    return later(
      this.#startedAt!,
      ticksToMicroseconds(ticks(unit.decodeTimestamp + this.#stalls.total - this.#origin)),
    );
  }

  /** Time since the unit was to leave; below 0: until then. */
  #lateness(unit: AccessUnit): Microseconds {
    const late = elapsed(this.#dueAt(unit), now());
    if (!this.#options.isLive) return late;
    // The clock of a live source may be faster; what is far ahead of it comes from a file.
    const drift = elapsed(this.#startedAt!, now()) * LIVE_DRIFT_MAX;
    const ahead = microseconds(late + LIVE_AHEAD_MAX + drift);
    return ahead < 0 ? ahead : microseconds(Math.max(0, late));
  }

  /** Returns the time until which a picture waits for sound before it; `undefined` when it does not wait. */
  #waitsForSoundUntil(unit: AccessUnit): Instant | undefined {
    const { soundWaitMax } = this.#options;
    if (!soundWaitMax || !this.#sound || this.#sound.head || this.#sound.exhausted || this.#soundIsStuck)
      return undefined;
    const until = later(this.#dueAt(unit), soundWaitMax);
    if (until > now()) return until;
    this.#soundIsStuck = true;
    return undefined;
  }

  #handOver(): void {
    if (this.#startedAt === undefined) return this.#exhausted && this.#queue.length === 0 ? this.#end() : undefined;
    this.#options.onHandOver?.();
    this.#handOverDue();
    this.#options.onHandedOver?.();
  }

  #handOverDue(): void {
    for (let head = this.#head; head && !this.#stopped; head = this.#head) {
      const { unit, isSound } = head;
      const late = this.#lateness(unit);
      const waitsUntil = isSound ? undefined : this.#waitsForSoundUntil(unit);
      if (waitsUntil !== undefined) return this.#wakeUp.set(waitsUntil);
      if (late < 0) return this.#wakeUp.set(later(now(), microseconds(-late)));
      if (!this.#options.isLive && late > (this.#options.lateMax ?? STALL)) {
        this.#stalls.add(microsecondsToTicks(late));
        this.#options.onStall(late);
      }
      if (isSound) {
        this.#sound!.take();
        this.#options.onSound?.(shifted(unit, this.#stalls.total), this.#dueAt(unit));
        continue;
      }
      this.#queue.shift();
      this.#queueBytes -= bytesOf(unit);
      this.#roomMade?.();
      while (this.#rounds.length > 1 && unit.decodeTimestamp >= this.#rounds[1]!.begin) this.#rounds.shift();
      this.#position = ticks(unit.timestamp - (this.#rounds[0]?.base ?? 0));
      // The picture in between: one burst of losses does not take both packets of sound.
      const moved = shifted(unit, this.#stalls.of(unit));
      this.#sendSoundWith(unit, moved.decodeTimestamp, 1);
      this.#options.onUnit(moved, this.#dueAt(unit));
      this.#sendSoundWith(unit, moved.decodeTimestamp, SOUND_UNITS_MAX);
      this.#lastPicture = unit.decodeTimestamp;
    }
    if (this.#exhausted && (this.#error !== undefined || this.#sound?.exhausted !== false)) this.#end();
  }

  /** Hands over sound that is due before the next picture, at the decode time of this one. @param at that time, moved by stalls. */
  #sendSoundWith(picture: AccessUnit, at: Ticks, count: number): void {
    const { isLive, bundlesSound, onSound } = this.#options;
    if (!this.#sound?.head || isLive || !bundlesSound?.()) return;
    const { decodeTimestamp } = picture;
    const next = this.#queue[0]?.decodeTimestamp ?? 2 * decodeTimestamp - (this.#lastPicture ?? decodeTimestamp);
    const until = Math.min(next, decodeTimestamp + SOUND_LEAD_MAX);
    for (let sent = 0; sent < count && !this.#stopped; sent++) {
      const { head } = this.#sound;
      if (!head || head.decodeTimestamp >= until) return;
      this.#sound.take();
      const moved = shifted(head, this.#stalls.total);
      onSound?.({ ...moved, decodeTimestamp: ticks(Math.min(at, moved.timestamp)) }, this.#dueAt(picture));
    }
  }

  #end(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#sound?.close();
    this.#order.close();
    this.#options.onEnd(this.#error);
  }
}

function bytesOf(unit: AccessUnit): number {
  let bytes = 0;
  for (const part of unit.parts) bytes += part.length;
  return bytes;
}
