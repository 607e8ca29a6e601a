import { readUint16, readUint32 } from '../../protocol/base/big-endian.ts';
import {
  earliestOf,
  type Instant,
  instant,
  later,
  latest,
  type Microseconds,
  milliseconds,
} from '../../protocol/base/units.ts';
import type { Ecn } from '../../protocol/ecn.ts';
import type { Endpoint } from '../../protocol/endpoint.ts';
import { appendPathReport, isPathProbe, PATHS } from '../../protocol/rtcp/path-report.ts';
import { RepeatedFeedback } from '../../protocol/rtcp/repeated-feedback.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';
import { asSequence, extend, type Sequence, wireSequence } from '../../protocol/rtp/sequence.ts';

/** The stream that arrives by two paths. */
export interface MultipathReceiverOptions {
  readonly ssrc: number;
  readonly reportSsrc: number;
  readonly initialSequence: number;
}

/** Interval of path reports while datagrams arrive; each other feedback carries one as well. */
const REPORT_INTERVAL: Microseconds = milliseconds(50);

const NO_BYTES = new Uint8Array(0);

/** A receiver that a stream reaches by two paths, without its knowledge. Its feedback leaves by both, with a path report. */
export class MultipathReceiver<Event> implements Endpoint<Event> {
  readonly #receiver: Endpoint<Event>;
  readonly #options: MultipathReceiverOptions;
  readonly #repeated = new RepeatedFeedback(PATHS);
  readonly #newest: Sequence[];
  readonly #datagrams = new Array<number>(PATHS).fill(0);
  #highest: Sequence;
  #reportAt: Instant | undefined;
  #reportedAt: Instant = instant(Number.NEGATIVE_INFINITY);
  /** Copy of the last datagram, which leaves by path 1. */
  #copy: Uint8Array | undefined;
  #path = 0;

  constructor(receiver: Endpoint<Event>, options: MultipathReceiverOptions) {
    this.#receiver = receiver;
    this.#options = options;
    this.#highest = asSequence(options.initialSequence - 1);
    this.#newest = new Array<Sequence>(PATHS).fill(this.#highest);
  }

  handleDatagram(now: Instant, datagram: Uint8Array, ecn?: Ecn, path = 0): void {
    this.#datagrams[path]!++;
    this.#reportAt ??= latest(now, later(this.#reportedAt, REPORT_INTERVAL));
    const kind = classifyDatagram(datagram);
    if (kind === 'rtcp' && (isPathProbe(datagram) || this.#repeated.isRepeated(datagram, path))) return;
    if (kind === 'rtp' && readUint32(datagram, 8) === this.#options.ssrc) this.#onMedia(datagram, path);
    this.#receiver.handleDatagram(now, datagram, ecn);
  }

  handleTimeout(now: Instant): void {
    this.#receiver.handleTimeout(now);
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    const copy = this.#copy;
    this.#copy = undefined;
    this.#path = copy ? 1 : 0;
    if (copy) return copy;
    const feedback = this.#receiver.pollTransmit(now);
    if (!feedback && !(this.#reportAt !== undefined && this.#reportAt <= now)) return undefined;
    const [first, second] = this.#newest.map((newest, path) => ({
      newest: wireSequence(newest),
      datagrams: this.#datagrams[path]!,
    }));
    const report = { paths: [first!, second!] as const };
    const datagram = appendPathReport(feedback ?? NO_BYTES, this.#options.reportSsrc, report);
    this.#reportAt = undefined;
    this.#reportedAt = now;
    this.#copy = datagram.slice();
    return datagram;
  }

  get transmitPath(): number {
    return this.#path;
  }

  pollEvent(): Event | undefined {
    return this.#receiver.pollEvent();
  }

  pollTimeout(): Instant | undefined {
    return earliestOf(this.#receiver.pollTimeout(), this.#reportAt);
  }

  #onMedia(datagram: Uint8Array, path: number): void {
    const sequence = extend(wireSequence(readUint16(datagram, 2)), this.#highest);
    if (sequence > this.#highest) this.#highest = sequence;
    if (sequence > this.#newest[path]!) this.#newest[path] = sequence;
  }
}
