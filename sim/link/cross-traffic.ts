import { earliestOf, type Instant, later, type Microseconds, NEVER } from '../../protocol/base/units.ts';
import type { Endpoint } from '../../protocol/endpoint.ts';
import { IP_HEADER_BYTES, UDP_IP_HEADER_BYTES } from '../../protocol/ip-packet.ts';
import { ConstantSender, Sink } from '../traffic/constant-stream.ts';
import { DownloadReceiver, DownloadSender } from '../traffic/tcp-download.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import type { CrossTrafficKind } from './link-specification.ts';

/** Number of the flow, which no flow of a caller has. */
export const CROSS_FLOW = 2 ** 30 - 1;
const PACKET_BYTES = 1_200;

/**
 * A flow of the link itself, in addition to its callers': a TCP download without end, or a constant stream. It crosses
 * the link like any other; its acknowledgments return after the link's delay, without loss.
 */
export class CrossTraffic {
  readonly #options: CrossTrafficKind;
  readonly headerBytes: number;
  readonly #sender: Endpoint<never>;
  readonly #receiver: Endpoint<never>;
  readonly #arriving = new DeliveryQueue<Uint8Array>();
  readonly #returning = new DeliveryQueue<Uint8Array>();

  constructor(options: CrossTrafficKind, seed: number, startsAt: Instant) {
    this.#options = options;
    if ('rate' in options) {
      this.#sender = new ConstantSender({ rate: options.rate, packetBytes: PACKET_BYTES, startsAt });
      this.#receiver = new Sink();
      this.headerBytes = UDP_IP_HEADER_BYTES;
    } else {
      const { congestionControl } = options;
      const download = { congestionControl, seed, name: 'cross', startsAt };
      this.#sender = new DownloadSender(download);
      this.#receiver = new DownloadReceiver(download);
      this.headerBytes = IP_HEADER_BYTES;
    }
  }

  /** True when these are its options. */
  isOf(options: CrossTrafficKind | undefined): boolean {
    return JSON.stringify(options) === JSON.stringify(this.#options);
  }

  /** Time of the next event. */
  get nextAt(): Instant {
    const network = earliestOf(this.#arriving.nextAt, this.#returning.nextAt);
    const ends = earliestOf(this.#sender.pollTimeout(), this.#receiver.pollTimeout());
    return earliestOf(network, ends) ?? NEVER;
  }

  /** Accepts a datagram that has crossed the link and arrives at `at`. */
  arrive(at: Instant, datagram: Uint8Array): void {
    this.#arriving.push(at, datagram);
  }

  /** Runs what is due at `now`. @param delay of the way back. @returns the datagrams that enter the link. */
  run(now: Instant, delay: Microseconds): Uint8Array[] {
    for (let datagram = this.#arriving.pop(now); datagram; datagram = this.#arriving.pop(now)) {
      this.#receiver.handleDatagram(now, datagram);
      this.#answer(now, delay);
    }
    if ((this.#receiver.pollTimeout() ?? NEVER) <= now) this.#receiver.handleTimeout(now);
    this.#answer(now, delay);
    for (let datagram = this.#returning.pop(now); datagram; datagram = this.#returning.pop(now)) {
      this.#sender.handleDatagram(now, datagram);
    }
    if ((this.#sender.pollTimeout() ?? NEVER) <= now) this.#sender.handleTimeout(now);
    const sent: Uint8Array[] = [];
    for (let datagram = this.#sender.pollTransmit(now); datagram; datagram = this.#sender.pollTransmit(now)) {
      sent.push(datagram);
    }
    return sent;
  }

  #answer(now: Instant, delay: Microseconds): void {
    for (let answer = this.#receiver.pollTransmit(now); answer; answer = this.#receiver.pollTransmit(now)) {
      this.#returning.push(later(now, delay), answer);
    }
  }
}
