import { concatenated } from '../../protocol/base/concatenated.ts';
import type { Instant } from '../../protocol/base/units.ts';
import { CapturedDatagrams } from '../../protocol/capture/captured-datagrams.ts';
import { enhancedPacket, interfaceDescription, sectionHeader } from '../../protocol/capture/pcapng.ts';
import type { Direction } from '../../sim/direction.ts';

/** Capture interfaces: one for each end of the path. */
const SENDERS_END = 0;
const RECEIVERS_END = 1;

/**
 * Records both ends of a path as pcapng, one interface for each end: a packet on the first interface and not on the second
 * was lost. Timestamps are those of the virtual clock, counted from 1970.
 */
export class PathCapture {
  readonly #datagrams: CapturedDatagrams;
  readonly #blocks: Uint8Array[] = [sectionHeader(), interfaceDescription('sender'), interfaceDescription('receiver')];

  /** @param protocol the IP protocol number; for any but UDP (17) the datagrams contain their own transport header. */
  constructor(protocol?: number) {
    this.#datagrams = new CapturedDatagrams(protocol);
  }

  onSent(now: Instant, direction: Direction, datagram: Uint8Array): void {
    this.#add(now, direction === 'forward' ? SENDERS_END : RECEIVERS_END, direction, datagram);
  }

  onDelivered(now: Instant, direction: Direction, datagram: Uint8Array): void {
    this.#add(now, direction === 'forward' ? RECEIVERS_END : SENDERS_END, direction, datagram);
  }

  /** Returns the file. */
  bytes(): Uint8Array {
    return concatenated(this.#blocks);
  }

  #add(at: Instant, interfaceIndex: number, direction: Direction, datagram: Uint8Array): void {
    this.#blocks.push(enhancedPacket({ interfaceIndex, at, packet: this.#datagrams.wrap(direction, datagram) }));
  }
}
