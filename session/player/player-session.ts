import { now } from '../../io/os/clock.ts';
import { BacklogGate } from '../../io/web-server/backlog-gate.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Instant, type Microseconds, ticks } from '../../protocol/base/units.ts';
import { JoinableUnits, type JoinableUnitsOptions } from '../../protocol/codec/joinable-units.ts';
import { BYE_DELAY_MS } from '../rtp/rtp-sender.ts';
import { randomCname, randomHex } from '../stream/identifiers.ts';
import type { LiveStream, StreamViewer } from '../stream/live-stream.ts';
import type { PlaceHolder } from '../stream/places.ts';
import { EarlyPictures } from './early-pictures.ts';
import type { PlayerTrack } from './player-track.ts';

/** The live stream that players join. */
export type JoinedStream = Pick<
  LiveStream,
  'isLive' | 'recent' | 'upcoming' | 'dueAt' | 'start' | 'requestKeyFrame' | 'add' | 'delete' | 'backlogBudget'
>;

export interface PlayerSessionOptions extends JoinableUnitsOptions {
  readonly live: JoinedStream;
  readonly lower: 'udp' | 'tcp';
  /** Address and port of the player, as text. */
  readonly peer: string;
  /** Address of the player without the port. */
  readonly address: string;
  /** Age of what waits for the player above which pictures are skipped up to a key frame. */
  readonly latency: Microseconds;
  /** Returns the age of what waits for the player; 0 over UDP. */
  readonly backlogAge: () => Microseconds;
  /**
   * Pictures that the player gets at once when it joins, default 0: those since the last key frame, those of the group before
   * it, and those that follow, before their time, as far as they are there.
   */
  readonly joinUnitsMin?: number;
  /** Called once when the stream has ended and everything has left. */
  readonly onEnded: () => void;
}

/** Index of the pictures and of the sound among the tracks. */
export const VIDEO_TRACK = 0;
export const SOUND_TRACK = 1;

/**
 * Catching up over UDP: 16 kB every two milliseconds, 66 Mb/s, so that the group of pictures does not overflow the
 * player's receive buffer.
 */
const SLICE_BYTES = 16_000;
const SLICE_MS = 2;
/** Pictures that wait behind those of the group; more than the group has at most. */
const WAITING_MAX = 1_200;

/** One player: its tracks, and which units of the live stream it gets. */
export class PlayerSession implements StreamViewer, PlaceHolder {
  readonly joinedAt = now();
  readonly id = randomHex(12);
  /** Canonical name of the sender in RTCP, by which the player knows what belongs together. */
  readonly cname = randomCname();
  readonly tracks = new Map<number, PlayerTrack>();
  readonly #options: PlayerSessionOptions;
  readonly #joinable: JoinableUnits;
  #state: 'ready' | 'playing' | 'ending' | 'ended' = 'ready';
  #heardAt: Instant = now();
  #reportedAt: Instant = this.#heardAt;
  #consentAt: Instant = this.#heardAt;
  /** True while the media of a player without consent is stopped. */
  #isSuspended = false;
  #gate: BacklogGate;
  /** Pictures of the group at which the player joins, and those after it, until it has caught up. */
  readonly #waiting: AccessUnit[] = [];
  /** Of the next slice of them, or of BYE. */
  #timer: NodeJS.Timeout | undefined;
  #joined = false;
  /** True until the stream shows its first picture: one that starts between key frames begins with others. */
  #awaitsPlace = false;
  /** Pictures that are still to be sent before their time. */
  #wanted = 0;
  readonly #early = new EarlyPictures();
  #skipped = 0;

  constructor(options: PlayerSessionOptions) {
    this.#options = options;
    this.#joinable = new JoinableUnits(options);
    this.#gate = new BacklogGate({ queueMax: options.latency });
  }

  get peer(): string {
    return this.#options.peer;
  }

  get address(): string {
    return this.#options.address;
  }

  get lower(): 'udp' | 'tcp' {
    return this.#options.lower;
  }

  get isPlaying(): boolean {
    return this.#state === 'playing';
  }

  /** True when the stream has ended: this session cannot play another. */
  get hasEnded(): boolean {
    return this.#state === 'ending' || this.#state === 'ended';
  }

  /** Players that play keep their places. */
  get reachable(): boolean {
    return this.#state === 'playing' || this.#state === 'ending';
  }

  /** Arrival time of the last request or RTCP packet. */
  get heardAt(): Instant {
    return this.#heardAt;
  }

  /** Arrival time of the last RTCP packet; at first that of the player. */
  get reportedAt(): Instant {
    return this.#reportedAt;
  }

  /** Time of the last request, or of the last RTCP packet about this session's own streams, whose SSRCs only its player knows. */
  get consentAt(): Instant {
    return this.#consentAt;
  }

  get totals(): {
    readonly frames: number;
    readonly packets: number;
    readonly bytes: number;
    readonly retransmissions: number;
    readonly skipped: number;
  } {
    let [packets, bytes, retransmissions] = [0, 0, 0];
    for (const { statistics } of this.tracks.values()) {
      packets += statistics.packets;
      bytes += statistics.bytes;
      retransmissions += statistics.retransmissions;
    }
    const frames = this.tracks.get(VIDEO_TRACK)?.statistics.frames ?? 0;
    return { frames, packets, bytes, retransmissions, skipped: this.#skipped + this.#gate.dropped };
  }

  /** The player has sent a request. */
  heard(): void {
    this.#heardAt = now();
    this.#consent();
  }

  /** RTCP of the player has arrived for a track. */
  receive(track: number, packet: Uint8Array): void {
    this.#heardAt = now();
    this.#reportedAt = this.#heardAt;
    const own = this.tracks.get(track);
    if (own?.isSubjectOf(packet)) this.#consent();
    own?.receive(packet);
  }

  /**
   * Begins, or continues after a pause, at the latest key frame.
   * @returns the first packet of each track for RTP-Info (RFC 2326 §12.33).
   */
  play(): { readonly track: number; readonly sequence: number; readonly timestamp: number }[] {
    const { live } = this.#options;
    const wasPlaying = this.isPlaying;
    this.#isSuspended = false;
    this.#state = 'playing';
    const isBeginning = live.start();
    const isUnknown = isBeginning || live.recent.present === undefined;
    this.#awaitsPlace = !wasPlaying && (isUnknown || live.recent.isBeforePlace);
    const joins = live.isLive && !wasPlaying && !this.#awaitsPlace;
    const group = joins ? live.recent.caughtUp(this.#options.joinUnitsMin) : [];
    const begin = group[0]?.decodeTimestamp ?? live.recent.present ?? ticks(0);
    const first = [...this.tracks].map(([index, track]) => ({
      track: index,
      sequence: track.nextSequence,
      timestamp: track.wireTimestamp(begin),
    }));
    if (wasPlaying) return first;
    this.#renewGate();
    if (group.length === 0 && !this.#awaitsPlace) live.requestKeyFrame(this);
    this.#join(group);
    return first;
  }

  /** Stops the media until the player shows that it is still there; it continues with a key frame. */
  suspend(): void {
    if (!this.isPlaying) return;
    this.pause();
    this.#isSuspended = true;
  }

  #consent(): void {
    this.#consentAt = this.#heardAt;
    if (this.#isSuspended) this.play();
  }

  pause(): void {
    this.#isSuspended = false;
    if (this.#state === 'playing') this.#state = 'ready';
    this.#forgetWaiting();
    this.#joined = false;
  }

  send(unit: AccessUnit): void {
    this.#joinable.learn(unit);
    if (!this.isPlaying) return;
    if (this.#awaitsPlace) {
      const { live, joinUnitsMin } = this.#options;
      // A long group is not held until its place: its pictures are sent now, and those up to the place as they come.
      if (unit.decodeOnly === true && !live.recent.isFull) return;
      this.#awaitsPlace = false;
      // The pictures from the key frame on, which cannot be marked as not to be shown, are joined like those of a group.
      const group = live.recent.caughtUp(joinUnitsMin);
      if (group.length === 0) live.requestKeyFrame(this);
      if (unit.importance !== 'key') return this.#join(group);
    }
    if (!this.#early.pass(unit)) this.#take(this.#early.follow(unit));
    if (this.#wanted > 0 && this.#joined) this.#takeUpcoming();
  }

  /** Begins with the pictures of a group, and with those that follow where they are too few. */
  #join(group: readonly AccessUnit[]): void {
    this.#waiting.push(...group);
    this.#wanted = Math.max(0, (this.#options.joinUnitsMin ?? 0) - group.length);
    if (group.length === 0) return;
    this.#takeUpcoming();
    // After the answer: a player expects that before the first packet.
    this.#timer ??= setTimeout(() => this.#catchUp(), 0);
  }

  #take(unit: AccessUnit): void {
    if (this.#waiting.length === 0) return this.#deliver(unit);
    if (this.#waiting.length < WAITING_MAX) return void this.#waiting.push(unit);
    // The player has not caught up: it begins again at the next key frame.
    this.#skipped += this.#waiting.length;
    this.#forgetWaiting();
    this.#renewGate();
  }

  sendSound(unit: AccessUnit): void {
    const track = this.tracks.get(SOUND_TRACK);
    if (!track || !this.isPlaying) return;
    // Sound begins with the pictures, and stops while they are skipped.
    if (this.tracks.has(VIDEO_TRACK)) {
      if (!this.#joined || this.#gate.waitsForKey) return;
    } else if (!this.#gate.admits('key', this.#options.backlogAge())) return;
    track.send(unit, this.#options.live.dueAt(unit.decodeTimestamp));
  }

  finish(): void {
    this.#isSuspended = false;
    if (this.#state !== 'playing') return;
    this.#state = 'ending';
    while (this.#waiting.length > 0) this.#deliver(this.#waiting.shift()!);
    this.#forgetWaiting();
    if (this.lower === 'tcp') this.sayGoodbye();
    else this.#timer = setTimeout(() => this.sayGoodbye(), BYE_DELAY_MS);
  }

  /** Sends what is queued, and BYE. */
  sayGoodbye(): void {
    if (this.#state !== 'playing' && this.#state !== 'ending') return;
    this.#state = 'ending';
    for (const track of this.tracks.values()) track.finish();
    this.checkEnded();
  }

  /** Reports the end once everything has left. */
  checkEnded(): void {
    if (this.#state !== 'ending' || [...this.tracks.values()].some(({ finished }) => !finished)) return;
    this.#state = 'ended';
    this.#options.onEnded();
  }

  close(): void {
    this.#isSuspended = false;
    this.#forgetWaiting();
    this.#state = 'ended';
    for (const track of this.tracks.values()) track.close();
  }

  #renewGate(): void {
    this.#skipped += this.#gate.dropped;
    this.#gate = new BacklogGate({ queueMax: this.#options.latency });
    this.#joined = false;
  }

  #forgetWaiting(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.length = 0;
    this.#wanted = 0;
    this.#early.clear();
  }

  /**
   * Takes pictures before their time. A player that examines the stream before it shows anything would otherwise wait for
   * them where too few are behind: at the beginning of the stream.
   */
  #takeUpcoming(): void {
    const upcoming = this.#early.take(this.#options.live.upcoming(this.#early.count + this.#wanted));
    this.#wanted -= upcoming.length;
    for (const unit of upcoming) {
      this.#joinable.learn(unit);
      this.#waiting.push(unit);
    }
    if (upcoming.length > 0) this.#timer ??= setTimeout(() => this.#catchUp(), 0);
  }

  /** Sends a slice of the waiting pictures; over TCP all, as nothing is lost there. */
  #catchUp(): void {
    this.#timer = undefined;
    let room = this.lower === 'udp' ? SLICE_BYTES : Number.POSITIVE_INFINITY;
    while (room > 0 && this.#waiting.length > 0 && this.isPlaying) {
      const unit = this.#waiting.shift()!;
      for (const part of unit.parts) room -= part.length;
      this.#deliver(unit);
    }
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#catchUp(), SLICE_MS);
  }

  #deliver(unit: AccessUnit): void {
    const track = this.tracks.get(VIDEO_TRACK);
    if (!track || !this.#gate.admits(unit.importance, this.#options.backlogAge())) return;
    const dueAt = this.#options.live.dueAt(unit.decodeTimestamp);
    if (track.send(this.#joinable.of(unit), dueAt)) this.#joined = true;
    else this.#renewGate();
  }
}
