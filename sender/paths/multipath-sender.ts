import { readUint32 } from '../../protocol/base/big-endian.ts';
import { earliestOf, type Instant } from '../../protocol/base/units.ts';
import { type Ecn, NOT_ECT } from '../../protocol/ecn.ts';
import type { Endpoint } from '../../protocol/endpoint.ts';
import { PATHS, pathProbe, splitPathReport } from '../../protocol/rtcp/path-report.ts';
import { RepeatedFeedback } from '../../protocol/rtcp/repeated-feedback.ts';
import { parseRtcp } from '../../protocol/rtcp/rtcp.ts';
import { isRtcp } from '../../protocol/rtp/multiplex.ts';
import type { PathHealth } from './path-health.ts';
import { PathScheduler, type PathSchedulerOptions } from './path-scheduler.ts';

interface Copy {
  readonly datagram: Uint8Array;
  readonly ecn: Ecn;
}

/**
 * A sender whose stream leaves by two paths, without its knowledge: each datagram gets the paths that the scheduler
 * chooses, and the receiver's path reports decide which paths are up.
 */
export class MultipathSender<Event> implements Endpoint<Event> {
  readonly #sender: Endpoint<Event>;
  readonly #options: PathSchedulerOptions;
  readonly #health: PathHealth;
  readonly #scheduler: PathScheduler;
  readonly #repeated = new RepeatedFeedback(PATHS);
  /** Copy of the last datagram, which leaves by path 1. */
  #copy: Copy | undefined;
  #path = 0;
  #ecn: Ecn = NOT_ECT;
  #reportSsrc: number | undefined;
  readonly #heardAt = new Array<Instant | undefined>(PATHS).fill(undefined);

  /** @param health state of the paths, which the sender may read as well. */
  constructor(sender: Endpoint<Event>, options: PathSchedulerOptions, health: PathHealth) {
    this.#sender = sender;
    this.#options = options;
    this.#health = health;
    this.#scheduler = new PathScheduler(options, health);
  }

  /** Path reports of other sources are ignored from now on. */
  expectReportsFrom(reportSsrc: number): void {
    this.#reportSsrc = reportSsrc;
  }

  /** Time of the last feedback of the receiver by this path, copies included. */
  heardAt(path: number): Instant | undefined {
    return this.#heardAt[path];
  }

  handleDatagram(now: Instant, datagram: Uint8Array, ecn?: Ecn, path = 0): void {
    const split = splitPathReport(datagram);
    const isExpected = split ? this.#expects(split.ssrc) : this.#isFeedback(datagram);
    if (isExpected) this.#heardAt[path] = now;
    if (this.#repeated.isRepeated(datagram, path)) return;
    if (split && isExpected) this.#health.onReport(now, split.report);
    const rest = split ? split.rest : datagram;
    if (rest.length > 0) this.#sender.handleDatagram(now, rest, ecn);
  }

  handleTimeout(now: Instant): void {
    this.#sender.handleTimeout(now);
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    const copy = this.#copy;
    if (copy) {
      this.#copy = undefined;
      return this.#leave(copy, 1);
    }
    const down = this.#health.pollProbe(now);
    if (down !== undefined) return this.#leave({ datagram: pathProbe(this.#options.ssrc), ecn: NOT_ECT }, down);
    const datagram = this.#sender.pollTransmit(now);
    if (!datagram) return undefined;
    const ecn = this.#sender.transmitEcn ?? NOT_ECT;
    const choice = this.#scheduler.choose(now, datagram);
    if (choice !== 'both') return this.#leave({ datagram, ecn }, choice);
    this.#copy = { datagram: datagram.slice(), ecn };
    return this.#leave({ datagram, ecn }, 0);
  }

  get transmitEcn(): Ecn {
    return this.#ecn;
  }

  get transmitPath(): number {
    return this.#path;
  }

  pollEvent(): Event | undefined {
    return this.#sender.pollEvent();
  }

  pollTimeout(): Instant | undefined {
    return earliestOf(this.#sender.pollTimeout(), this.#health.pollTimeout());
  }

  #expects(ssrc: number): boolean {
    return this.#reportSsrc === undefined || ssrc === this.#reportSsrc;
  }

  /** True for RTCP of the receiver without a path report. */
  #isFeedback(datagram: Uint8Array): boolean {
    if (datagram.length < 8 || !isRtcp(datagram)) return false;
    return this.#expects(readUint32(datagram, 4)) && parseRtcp(datagram).ok;
  }

  #leave({ datagram, ecn }: Copy, path: number): Uint8Array {
    this.#path = path;
    this.#ecn = ecn;
    return datagram;
  }
}
