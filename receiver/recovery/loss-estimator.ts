import { asSequence, type Sequence } from '../../protocol/rtp/sequence.ts';

/** A packet this far behind the newest counts as lost, not reordered. */
const SETTLED_BEHIND = 64;
/** Marks kept; a power of two. A larger gap is an outage, which does not describe the path. */
const MARKS = 1_024;
/** Averaging length in packets: some ten seconds of a stream of 4 Mb/s. */
const MEMORY_PACKETS = 4_096;
/** Until this many packets, each loss counts as one of this many. */
const PACKETS_MIN = 100;

/** Estimates the share of packets lost on first transmission, and the mean burst length. */
export class LossEstimator {
  readonly #came = new Uint8Array(MARKS);
  #settled: Sequence | undefined;
  #highest: Sequence = asSequence(Number.NEGATIVE_INFINITY);
  #packets = 0;
  #lost = 0;
  #runs = 0;
  #lastLost = false;

  /** True when `loss` is 0. */
  get lossless(): boolean {
    return this.#lost === 0;
  }

  /** 0 … 1. */
  get loss(): number {
    return this.#lost / Math.max(this.#packets, PACKETS_MIN);
  }

  /** Mean burst length in packets, 1 or more. */
  get burst(): number {
    return this.#runs < 0.5 ? 1 : Math.max(1, this.#lost / this.#runs);
  }

  /** Records a packet that was sent once. */
  onPacket(sequence: Sequence): void {
    this.#settled ??= asSequence(sequence - 1);
    if (sequence <= this.#settled) return;
    if (sequence > this.#highest + MARKS - SETTLED_BEHIND && Number.isFinite(this.#highest)) this.#restart(sequence);
    this.#came[sequence & (MARKS - 1)] = 1;
    if (sequence <= this.#highest) return;
    this.#highest = sequence;
    while (this.#settled < sequence - SETTLED_BEHIND) this.#settle(asSequence(++this.#settled));
  }

  #settle(sequence: Sequence): void {
    const slot = sequence & (MARKS - 1);
    const lost = this.#came[slot] === 0;
    this.#came[slot] = 0;
    const keep = 1 - 1 / MEMORY_PACKETS;
    this.#packets = this.#packets * keep + 1;
    this.#lost = this.#lost * keep + (lost ? 1 : 0);
    this.#runs = this.#runs * keep + (lost && !this.#lastLost ? 1 : 0);
    this.#lastLost = lost;
  }

  #restart(sequence: Sequence): void {
    this.#came.fill(0);
    this.#settled = asSequence(sequence - 1);
  }
}
