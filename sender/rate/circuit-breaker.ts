import {
  elapsed,
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  perSecond,
  SECOND,
  seconds,
} from '../../protocol/base/units.ts';

/** Condition that tripped the breaker (RFC 8083 §4.1 to §4.3). */
export type CircuitBreakerCause = 'rtcp-timeout' | 'media-timeout' | 'congestion';

/** Change of a circuit breaker's state. */
export interface CircuitBreakerNotice {
  /** `reduced`: to a tenth of the sending rate; `ceased`: nothing is sent but RTCP; `restored`: unlimited again. */
  readonly change: 'reduced' | 'ceased' | 'restored';
  readonly cause: CircuitBreakerCause;
}

/** Fields of a report block that the breaker uses (RFC 3550 §6.4.1). */
export interface ReceptionSummary {
  /** Extended highest sequence number received. */
  readonly highestSequence: number;
  /** Cumulative number of packets lost. */
  readonly cumulativeLost: number;
  /** `undefined` when the report does not show it. */
  readonly roundTrip: Microseconds | undefined;
}

/** Time between two regular reports of our receivers, T_dr; reports in between are early feedback, and added up. */
const REPORT_INTERVAL: Microseconds = seconds(1);
/** Tolerance of that interval. */
const REPORT_INTERVAL_MIN: Microseconds = seconds(0.9);
/** Reporting interval T_d with the minimum of RFC 3550, and how many of them may pass without a report (§4.1). */
const INTERVAL_DETERMINISTIC: Microseconds = seconds(5);
const INTERVALS_MAX = 3;
/** Reports without progress that show that the forward path has failed, k (§4.2). */
const STALLED_REPORTS = 5;
/** Multiple of the rate of a TCP connection that trips the breaker, and by which the rate is reduced first (§4.3, §4.5). */
const TCP_MULTIPLE = 10;
/** Frames after which an encoder follows a new rate, G (§3). */
const GROUP_FRAMES = 1;
/** Time after which a stream that was ceased for congestion tries again, at the reduced rate. */
const RETRY_AFTER: Microseconds = seconds(30);

/** One interval between regular reports. */
interface Interval {
  readonly span: Microseconds;
  readonly bytes: number;
  readonly packets: number;
  readonly loss: number;
  readonly roundTrip: Microseconds;
}

/**
 * Circuit breaker of a unicast RTP stream (RFC 8083), independent of the rate controller: it ends a transmission that
 * is not received, and reduces, then ends one that takes ten times what a TCP connection would. RTCP continues, so that
 * a report on it shows when the path is back.
 */
export class CircuitBreaker {
  readonly #frameInterval: Microseconds;
  #limit: number | undefined;
  #cause: CircuitBreakerCause | undefined;
  #ceasedAt: Instant | undefined;
  /** Times that the limit has been doubled. */
  #relaxed = 0;
  /** Media sent, and when the last report came, or the first media left. */
  #sentBytes = 0;
  #sentPackets = 0;
  /** Datagrams marked with congestion experienced since the last regular report. */
  #marks = 0;
  #heardAt: Instant | undefined;
  #intervalFrom: Instant | undefined;
  #before: ReceptionSummary | undefined;
  #stalled = 0;
  #intervals: Interval[] = [];
  #notices: CircuitBreakerNotice[] = [];

  /** @param frameInterval interval between frames, T_f. */
  constructor(frameInterval: Microseconds) {
    this.#frameInterval = frameInterval;
  }

  /** Greatest sending rate in bytes per second; 0 when nothing may be sent; `undefined` without a limit. */
  get limit(): number | undefined {
    return this.#ceasedAt === undefined ? this.#limit : 0;
  }

  /** A datagram of media, retransmission or repair leaves. */
  onSent(now: Instant, bytes: number): void {
    this.#heardAt ??= now;
    this.#intervalFrom ??= now;
    this.#sentBytes += bytes;
    this.#sentPackets++;
  }

  /** Datagrams were marked with congestion experienced: they count as lost (§7). */
  onMarks(datagrams: number): void {
    this.#marks += datagrams;
  }

  /**
   * A report on the media arrives.
   *
   * @param echoesSince departure of the sender report that it names; `undefined` when it names none.
   */
  onReport(now: Instant, summary: ReceptionSummary, echoesSince: Instant | undefined): void {
    this.#heardAt = now;
    if (this.#ceasedAt !== undefined) return this.#considerRestart(now, echoesSince);
    if (this.#intervalFrom === undefined) return;
    const span = elapsed(this.#intervalFrom, now);
    if (span < REPORT_INTERVAL_MIN) return;
    const before = this.#before;
    this.#before = summary;
    if (before && this.#sentPackets > 0) this.#judge(now, span, before, summary);
    this.#intervalFrom = now;
    this.#forgetSent();
  }

  #forgetSent(): void {
    this.#sentBytes = 0;
    this.#sentPackets = 0;
    this.#marks = 0;
  }

  #judge(now: Instant, span: Microseconds, before: ReceptionSummary, after: ReceptionSummary): void {
    const expected = after.highestSequence - before.highestSequence;
    if (expected <= 0) {
      this.#stalled++;
      // §4.2: MEDIA_TIMEOUT = ceil(k · max(T_f, T_r, T_dr) / T_dr) reports.
      const longest = Math.max(this.#frameInterval, after.roundTrip ?? 0, REPORT_INTERVAL);
      if (this.#stalled >= Math.ceil((STALLED_REPORTS * longest) / REPORT_INTERVAL)) this.#cease(now, 'media-timeout');
      return;
    }
    this.#stalled = 0;
    const roundTrip = after.roundTrip ?? this.#intervals.at(-1)?.roundTrip;
    if (roundTrip === undefined || roundTrip <= 0) return;
    const lost = Math.max(0, after.cumulativeLost - before.cumulativeLost) + this.#marks;
    const loss = Math.min(1, lost / expected);
    this.#intervals.push({ span, bytes: this.#sentBytes, packets: this.#sentPackets, loss, roundTrip });
    // §4.3: CB_INTERVAL, in reports.
    const responds = Math.max(10 * GROUP_FRAMES * this.#frameInterval, 10 * roundTrip, 3 * REPORT_INTERVAL);
    const longest = Math.max(15 * SECOND, 3 * INTERVAL_DETERMINISTIC);
    const needed = Math.ceil((3 * Math.min(responds, longest)) / (3 * REPORT_INTERVAL));
    if (this.#intervals.length < needed) return;
    const judged = this.#intervals.slice(-needed);
    this.#intervals = [];
    if (exceedsTcp(judged)) this.#reduce(now, judged);
    else this.#relax();
  }

  #reduce(now: Instant, judged: readonly Interval[]): void {
    if (this.#limit !== undefined) return this.#cease(now, 'congestion');
    this.#limit = rateOf(judged) / TCP_MULTIPLE;
    this.#cause = 'congestion';
    this.#notices.push({ change: 'reduced', cause: 'congestion' });
  }

  /** Doubles the limit after each period without excessive congestion, until it is restored. */
  #relax(): void {
    if (this.#limit === undefined || this.#cause === undefined) return;
    this.#relaxed++;
    this.#limit *= 2;
    if (2 ** this.#relaxed < TCP_MULTIPLE) return;
    this.#restore();
  }

  #restore(): void {
    this.#limit = undefined;
    this.#relaxed = 0;
    this.#ceasedAt = undefined;
    this.#intervals = [];
    this.#notices.push({ change: 'restored', cause: this.#cause! });
    this.#cause = undefined;
  }

  #cease(now: Instant, cause: CircuitBreakerCause): void {
    this.#ceasedAt = now;
    this.#cause = cause;
    this.#stalled = 0;
    this.#intervals = [];
    this.#relaxed = 0;
    this.#notices.push({ change: 'ceased', cause });
  }

  /** §4.5: a stream is not restarted without evidence that the cause is resolved. */
  #considerRestart(now: Instant, echoesSince: Instant | undefined): void {
    if (this.#cause === 'congestion' && now - this.#ceasedAt! < RETRY_AFTER) return;
    // A report on what was sent after the stop shows that the forward path carries again.
    if (echoesSince === undefined || echoesSince < this.#ceasedAt!) return;
    this.#before = undefined;
    this.#intervalFrom = undefined;
    this.#forgetSent();
    if (this.#cause === 'congestion') {
      this.#ceasedAt = undefined;
      this.#notices.push({ change: 'reduced', cause: 'congestion' });
    } else this.#restore();
  }

  /** Returns a change that has not been polled. */
  pollNotice(): CircuitBreakerNotice | undefined {
    return this.#notices.shift();
  }

  /** Time at which the media times out unless a report arrives (§4.1); `undefined` while nothing is sent. */
  pollTimeout(): Instant | undefined {
    if (this.#heardAt === undefined || this.#ceasedAt !== undefined) return undefined;
    return later(this.#heardAt, microseconds(INTERVALS_MAX * INTERVAL_DETERMINISTIC));
  }

  handleTimeout(now: Instant): void {
    const timeout = this.pollTimeout();
    if (timeout === undefined || now < timeout) return;
    // Nothing to report on: a paused source is no failed path.
    if (this.#sentPackets === 0) this.#heardAt = instant(now);
    else this.#cease(now, 'rtcp-timeout');
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Bytes per second. */
const rateOf = (intervals: readonly Interval[]): number =>
  perSecond(sum(intervals.map(({ bytes }) => bytes)), microseconds(sum(intervals.map(({ span }) => span))));

/** True when more was sent than ten TCP connections would, by the simplified equation of RFC 8083 §4.3 (b = 1). */
function exceedsTcp(intervals: readonly Interval[]): boolean {
  const loss = sum(intervals.map((interval) => interval.loss)) / intervals.length;
  if (loss === 0) return false;
  const roundTrip = sum(intervals.map((interval) => interval.roundTrip)) / intervals.length / SECOND;
  const packetBytes = sum(intervals.map(({ bytes }) => bytes)) / sum(intervals.map(({ packets }) => packets));
  const tcp = packetBytes / (roundTrip * Math.sqrt((2 * loss) / 3));
  return rateOf(intervals) > TCP_MULTIPLE * tcp;
}
