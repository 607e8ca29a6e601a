import { type Ecn, NOT_ECT } from '../../protocol/ecn.ts';
import type { PacketReport } from './rate-controller.ts';

/** Datagrams in a row that arrived without ECN bits, which show that these are of no use: two frames of 1 Mb/s and more. */
const UNMARKED_MAX = 50;

/**
 * Ends the use of ECN where the bits do not arrive: on a path that clears them, or at a receiver that cannot read them, a
 * sender would not hear of congestion (RFC 6679 §7.2.2; RFC 9000 §13.4.2 does the same for QUIC).
 */
export class EcnValidation {
  #unmarked = 0;

  get hasFailed(): boolean {
    return this.#unmarked >= UNMARKED_MAX;
  }

  /** Takes reports on datagrams that left with ECN bits. */
  onReports(packets: readonly PacketReport[]): void {
    for (const { arrivedAt, mark } of packets) {
      if (arrivedAt === undefined || this.hasFailed) continue;
      this.#unmarked = mark === 'not-ect' ? this.#unmarked + 1 : 0;
    }
  }

  /** Bits that may be sent. @param wanted by the controller. */
  allowed(wanted: Ecn): Ecn {
    return this.hasFailed ? NOT_ECT : wanted;
  }
}
