import { type Instant, instant } from '../../protocol/base/units.ts';

/** A datagram as a fault report shows it: its length, and its beginning in hexadecimal. */
export interface RecentDatagram {
  readonly at: Instant;
  readonly bytes: number;
  readonly head: string;
}

/** Half a second of a stream of 1 Mb/s: what an invariant broke on came last. */
const KEPT = 64;
/** RTP header, frame mark and the payload's headers; too little to show a picture. */
const HEAD_BYTES = 48;

/** The headers of the last datagrams, in memory that is allocated once. */
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

  /** The oldest first. */
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
