import { Histogram } from '../../protocol/base/histogram.ts';
import {
  CLOCK_RATE,
  earlier,
  earliest,
  elapsed,
  type Instant,
  instant,
  later,
  latest,
  type Microseconds,
  microseconds,
  milliseconds,
  NEVER,
  type Ticks,
  ticks,
  ticksToMicroseconds,
} from '../../protocol/base/units.ts';
import { asSequence, type Sequence } from '../../protocol/rtp/sequence.ts';
import type { Ledger } from '../ledger.ts';
import type { EventQueue } from '../receiver-event.ts';
import type { ReceiverOptions } from '../receiver-options.ts';
import type { FrameBuffer, PendingFrame } from './frame-buffer.ts';
import { GradualRefresh } from './gradual-refresh.ts';
import { type DecodingState, HeldGroup } from './held-group.ts';
import type { PlayoutClock } from './playout-clock.ts';
import { ReleasedUnit } from './released-unit.ts';
import type { StreamEnd } from './stream-end.ts';

const FRAME_INTERVAL_DEFAULT: Ticks = ticks(3_000);
/** From here on a gap is an outage: the packets in it belong to frames that were due at different times. */
const LONG_GAP_FRAMES = 16;
/** A frame that is mended within some round trips needs no key frame in its place. */
const KEYFRAME_WISH_AFTER: Microseconds = milliseconds(250);
/** A longer step is a pause, and says nothing of when the frames around it are due. */
const FRAME_INTERVAL_MAX: Ticks = ticks(CLOCK_RATE);

/** Decides each frame in its order, once: released whole, or dropped by name, by the play-out clock's deadlines. */
export class FrameRelease {
  readonly #options: Pick<ReceiverOptions, 'codec' | 'release' | 'overdue' | 'onLoss' | 'heldBytesMax'>;
  readonly #clock: PlayoutClock;
  readonly #ledger: Ledger;
  readonly #events: EventQueue;
  readonly #playoutDelay = new Histogram();
  readonly #completionDelay = new Histogram();
  readonly #held: HeldGroup;
  /** Until when the overdue head is being mended; `undefined`: it is not. */
  #heldUntil: Instant | undefined;
  /** When the reference of the next frame could be decoded, where that was after its deadline. */
  #referenceReadyAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #highest: Sequence | undefined;
  /** Before then nothing is to be decided but what comes. */
  #quietUntil: Instant = instant(Number.NEGATIVE_INFINITY);
  #decidedSequence: Sequence = asSequence(Number.NEGATIVE_INFINITY);
  #decodedThrough: Ticks = ticks(Number.NEGATIVE_INFINITY);
  /** The last frame decided whose media time is known; frames that never arrive are reckoned from it. */
  #decided: { readonly number: number; readonly decodeTimestamp: Ticks } | undefined;
  #frameInterval: Ticks = FRAME_INTERVAL_DEFAULT;
  /** Decoding needs a key frame: nothing has been released yet, or a reference was lost. */
  #needsKey = true;
  #wantsKeyframe = false;
  readonly #refresh = new GradualRefresh();
  #framesCutAway = 0;
  #released = false;
  #end: StreamEnd | undefined;
  #ended = false;
  #payloadBytes = 0;
  readonly #lateKeys = { frames: 0, delay: 0 };
  #malformedFrames = 0;

  constructor(
    options: Pick<ReceiverOptions, 'codec' | 'release' | 'overdue' | 'onLoss' | 'heldBytesMax'>,
    parts: { readonly clock: PlayoutClock; readonly ledger: Ledger; readonly events: EventQueue },
  ) {
    this.#options = options;
    this.#clock = parts.clock;
    this.#ledger = parts.ledger;
    this.#events = parts.events;
    this.#held = new HeldGroup(options, parts.clock);
  }

  /** Nothing more will come: the sender said so and all is decided. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether the sender has said how the stream ends. */
  get endKnown(): boolean {
    return this.#end !== undefined;
  }

  /** Packets up to this one belong to decided frames: nothing of them is worth asking for. */
  get decidedSequence(): Sequence {
    return this.#decidedSequence;
  }

  get statistics() {
    return {
      payloadBytes: this.#payloadBytes,
      lateKeyFrames: this.#lateKeys.frames,
      lateKeyDelay: this.#lateKeys.delay,
      framesCutAway: this.#framesCutAway,
      framesPossiblyDamaged: this.#refresh.doubtfulPictures,
      malformed: this.#malformedFrames,
      playoutDelay: this.#playoutDelay.summary,
      completionDelay: this.#completionDelay.summary,
    };
  }

  /** Whether a frame was dropped since the last call because a key frame has to come first. */
  takeKeyframeWish(): boolean {
    const wish = this.#wantsKeyframe;
    this.#wantsKeyframe = false;
    return wish;
  }

  /** For how long the next frame has been overdue, as far as the frames before it tell; 0 where frames are dropped. */
  stalledFor(now: Instant): Microseconds {
    if (this.#options.overdue === 'drop' || this.#ended || !this.#decided) return microseconds(0);
    return microseconds(
      Math.max(0, now - this.#clock.deadline(ticks(this.#decided.decodeTimestamp + this.#frameInterval))),
    );
  }

  endOfStream(end: StreamEnd): void {
    this.#end = end;
    this.#quietUntil = instant(Number.NEGATIVE_INFINITY);
  }

  /** Decides what is left as if every deadline had passed. */
  finish(now: Instant, buffer: FrameBuffer | undefined): void {
    // Where nothing is lost, what is not whole is cut off and no more: it is in no class.
    const whole = () => this.#options.overdue === 'drop' || buffer?.head()?.complete === true;
    while (buffer?.earliest() && whole()) this.#decideNext(now, buffer, true, NEVER);
    this.#closeAccounts(buffer);
  }

  /**
   * Decides every frame whose time has come.
   * @param highest the newest sequence number that came.
   */
  release(now: Instant, buffer: FrameBuffer | undefined, highest: Sequence | undefined): void {
    this.#highest = highest;
    if (buffer) while (this.#decideOne(now, buffer));
    if (!this.#end || this.#ended) return;
    this.#quietUntil = instant(Number.NEGATIVE_INFINITY);
    if (this.#everythingDecided(now, buffer)) this.#closeAccounts(buffer);
  }

  /** Whether no frame's time has come: true as long as nothing has been taken since the last `release`. */
  isQuiet(now: Instant): boolean {
    return now < this.#quietUntil;
  }

  /** Decides the next frame if it can be released, or has missed its deadline, be it here in part or not at all. */
  #decideOne(now: Instant, buffer: FrameBuffer): boolean {
    const head = buffer.head();
    const complete = head?.complete === true && !(head.followsGap && this.#clock.mend > 0);
    const dueAt = this.#dueAt(buffer);
    const due = dueAt !== undefined && now >= dueAt;
    if (complete && (due || this.#options.release === 'asap')) {
      this.#decideNext(now, buffer, false);
      return true;
    }
    if (due && this.#options.overdue === 'drop') {
      if (!this.#holds(now, buffer, dueAt)) {
        this.#decideNext(now, buffer, true);
        return true;
      }
    } else this.#heldUntil = undefined;
    this.#quietUntil = this.#heldUntil ?? dueAt ?? NEVER;
    return false;
  }

  /** Whether the overdue head is waited for, as frames behind it refer to it. */
  #holds(now: Instant, buffer: FrameBuffer, dueAt: Instant): boolean {
    const until = this.#held.heldUntil(now, buffer, { dueAt, state: this.#decoding });
    if (now >= until) return false;
    this.#heldUntil = until;
    if (now - dueAt > KEYFRAME_WISH_AFTER) this.#wantsKeyframe = true;
    return true;
  }

  get #decoding(): DecodingState {
    return { needsKey: this.#needsKey, started: this.#released, endsAt: this.#end?.waitUntil };
  }

  /** Returns until when each packet is of use to the decoder, its display deadline apart. */
  referenceDeadlines(buffer: FrameBuffer): (sequence: Sequence) => Instant {
    return this.#held.referenceDeadlines(buffer, this.#decoding, (sequence, around) =>
      this.deadlineOf(sequence, around),
    );
  }

  /** When the frame would have been here on the fastest path seen. */
  #expected(frame: PendingFrame): Instant {
    return this.#clock.expected(frame.decodeTimestamp);
  }

  /** By when the frame must be released. */
  deadline(frame: PendingFrame): Instant {
    return later(this.#expected(frame), this.#clock.latency);
  }

  /**
   * By when a packet must be here to be shown: one of the frame, or one of those that are missing before it. In a long
   * gap, most of them were due long ago.
   * @param around the frame, and the one before it that is not decided.
   */
  deadlineOf(
    sequence: Sequence,
    { before, frame }: { readonly before: PendingFrame | undefined; readonly frame: PendingFrame },
  ): Instant {
    const deadline = this.deadline(frame);
    const number = before?.number ?? this.#decided?.number;
    if (sequence >= frame.firstSequence || number === undefined) return deadline;
    const frames = frame.number - number - 1;
    if (frames < LONG_GAP_FRAMES) return deadline;
    const last = before?.lastSequence ?? this.#decidedSequence;
    const behind = (frame.firstSequence - sequence) / (frame.firstSequence - last - 1);
    return earlier(deadline, ticksToMicroseconds(ticks(Math.floor(behind * frames) * this.#intervalBefore(frame))));
  }

  /** When the head is due: never after the frame behind it, whatever its own timestamp says. */
  #releaseAt(buffer: FrameBuffer, head: PendingFrame): Instant {
    const following = buffer.following();
    const deadline = this.deadline(head);
    return following ? earliest(deadline, this.deadline(following)) : deadline;
  }

  /** By when the next frame must be decided; one that never arrived is reckoned from its neighbors. */
  #dueAt(buffer: FrameBuffer): Instant | undefined {
    const earliest = buffer.earliest();
    if (earliest?.number === buffer.next) return this.#releaseAt(buffer, earliest);
    return this.#missingDueAt(buffer.next, earliest);
  }

  /**
   * By when a frame of which nothing is here must be decided; never falls as `number` rises.
   * @param earliest the first frame behind it of which something is here.
   */
  #missingDueAt(number: number, earliest: PendingFrame | undefined): Instant | undefined {
    if (earliest) {
      const ahead = ticks((earliest.number - number) * this.#intervalBefore(earliest));
      return earlier(this.deadline(earliest), ticksToMicroseconds(ahead));
    }
    if (!this.#end || !(number < this.#end.frames)) return undefined;
    if (!this.#decided) return this.#end.waitUntil;
    const behind = (number - this.#decided.number) * this.#frameInterval;
    // Nothing says when the last frames were due; the control channel may have overtaken them.
    return latest(this.#end.waitUntil, this.#clock.deadline(ticks(this.#decided.decodeTimestamp + behind)));
  }

  /** The first frame behind `buffer.next` of which something is here, or which is not due yet or waited for. */
  #missingEnd(now: Instant, buffer: FrameBuffer): number {
    const earliest = buffer.earliest();
    // Behind a frame that never arrived.
    const state = { ...this.#decoding, needsKey: true };
    let due = buffer.next;
    let end = earliest?.number ?? this.#end?.frames ?? due + 1;
    // Bisection: a peer names the number of frames, and 2^53 of them take 53 steps.
    while (end - due > 1) {
      const middle = due + Math.floor((end - due) / 2);
      const dueAt = this.#missingDueAt(middle, earliest);
      const isDue = dueAt !== undefined && dueAt <= now && this.#held.heldUntil(now, buffer, { dueAt, state }) <= now;
      if (isDue) due = middle;
      else end = middle;
    }
    return due + 1;
  }

  /** From frame to frame, between the one decided last and this one. */
  #intervalBefore(frame: PendingFrame): Ticks {
    if (!this.#decided) return this.#frameInterval;
    const step = (frame.decodeTimestamp - this.#decided.decodeTimestamp) / (frame.number - this.#decided.number);
    return ticks(Math.max(0, Math.min(step, FRAME_INTERVAL_MAX)));
  }

  /** When `release` has something to decide next. */
  pollTimeout(buffer: FrameBuffer | undefined): Instant | undefined {
    if (!buffer) return this.#ended ? undefined : this.#end?.waitUntil;
    if (this.#options.overdue === 'wait') {
      const head = buffer.head();
      return head?.complete ? this.#releaseAt(buffer, head) : undefined;
    }
    if (this.#heldUntil !== undefined) return this.#heldUntil;
    const dueAt = this.#dueAt(buffer);
    if (dueAt === undefined && this.#end && !this.#ended && Number.isNaN(this.#end.frames)) return this.#end.waitUntil;
    return dueAt;
  }

  /** @param missingBy frames of which nothing is here and that are due by then are decided together. */
  #decideNext(now: Instant, buffer: FrameBuffer, overdue: boolean, missingBy = now): void {
    const frame = buffer.head();
    const held = this.#heldUntil !== undefined;
    this.#heldUntil = undefined;
    if (!frame) {
      this.#decideMissing(buffer, this.#missingEnd(missingBy, buffer));
      return;
    }
    const misdated = this.#isMisdated(buffer, frame);
    if (!misdated && this.#decided && frame.number > this.#decided.number) {
      const step = (frame.decodeTimestamp - this.#decided.decodeTimestamp) / (frame.number - this.#decided.number);
      if (step > 0) this.#frameInterval = ticks(Math.min(step, FRAME_INTERVAL_MAX));
    }
    if (!misdated) this.#decided = { number: frame.number, decodeTimestamp: frame.decodeTimestamp };
    if (overdue && !frame.complete) this.#drop(frame, 'incomplete');
    else if (misdated) {
      this.#malformed('a timestamp that contradicts its neighbors');
      this.#drop(frame, 'undecodable');
    } else this.#deliver(now, buffer, { frame, held });
    buffer.advance();
    this.#decidedSequence = asSequence(Math.max(frame.lastSequence, this.#ledger.decidedThrough ?? frame.lastSequence));
  }

  /** Our senders' decode times never decrease. Where this frame's do, it is damaged, unless the next one is. */
  #isMisdated(buffer: FrameBuffer, { decodeTimestamp }: PendingFrame): boolean {
    if (!buffer.tellsDecodeTimes) return false;
    if (decodeTimestamp < this.#decodedThrough) return true;
    const next = buffer.following()?.decodeTimestamp ?? Number.POSITIVE_INFINITY;
    return next < decodeTimestamp && next >= this.#decodedThrough;
  }

  /** Decides the frames from the next one to before `end` in one step, however many they are. */
  #decideMissing(buffer: FrameBuffer, end: number): void {
    const frame = buffer.next;
    const frames = end - frame;
    this.#ledger.decideMissing(frames);
    this.#events.push({ kind: 'dropped', frame, frames, cause: 'neverArrived' });
    this.#needsKey = true;
    buffer.skipTo(end);
  }

  #drop(frame: PendingFrame, cause: 'incomplete' | 'undecodable'): void {
    this.#ledger.decide(frame, cause, this.#highest);
    this.#events.push({ kind: 'dropped', frame: frame.number, frames: 1, cause });
    if (frame.importance !== 'discardable') this.#needsKey = true;
  }

  /** @param held whether the frame was whole only after its deadline. */
  #deliver(now: Instant, buffer: FrameBuffer, { frame, held }: { frame: PendingFrame; held: boolean }): void {
    if (frame.followsGap) this.#needsKey = true;
    const importance = frame.importance ?? 'reference';
    const enters = importance === 'key' && this.#needsKey;
    if (importance === 'key') this.#needsKey = false;
    const smearing = this.#options.onLoss === 'smear' && this.#released;
    if (this.#needsKey && !smearing) {
      this.#wantsKeyframe = true;
      return this.#drop(frame, 'undecodable');
    }
    const read = this.#options.codec.depacketize(frame.payloads());
    if (!read.ok || read.value.count === 0) {
      this.#malformed(read.ok ? 'a frame without parts' : read.malformed);
      this.#drop(frame, 'undecodable');
      // What it was worth cannot be told either.
      this.#needsKey = true;
      return;
    }
    const recovered = frame.arrivals.some((arrival) => typeof arrival === 'object' || arrival === 'repaired');
    const late = this.#isLate(frame, held);
    if (late && importance === 'key') this.#noteLateKey(frame);
    const packed = read.value;
    const picture = this.#refresh.next({ importance, enters, parts: () => packed.parts }, this.#options.codec);
    const isOutdated = late && this.#options.overdue === 'drop' && this.#held.isOutdated(now, buffer, frame);
    const isIncomplete = picture === 'incomplete' && this.#options.onLoss === 'freeze';
    // What is only outdated belongs into a recording.
    const isHidden = isIncomplete || frame.decodeOnly === true;
    const decodeOnly = isOutdated || isHidden;
    const fate = isOutdated || isIncomplete ? 'mended' : late ? 'late' : recovered ? 'recovered' : 'onTime';
    const expected = this.#expected(frame);
    const playoutDelay = elapsed(expected, now);
    const completionDelay = elapsed(expected, frame.lastArrivalAt);
    this.#ledger.decide(frame, fate, this.#highest);
    if (!decodeOnly) this.#playoutDelay.add(playoutDelay);
    this.#completionDelay.add(completionDelay);
    this.#payloadBytes += packed.bytes;
    if (frame.decodeOnly === true) this.#framesCutAway++;
    this.#released = true;
    const { number } = frame;
    // A stranger's decode times are a guess, and its clock may go back: neither decode times nor what they precede do.
    const timestamp = ticks(Math.max(frame.timestamp, this.#decodedThrough));
    const decodeTimestamp = ticks(Math.min(timestamp, Math.max(frame.decodeTimestamp, this.#decodedThrough)));
    this.#decodedThrough = decodeTimestamp;
    const times = { timestamp, decodeTimestamp, importance };
    const unit = new ReleasedUnit(packed, isHidden ? { ...times, decodeOnly: true } : times);
    this.#events.push({ kind: 'access-unit', unit, frame: number, fate, decodeOnly, playoutDelay, completionDelay });
  }

  #noteLateKey(frame: PendingFrame): void {
    this.#lateKeys.frames++;
    this.#lateKeys.delay = Math.max(this.#lateKeys.delay, frame.lastArrivalAt - this.#expected(frame));
  }

  /** Whether the frame, or one that it refers to, was not here by its deadline. */
  #isLate(frame: PendingFrame, held: boolean): boolean {
    const deadline = this.deadline(frame);
    if (this.#options.overdue === 'wait') return frame.lastArrivalAt > deadline;
    const ownReadyAt = instant(held ? frame.lastArrivalAt : Number.NEGATIVE_INFINITY);
    const readyAt = frame.importance === 'key' ? ownReadyAt : latest(ownReadyAt, this.#referenceReadyAt);
    if (frame.importance !== 'discardable') this.#referenceReadyAt = readyAt;
    return readyAt > deadline;
  }

  #everythingDecided(now: Instant, buffer: FrameBuffer | undefined): boolean {
    const { frames, waitUntil } = this.#end!;
    // How much there was is not known: what BYE has overtaken may still come.
    if ((!buffer || Number.isNaN(frames)) && now < waitUntil) return false;
    return !buffer?.earliest() && !(buffer && buffer.next < frames);
  }

  #closeAccounts(buffer: FrameBuffer | undefined): void {
    if (this.#end && buffer && buffer.next < this.#end.frames) {
      this.#ledger.decideMissing(this.#end.frames - buffer.next);
      buffer.skipTo(this.#end.frames);
    }
    if (this.#end?.lastSequence !== undefined) this.#ledger.decidePacketsThrough(this.#end.lastSequence);
    this.#decidedSequence = asSequence(Number.POSITIVE_INFINITY);
    if (this.#ended) return;
    this.#ended = true;
    this.#events.push({ kind: 'ended' });
  }

  #malformed(cause: string): void {
    this.#malformedFrames++;
    this.#events.push({ kind: 'malformed', cause });
  }
}
