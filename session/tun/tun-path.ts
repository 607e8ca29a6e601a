import { Histogram } from '../../protocol/base/histogram.ts';
import { earliest, type Instant } from '../../protocol/base/units.ts';
import { isBetween, parseIpPacket, swapAddresses } from '../../protocol/ip-packet.ts';
import type { Direction } from '../../sim/direction.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { ByteBudget } from '../relay/byte-budget.ts';
import { RelayDirection } from '../relay/relay-direction.ts';
import { directionReport, type RelayDirectionReport } from '../relay/relay-report.ts';
import { FlowDirections } from './flow-directions.ts';

/** Addresses of the machine inside, and of itself across the link. */
export const TUN_ADDRESSES = {
  ipv4: { local: '10.9.0.1', across: '10.9.0.2' },
  ipv6: { local: 'fd09::1', across: 'fd09::2' },
} as const;

const V4_LOCAL = Uint8Array.of(10, 9, 0, 1);
const V4_ACROSS = Uint8Array.of(10, 9, 0, 2);
const V6_LOCAL = Uint8Array.of(0xfd, 0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
const V6_ACROSS = Uint8Array.of(0xfd, 0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);

/** Packets sent into the device by the kernel that no link has seen, by reason. */
export interface Uncarried {
  /** To a multicast group, which has no other member: IPv6 announcements and the like. */
  readonly multicast: number;
  /** From or to an address that does not belong to the link. */
  readonly elsewhere: number;
  /** Not an IP packet, or truncated. */
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
  /** True when the clocks of the links start with the first packet; otherwise they start with the path. */
  readonly beginsWithTraffic?: boolean;
  /** Limit of bytes in flight in both directions together. */
  readonly heldBytesMax: number;
  /** Returns a packet to the machine; `false` when it was refused. */
  readonly write: (packet: Uint8Array) => boolean;
  /** Called for every packet that crosses the link: as sent by the machine (`out`) and as returned (`in`). */
  readonly observe?: ((direction: 'in' | 'out', packet: Uint8Array, comment?: string) => void) | undefined;
}

/**
 * A machine's path to itself: packets sent to its address across the link pass the link of their direction and return
 * with source and destination exchanged, as if sent by another machine. All programs inside share the two links, in the
 * order in which the kernel sends.
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

  /** Time of the next delivery. */
  get nextAt(): Instant | undefined {
    const forward = this.#ways.forward.nextAt;
    const back = this.#ways.back.nextAt;
    if (forward === undefined || back === undefined) return forward ?? back;
    return earliest(forward, back);
  }

  get report(): TunPathReport {
    const { link, linkBack } = this.#options;
    return {
      forward: this.#reportOf('forward', link),
      back: this.#reportOf('back', linkBack),
      uncarried: { ...this.#uncarried },
    };
  }

  /** Sends a packet that the machine sent at `at`; the path takes ownership of its bytes. */
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

  /** Delivers all packets that are due. */
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

/** Multicast address (RFC 1112 §4, RFC 4291 §2.7). */
const isMulticast = (bytes: Uint8Array, version: 4 | 6): boolean =>
  version === 4 ? bytes[16]! >> 4 === 0xe : bytes[24] === 0xff;
