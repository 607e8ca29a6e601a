import { readUint32 } from '../protocol/base/big-endian.ts';
import type { Instant } from '../protocol/base/units.ts';
import type { Direction } from '../sim/direction.ts';
import type { DatagramFate, DecidedFate } from '../sim/link/datagram-fate.ts';
import { RunLengths } from './metrics/run-lengths.ts';
import type { PathObserver } from './path-observer.ts';
import type { TransportFigures } from './strategy.ts';

/** Offsets of sequence number and data offset in a TCP header (RFC 9293 §3.1). */
const SEQUENCE_OFFSET = 4;
const DATA_OFFSET = 12;

/** Observes a TCP connection from outside: which data segments were sent, retransmitted and lost. */
export class SegmentTable implements PathObserver {
  readonly #measuring: () => boolean;
  /** Whether each first transmission was lost, in order. */
  readonly #losses: boolean[] = [];
  /** Places of first transmissions in a queue that has not decided about them. */
  readonly #queued = new Map<Uint8Array, number>();
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
    this.#figures.packetsSent++;
    if (fate === 'queued') this.#queued.set(datagram, this.#losses.length);
    this.#losses.push(false);
    if (fate !== 'queued') this.#note(this.#losses.length - 1, fate);
  }

  onDecided(_now: Instant, _direction: Direction, datagram: Uint8Array, fate: DecidedFate): void {
    const place = this.#queued.get(datagram);
    if (place === undefined) return;
    this.#queued.delete(datagram);
    this.#note(place, fate);
  }

  #note(place: number, fate: DecidedFate): void {
    if (fate !== 'lost' && fate !== 'overflowed') return;
    this.#losses[place] = true;
    this.#figures.packetsLost++;
  }

  onDelivered(): void {}

  /** Returns the figures. @param spurious retransmissions that the receiver reported as duplicates. */
  conclude(spurious: number): TransportFigures {
    const { packetsSent, packetsLost, bytesRetransmission, retransmissions } = this.#figures;
    const before = new RunLengths();
    for (const lost of this.#losses) before.add(lost);
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
      bytesLate: 0,
      burstsBefore: before.histogram(),
      burstsAfter: [],
      jitter: null,
      jitterFirst: null,
    };
  }
}
