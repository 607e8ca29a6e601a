import { readUint32 } from '../protocol/base/big-endian.ts';
import type { Instant } from '../protocol/base/units.ts';
import type { Direction } from '../sim/direction.ts';
import type { DatagramFate } from '../sim/link/link.ts';
import { RunLengths } from './metrics/run-lengths.ts';
import type { PathObserver } from './path-observer.ts';
import type { TransportFigures } from './strategy.ts';

/** Offsets of sequence number and data offset in a TCP header (RFC 9293 §3.1). */
const SEQUENCE_OFFSET = 4;
const DATA_OFFSET = 12;

/** Observes a TCP connection from outside: which data segments were sent, retransmitted and lost. */
export class SegmentTable implements PathObserver {
  readonly #measuring: () => boolean;
  readonly #before = new RunLengths();
  /** Next unsent sequence number, as on the wire. */
  #next: number | undefined;
  #figures = { packetsSent: 0, packetsLost: 0, bytesRetransmission: 0, retransmissions: 0 };
  framesDelivered = 0;

  constructor(measuring: () => boolean) {
    this.#measuring = measuring;
  }

  onSent(_now: Instant, direction: Direction, datagram: Uint8Array, fate: DatagramFate): void {
    if (direction === 'back') return;
    const payload = datagram.length - 4 * (datagram[DATA_OFFSET]! >> 4);
    if (payload <= 0) return;
    const sequence = readUint32(datagram, SEQUENCE_OFFSET);
    const end = (sequence + payload) | 0;
    const first = this.#next === undefined || ((end - this.#next) | 0) > 0;
    if (first) this.#next = end;
    if (!this.#measuring()) return;
    if (!first) {
      this.#figures.retransmissions++;
      this.#figures.bytesRetransmission += datagram.length;
      return;
    }
    const lost = fate === 'lost' || fate === 'overflowed';
    this.#figures.packetsSent++;
    if (lost) this.#figures.packetsLost++;
    this.#before.add(lost);
  }

  onDelivered(): void {}

  /** Returns the figures. @param spurious retransmissions that the receiver reported as duplicates. */
  conclude(spurious: number): TransportFigures {
    const { packetsSent, packetsLost, bytesRetransmission, retransmissions } = this.#figures;
    const wasted =
      retransmissions === 0 ? 0 : (bytesRetransmission * Math.min(spurious, retransmissions)) / retransmissions;
    return {
      packetsSent,
      packetsLost,
      // All bytes arrive eventually; lateness is counted per frame.
      packetsResidual: 0,
      packetsLate: 0,
      bytesRetransmission,
      bytesRepair: 0,
      bytesWasted: Math.round(wasted),
      burstsBefore: this.#before.histogram(),
      burstsAfter: [],
      jitter: null,
      jitterFirst: null,
    };
  }
}
