import { type Instant, instant } from '../../protocol/base/units.ts';

/** A datagram as shown in a fault report: its time, length in bytes, and first bytes in hexadecimal. */
export interface RecentDatagram {
  readonly at: Instant;
  readonly bytes: number;
  readonly head: string;
}

/** Number of datagrams kept: half a second at 1 Mb/s. The cause of a fault is usually among the last. */
const KEPT = 64;
/** Bytes kept of each datagram: RTP header, frame mark and payload headers, too few to show a picture. */
const HEAD_BYTES = 48;

/** Headers of the last datagrams, in preallocated memory. */
export class RecentDatagrams {
  readonly #heads = new Uint8Array(KEPT * HEAD_BYTES);
  readonly #times = new Float64Array(KEPT);
  readonly #lengths = new Uint32Array(KEPT);
  #count = 0;

  add(at: Instant, datagram: Uint8Array): void {
    const place = this.#count++ % KEPT;
    const bytes = Math.min(datagram.length, HEAD_BYTES);
    const start = place * HEAD_BYTES;
    for (let index = 0; index < bytes; index++) this.#heads[start + index] = datagram[index]!;
    this.#times[place] = at;
    this.#lengths[place] = datagram.length;
  }

  /** Returns the datagrams, oldest first. */
  list(): RecentDatagram[] {
    const length = Math.min(this.#count, KEPT);
    return Array.from({ length }, (_, index) => {
      const place = (this.#count - length + index) % KEPT;
      const bytes = this.#lengths[place]!;
      const start = place * HEAD_BYTES;
      const head = Buffer.from(this.#heads.buffer, start, Math.min(bytes, HEAD_BYTES)).toString('hex');
      return { at: instant(this.#times[place]!), bytes, head };
    });
  }
}
