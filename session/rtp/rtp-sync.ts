import { type Instant, type Ticks, ticks } from '../../protocol/base/units.ts';
import type { NtpTimestamp } from '../../protocol/rtp/ntp.ts';
import { toMediaTime } from '../../protocol/rtp/rtp-clock.ts';
import { timestampDistance, type WireTimestamp } from '../../protocol/rtp/sequence.ts';

/** Change of the offset that is followed, 90 kHz: 5 ms. The reports of some senders scatter by a millisecond or two. */
const STEP_MIN = 450;
/**
 * Change of the offset that is believed, 90 kHz: 10 s. An encoder delays one of the streams by a second or two. Beyond
 * it the reports of the two streams are of different clocks.
 */
const STEP_MAX = 900_000;
const TICKS_PER_US = 0.09;
const TICKS_PER_SECOND = 90_000;

/** First packet of a stream: its media time is 0. */
export interface FirstPacket {
  readonly at: Instant;
  readonly timestamp: WireTimestamp;
}

/** Clock of one stream, by its sender reports. */
class StreamClock {
  readonly firstAt: Instant;
  readonly #clockRate: number;
  #timestamp: WireTimestamp;
  /** Ticks of the stream's own clock from the first packet to the last report. */
  #elapsed = 0;
  #offset: number | undefined;

  constructor(clockRate: number, { at, timestamp }: FirstPacket) {
    this.firstAt = at;
    this.#clockRate = clockRate;
    this.#timestamp = timestamp;
  }

  /** Media time minus the sender's clock, 90 kHz; `undefined` before the first report. */
  get offset(): number | undefined {
    return this.#offset;
  }

  /** @param sentAt time of the report on the sender's clock, seconds. */
  report(sentAt: number, timestamp: WireTimestamp): void {
    this.#elapsed += timestampDistance(this.#timestamp, timestamp);
    this.#timestamp = timestamp;
    this.#offset = toMediaTime(ticks(this.#elapsed), this.#clockRate) - sentAt * TICKS_PER_SECOND;
  }
}

/**
 * Puts the sound of plain RTP on the timeline of the pictures, by the sender reports of both streams (RFC 3550 §6.4.1).
 * Before both have come, the first packets of the two count by the times of their arrival.
 */
export class RtpSync {
  #pictures: StreamClock | undefined;
  #sound: StreamClock | undefined;
  #shift: Ticks | undefined;
  /** NTP seconds of the first report: the origin of the sender's clock. */
  #origin: number | undefined;

  beginPictures(clockRate: number, first: FirstPacket): void {
    this.#pictures = new StreamClock(clockRate, first);
    this.#shift = undefined;
  }

  beginSound(clockRate: number, first: FirstPacket): void {
    this.#sound = new StreamClock(clockRate, first);
    this.#shift = undefined;
  }

  reportPictures(ntp: NtpTimestamp, timestamp: WireTimestamp): void {
    this.#report(this.#pictures, ntp, timestamp);
  }

  reportSound(ntp: NtpTimestamp, timestamp: WireTimestamp): void {
    this.#report(this.#sound, ntp, timestamp);
  }

  /** Media time of the pictures minus that of the sound, 90 kHz; `undefined` while one of them has not begun. */
  get shift(): Ticks | undefined {
    const [pictures, sound] = [this.#pictures, this.#sound];
    if (!pictures || !sound) return undefined;
    return this.#shift ?? ticks(Math.round((sound.firstAt - pictures.firstAt) * TICKS_PER_US));
  }

  #report(stream: StreamClock | undefined, { seconds, fraction }: NtpTimestamp, timestamp: WireTimestamp): void {
    // A sender without a clock reports 0 (RFC 3550 §6.4.1).
    if (!stream || (seconds === 0 && fraction === 0)) return;
    this.#origin ??= seconds;
    // NTP seconds wrap, in 2036 for the next time.
    stream.report(((seconds - this.#origin) | 0) + fraction / 2 ** 32, timestamp);
    this.#follow();
  }

  #follow(): void {
    const [pictures, sound, present] = [this.#pictures?.offset, this.#sound?.offset, this.shift];
    if (pictures === undefined || sound === undefined || present === undefined) return;
    const shift = ticks(Math.round(pictures - sound));
    const step = Math.abs(shift - present);
    if (step <= STEP_MAX && (this.#shift === undefined || step > STEP_MIN)) this.#shift = shift;
  }
}
