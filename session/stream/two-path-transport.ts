import { causeOf } from '../../io/os/failure.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { DatagramTransport } from './datagram-transport.ts';
import { protectionsOf } from './media-protection.ts';
import type { MediaTransport, MediaTransportOptions } from './media-transport.ts';
import type { SecondPath } from './second-path.ts';

/** Transport over UDP by two paths: a socket, an address proof and a link of each; one key for both. */
export class TwoPathTransport implements MediaTransport {
  readonly segments = undefined;
  readonly modeledTcp = undefined;
  readonly #onSecondClosed: (cause: string) => void;
  readonly #paths: readonly [DatagramTransport, DatagramTransport];

  constructor(
    options: MediaTransportOptions & {
      readonly link: LinkSpecification | undefined;
      readonly second: SecondPath;
      /** Called when the second path cannot be opened; the first one carries on alone. */
      readonly onSecondClosed: (cause: string) => void;
    },
  ) {
    const { channel, welcome, link, second, onPacket, onSecondClosed } = options;
    this.#onSecondClosed = onSecondClosed;
    const protections = channel ? protectionsOf(channel, welcome.session, 'receiver', 2) : [];
    const open = (path: number, own: { readonly link: LinkSpecification | undefined; readonly from?: string }) =>
      new DatagramTransport({
        ...options,
        ...own,
        path,
        protection: protections[path],
        onPacket: (packet, ecn) => onPacket(packet, ecn, path),
      });
    this.#paths = [open(0, { link }), open(1, second)];
  }

  async open(): Promise<void> {
    const [first, second] = this.#paths;
    await Promise.all([first.open(), second.open().catch((error) => this.#onSecondClosed(causeOf(error)))]);
  }

  send(packets: readonly Uint8Array[], path = 0): void {
    // The sender knows nobody at an address that is not proved.
    if (this.#paths[path]!.isProved) this.#paths[path]!.send(packets);
  }

  proveAddress(): void {
    for (const path of this.#paths) path.proveAddress();
  }

  close(): void {
    for (const path of this.#paths) path.close();
  }

  get hostDrops(): number | undefined {
    return sumOf(this.#paths.map(({ hostDrops }) => hostDrops));
  }

  get sendsRefused(): number {
    return sumOf(this.#paths.map(({ sendsRefused }) => sendsRefused)) ?? 0;
  }

  get datagramsRefused(): number | undefined {
    return sumOf(this.#paths.map(({ datagramsRefused }) => datagramsRefused));
  }
}

/** Sum of the known counts; `undefined` when none is. */
function sumOf(counts: readonly (number | undefined)[]): number | undefined {
  const known = counts.filter((count) => count !== undefined);
  return known.length > 0 ? known.reduce((sum, count) => sum + count, 0) : undefined;
}
