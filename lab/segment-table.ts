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
/** Place of a segment that is not a first transmission. */
const AGAIN = -1;

/** Observes a TCP connection from outside: which data segments were sent, retransmitted and lost. */
export class SegmentTable implements PathObserver {
  readonly #measuring: () => boolean;
  /** Whether each first transmission was lost, in order. */
  readonly #losses: boolean[] = [];
  /** Places of first transmissions in a queue that has not decided about them; of retransmissions, `AGAIN`. */
  readonly #queued = new Map<Uint8Array, number>();
  /** Next unsent sequence number, as on the wire. */
  #next: number | undefined;
  #figures = { packetsSent: 0, packetsLost: 0, bytesRetransmission: 0, retransmissions: 0, retransmissionsLost: 0 };
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
    } else {
      this.#figures.packetsSent++;
      this.#losses.push(false);
    }
    const place = first ? this.#losses.length - 1 : AGAIN;
    if (fate === 'queued') this.#queued.set(datagram, place);
    else this.#note(place, fate);
  }

  onDecided(_now: Instant, _direction: Direction, datagram: Uint8Array, fate: DecidedFate): void {
    const place = this.#queued.get(datagram);
    if (place === undefined) return;
    this.#queued.delete(datagram);
    this.#note(place, fate);
  }

  #note(place: number, fate: DecidedFate): void {
    if (fate !== 'lost' && fate !== 'overflowed') return;
    if (place === AGAIN) {
      this.#figures.retransmissionsLost++;
      return;
    }
    this.#losses[place] = true;
    this.#figures.packetsLost++;
  }

  onDelivered(): void {}

  /** Returns the figures. @param spurious retransmissions that the receiver reported as duplicates. */
  conclude(spurious: number): TransportFigures {
    const { packetsSent, packetsLost, bytesRetransmission, retransmissions, retransmissionsLost } = this.#figures;
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
      retransmissionsSent: retransmissions,
      retransmissionsLost,
      repairsSent: 0,
      repairsLost: 0,
      burstsBefore: before.histogram(),
      burstsAfter: [],
      jitter: null,
      jitterFirst: null,
    };
  }
}
