import {
  CLOCK_RATE,
  elapsed,
  type Instant,
  microsecondsToTicks,
  sinceEpoch,
  type Ticks,
  ticks,
} from '../../protocol/base/units.ts';
import type { ReportBlock } from '../../protocol/rtcp/rtcp.ts';
import { compactNtp, compactNtpFromMicroseconds, type NtpTimestamp } from '../../protocol/rtp/ntp.ts';
import { toRtpTicks } from '../../protocol/rtp/rtp-clock.ts';
import { asSequence, type Sequence } from '../../protocol/rtp/sequence.ts';

/** Reception statistics of the stream for receiver reports (RFC 3550 §6.4.1, §A.3, §A.8). */
export class ReceptionReport {
  readonly #clockRate: number;
  #first: Sequence | undefined;
  #highest: Sequence = asSequence(0);
  #received = 0;
  #expectedBefore = 0;
  #receivedBefore = 0;
  #transit: Ticks | undefined;
  #jitter = ticks(0);
  #senderReport: { readonly ntp: number; readonly at: Instant } | undefined;

  /** @param clockRate of the stream, ticks per second: the unit of the jitter in a report block. */
  constructor(clockRate: number = CLOCK_RATE) {
    this.#clockRate = clockRate;
  }

  /** Interarrival jitter in media time, 90 kHz. */
  get jitter(): Ticks {
    return this.#jitter;
  }

  get highest(): Sequence | undefined {
    return this.#first === undefined ? undefined : this.#highest;
  }

  /** Records a packet sent for the first time; `timestamp` is its media time. */
  onPacket(now: Instant, sequence: Sequence, timestamp: Ticks): void {
    this.#first ??= sequence;
    if (this.#received === 0 || sequence > this.#highest) this.#highest = sequence;
    this.#received++;
    const transit = ticks(microsecondsToTicks(sinceEpoch(now)) - timestamp);
    if (this.#transit !== undefined)
      this.#jitter = ticks(this.#jitter + (Math.abs(transit - this.#transit) - this.#jitter) / 16);
    this.#transit = transit;
  }

  onSenderReport(now: Instant, ntp: NtpTimestamp): void {
    this.#senderReport = { ntp: compactNtp(ntp), at: now };
  }

  /** Returns the report block for the interval since the last call. */
  block(now: Instant, ssrc: number): ReportBlock {
    const expected = this.#first === undefined ? 0 : this.#highest - this.#first + 1;
    const expectedNow = expected - this.#expectedBefore;
    const lostNow = expectedNow - (this.#received - this.#receivedBefore);
    this.#expectedBefore = expected;
    this.#receivedBefore = this.#received;
    const lost = expected - this.#received;
    return {
      ssrc,
      fractionLost: expectedNow > 0 && lostNow > 0 ? Math.min(255, Math.floor((lostNow * 256) / expectedNow)) : 0,
      cumulativeLost: Math.max(-0x80_0000, Math.min(0x7f_ffff, lost)),
      highestSequence: this.#highest >>> 0,
      jitter: Math.floor(toRtpTicks(this.#jitter, this.#clockRate)) >>> 0,
      lastSenderReport: this.#senderReport?.ntp ?? 0,
      delaySinceLastSenderReport: this.#senderReport
        ? compactNtpFromMicroseconds(elapsed(this.#senderReport.at, now))
        : 0,
    };
  }
}
