import type { Sequence } from './sequence.ts';

/** Memory from which a packet that was sent can be made again, in place of the packet itself. */
export interface PacketSource {
  /** Returns a copy of the packet as it was sent, valid until what is sent now has been transmitted. */
  packet(sequence: Sequence): Uint8Array;
}
