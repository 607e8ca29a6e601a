import type { SecureChannel } from '../../io/net/secure-channel.ts';
import type { Instant } from '../../protocol/base/units.ts';
import { PROTECTION_BYTES_MAX } from '../../protocol/srtp/srtp-packet.ts';
import { type MediaProtection, protectionsOf, refusedBy } from './media-protection.ts';
import { type MediaAddress, ReceiverPath } from './receiver-path.ts';

export interface ReceiverPathsOptions {
  readonly count: number;
  /** TLS of the control connection; `undefined` when datagrams are not encrypted. */
  readonly channel: SecureChannel | undefined;
  /** Identifier of the session. */
  readonly session: string;
  /** Largest datagram that may be sent, UDP payload bytes, with protection. */
  readonly datagramBytesMax: number;
  /** True when the path MTU is searched for. */
  readonly findsMtu: boolean;
  /** Sends a datagram without fragmentation; `onRefused` is called when the operating system refuses it. */
  readonly sendProbe: (datagram: Uint8Array, to: MediaAddress, onRefused: () => void) => void;
  /** Called when datagrams of another length apply to all paths from now on, UDP payload bytes without protection. */
  readonly onBytes: (bytes: number) => void;
  /** Called when the search on the path to an address has ended with a different result, UDP payload bytes with protection. */
  readonly onFound: (bytes: number, to: MediaAddress) => void;
}

/** The paths to one receiver over UDP: one, or two that carry one stream; and its SRTP. */
export class ReceiverPaths {
  /** Largest datagram without protection, UDP payload bytes. */
  readonly datagramBytesMax: number;
  /** Datagrams sent by each path. */
  readonly sent: number[];
  readonly #protections: readonly MediaProtection[];
  readonly #paths: readonly ReceiverPath[];
  readonly #onBytes: (bytes: number) => void;
  /** Length that applies to all paths. */
  #bytes: number;

  constructor(options: ReceiverPathsOptions) {
    const { count, channel, session, findsMtu, sendProbe, onFound } = options;
    this.#protections = channel ? protectionsOf(channel, session, 'sender', count) : [];
    const protectionBytes = channel ? PROTECTION_BYTES_MAX : 0;
    const datagramBytesMax = options.datagramBytesMax - protectionBytes;
    this.datagramBytesMax = datagramBytesMax;
    this.#bytes = datagramBytesMax;
    this.#onBytes = options.onBytes;
    const found = (bytes: number, path: number) => {
      const to = this.addressBy(path);
      if (to) onFound(bytes + protectionBytes, to);
    };
    const open = (path: number) =>
      new ReceiverPath({
        mtu: findsMtu ? { datagramBytesMax, protectionBytes, onFound: (bytes) => found(bytes, path) } : undefined,
        sendProbe: (probe, to, onRefused) => {
          for (const datagram of this.protect([probe])) sendProbe(datagram, to, onRefused);
        },
        onBytes: () => this.#limitBytes(),
      });
    this.#paths = Array.from({ length: count }, (_, path) => open(path));
    this.sent = new Array<number>(count).fill(0);
  }

  get count(): number {
    return this.#paths.length;
  }

  /** True when datagrams are encrypted. */
  get isProtected(): boolean {
    return this.#protections.length > 0;
  }

  /** Forged or replayed datagrams. */
  get refused(): number {
    // What arrives is counted once for all paths.
    return this.#protections[0] ? refusedBy(this.#protections[0]) : 0;
  }

  /** Returns packets as sent on the wire, by any path. */
  protect(packets: readonly Uint8Array[]): readonly Uint8Array[] {
    return this.#protections[0]?.protect(packets) ?? packets;
  }

  /** Returns the packet in a datagram; `undefined` when it is not authentic, or an answer to a probe of the path. */
  take(received: Uint8Array, path: number): Uint8Array | undefined {
    const datagram = this.isProtected ? this.#protections[path]!.unprotect(received) : received;
    return datagram && !this.#paths[path]!.handleAnswer(datagram) ? datagram : undefined;
  }

  /** Address of the first path that has one. */
  get address(): MediaAddress | undefined {
    return this.#paths.find(({ address }) => address !== undefined)?.address;
  }

  addressBy(path: number): MediaAddress | undefined {
    return this.#paths[path]?.address;
  }

  /** True when this is the address of a path. */
  isAt({ host, port }: MediaAddress, path: number): boolean {
    const address = this.addressBy(path);
    return address?.host === host && address.port === port;
  }

  /** Called when the receiver has proved that it owns this address. */
  prove(address: MediaAddress, path: number): void {
    this.#paths[path]!.prove(address);
    this.#limitBytes();
  }

  /** Packets are being lost, possibly because of their length. */
  handleLoss(): void {
    for (const path of this.#paths) path.handleLoss();
  }

  /** @param reportedAt time of the last report or request, with two paths of the last one by this path. */
  consents(path: number, reportedAt: Instant | undefined): boolean {
    const consents = this.#paths[path]!.consents(reportedAt);
    if (!consents) this.#limitBytes();
    return consents;
  }

  /**
   * Applies the shortest length of the paths that have an address. A path where a search is under way counts only while
   * no other one has found its length, as each search begins with the shortest datagrams.
   */
  #limitBytes(): void {
    const proved = this.#paths.filter(({ address }) => address !== undefined);
    const found = proved.filter(({ hasFound }) => hasFound);
    const counted = found.length > 0 ? found : proved;
    if (counted.length === 0) return;
    const bytes = Math.min(this.datagramBytesMax, ...counted.map((path) => path.bytes));
    if (bytes === this.#bytes) return;
    this.#bytes = bytes;
    this.#onBytes(bytes);
  }

  close(): void {
    for (const path of this.#paths) path.close();
  }
}
