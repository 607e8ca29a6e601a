import { readUint16, writeUint32 } from '../../protocol/base/big-endian.ts';
import { type Instant, later, type Microseconds, milliseconds } from '../../protocol/base/units.ts';
import { extend, type Sequence, wireSequence } from '../../protocol/rtp/sequence.ts';
import { MEDIA_SSRC, REPAIR_SSRC } from '../../sim/simulated-stream.ts';
import { DepartureQueue } from './departure-queue.ts';
import type { SchemeKind, SchemePacket, SchemeReceiver, SchemeSender } from './scheme.ts';

/** Packets remembered as received; copies that come later than that are taken for new, and found late by the receiver. */
const RECEIVED_PACKETS = 4_096;

const withSsrc = (datagram: Uint8Array, ssrc: number): Uint8Array => {
  const copy = datagram.slice();
  writeUint32(copy, 8, ssrc);
  return copy;
};

/** Sends each media packet once more, with another SSRC (RFC 7198 §3.2), at once or after a delay. */
class DuplicatingSender implements SchemeSender {
  readonly #delay: Microseconds;
  readonly #copies = new DepartureQueue();

  constructor(delay: Microseconds) {
    this.#delay = delay;
  }

  onMedia(now: Instant, { datagram }: SchemePacket): void {
    this.#copies.add(later(now, this.#delay), withSsrc(datagram, REPAIR_SSRC));
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    return this.#copies.pollTransmit(now);
  }

  pollTimeout(): Instant | undefined {
    return this.#copies.pollTimeout();
  }
}

/** Takes the copy of each packet that is missing. */
class DuplicateReceiver implements SchemeReceiver {
  readonly #received = new Float64Array(RECEIVED_PACKETS).fill(Number.NaN);

  onMedia(_now: Instant, { sequence }: SchemePacket): readonly Uint8Array[] {
    this.#isNew(sequence);
    return NONE;
  }

  onRedundancy(_now: Instant, datagram: Uint8Array, highest: Sequence): readonly Uint8Array[] {
    const sequence = extend(wireSequence(readUint16(datagram, 2)), highest);
    return this.#isNew(sequence) ? [withSsrc(datagram, MEDIA_SSRC)] : NONE;
  }

  #isNew(sequence: Sequence): boolean {
    const slot = ((sequence % RECEIVED_PACKETS) + RECEIVED_PACKETS) % RECEIVED_PACKETS;
    if (this.#received[slot] === sequence) return false;
    this.#received[slot] = sequence;
    return true;
  }
}

const NONE: readonly Uint8Array[] = [];

/** Temporal redundancy: every packet twice. */
export const DUPLICATE: SchemeKind = {
  headroomBytes: () => 0,
  build: ({ copyDelayMs = 0 }) => ({
    sender: new DuplicatingSender(milliseconds(copyDelayMs)),
    receiver: new DuplicateReceiver(),
  }),
};
