import { Histogram } from '../../protocol/base/histogram.ts';
import type { Instant } from '../../protocol/base/instant.ts';
import { isBetween, parseIpPacket, swapAddresses } from '../../protocol/ip-packet.ts';
import type { Direction } from '../../sim/direction.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { ByteBudget } from '../relay/byte-budget.ts';
import { RelayDirection } from '../relay/relay-direction.ts';
import { directionReport, type RelayDirectionReport } from '../relay/relay-report.ts';
import { FlowDirections } from './flow-directions.ts';

/** What the machine is called inside, and what it calls itself across the link. */
export const TUN_ADDRESSES = {
  ipv4: { local: '10.9.0.1', across: '10.9.0.2' },
  ipv6: { local: 'fd09::1', across: 'fd09::2' },
} as const;

const V4_LOCAL = Uint8Array.of(10, 9, 0, 1);
const V4_ACROSS = Uint8Array.of(10, 9, 0, 2);
const V6_LOCAL = Uint8Array.of(0xfd, 0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
const V6_ACROSS = Uint8Array.of(0xfd, 0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);

/** Packets that the kernel sent into the device and that no link has seen, by why. */
export interface Uncarried {
  /** To a group of which nobody else can be a member: announcements of IPv6 and the like. */
  readonly multicast: number;
  /** From or to an address that is not one of ours. */
  readonly elsewhere: number;
  /** Not an IP packet, or cut short. */
  readonly malformed: number;
}

export interface TunPathReport {
  readonly forward: RelayDirectionReport;
  readonly back: RelayDirectionReport;
  readonly uncarried: Uncarried;
}

export interface TunPathOptions {
  readonly link: LinkSpecification;
  readonly linkBack: LinkSpecification;
  /** Whether the links' time begins with the first packet; else when this is made. */
  readonly beginsWithTraffic?: boolean;
  /** What may be in flight in both directions together, bytes. */
  readonly heldBytesMax: number;
  /** Gives a packet back to the machine; `false`: it was refused. */
  readonly write: (packet: Uint8Array) => boolean;
  /** Is shown all that crosses the link, as the machine sent it (`out`) and as it came back (`in`). */
  readonly observe?: ((direction: 'in' | 'out', packet: Uint8Array, comment?: string) => void) | undefined;
}

/**
 * A machine's way to itself: what it sends to its address across the link goes through the link of its direction and
 * comes back with source and destination exchanged, as if another machine had sent it. The two links are the whole
 * path's: everything inside shares them, in the order in which the kernel sent it.
 */
export class TunPath {
  readonly #options: TunPathOptions;
  readonly #directions = new FlowDirections();
  readonly #lateness = { forward: new Histogram(), back: new Histogram() };
  #ways: { readonly forward: RelayDirection; readonly back: RelayDirection };
  #waits: boolean;
  readonly #sent = { forward: 0, back: 0 };
  readonly #refused = { forward: 0, back: 0 };
  readonly #uncarried = { multicast: 0, elsewhere: 0, malformed: 0 };

  constructor(options: TunPathOptions) {
    this.#options = options;
    this.#waits = options.beginsWithTraffic === true;
    this.#ways = this.#openWays();
  }

  #openWays(): { readonly forward: RelayDirection; readonly back: RelayDirection } {
    const options = this.#options;
    const budget = new ByteBudget(options.heldBytesMax);
    const way = (direction: Direction, link: LinkSpecification) =>
      new RelayDirection({
        link,
        direction,
        headerBytes: 0,
        budget,
        lateness: this.#lateness[direction],
        deliver: (packet) => this.#deliver(direction, packet),
      });
    return { forward: way('forward', options.link), back: way('back', options.linkBack) };
  }

  /** When the next packet is due. */
  get nextAt(): Instant | undefined {
    const forward = this.#ways.forward.nextAt;
    const back = this.#ways.back.nextAt;
    if (forward === undefined || back === undefined) return forward ?? back;
    return Math.min(forward, back);
  }

  get report(): TunPathReport {
    const { link, linkBack } = this.#options;
    return {
      forward: this.#reportOf('forward', link),
      back: this.#reportOf('back', linkBack),
      uncarried: { ...this.#uncarried },
    };
  }

  /** A packet that the machine sent at `at`; its bytes are the path's from here on. */
  send(at: Instant, bytes: Uint8Array): void {
    const parsed = parseIpPacket(bytes);
    if (!parsed.ok) {
      this.#uncarried.malformed++;
      return;
    }
    const packet = parsed.value;
    const ours = packet.version === 4 ? [V4_LOCAL, V4_ACROSS] : [V6_LOCAL, V6_ACROSS];
    if (!isBetween(bytes, packet.version, ours[0]!, ours[1]!)) {
      this.#uncarried[isMulticast(bytes, packet.version) ? 'multicast' : 'elsewhere']++;
      return;
    }
    const { observe } = this.#options;
    const direction = this.#directions.of(bytes, packet);
    if (this.#waits) {
      this.#waits = false;
      this.#ways = this.#openWays();
    }
    const original = observe ? bytes.slice() : undefined;
    swapAddresses(bytes, packet);
    const fate = this.#ways[direction].send(at, bytes);
    const number = this.#sent[direction]++;
    if (original) observe?.('out', original, `${direction} ${number}${fate === 'carried' ? '' : `: ${fate}`}`);
  }

  /** Delivers what is due. */
  flush(): void {
    this.#ways.forward.flush();
    this.#ways.back.flush();
  }

  #deliver(direction: Direction, packet: Uint8Array): void {
    this.#options.observe?.('in', packet);
    if (!this.#options.write(packet)) this.#refused[direction]++;
  }

  #reportOf(direction: Direction, link: LinkSpecification): RelayDirectionReport {
    return directionReport({
      link,
      counters: this.#ways[direction].counters,
      lateness: this.#lateness[direction],
      refused: 0,
      sendErrors: this.#refused[direction],
    });
  }
}

/** RFC 1112 §4, RFC 4291 §2.7. */
const isMulticast = (bytes: Uint8Array, version: 4 | 6): boolean =>
  version === 4 ? bytes[16]! >> 4 === 0xe : bytes[24] === 0xff;
