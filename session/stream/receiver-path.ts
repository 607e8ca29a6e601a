import { now } from '../../io/os/clock.ts';
import { type Instant, instant, type Microseconds, seconds } from '../../protocol/base/units.ts';
import { PathMtuDriver, type PathMtuDriverOptions } from './path-mtu-driver.ts';

/** UDP address of a receiver. */
export interface MediaAddress {
  readonly host: string;
  readonly port: number;
}

export interface ReceiverPathOptions {
  /** Path MTU discovery; `undefined` for receivers of release 0.1.0. */
  readonly mtu: Omit<PathMtuDriverOptions, 'sendProbe' | 'onBytes'> | undefined;
  /** Sends a datagram without fragmentation; `onRefused` is called when the operating system refuses it. */
  readonly sendProbe: (probe: Uint8Array, to: MediaAddress, onRefused: () => void) => void;
  /** Called when the length of datagrams has changed, or has been found. */
  readonly onBytes: () => void;
}

/**
 * Expiry of consent without a report or request from the address. RFC 7675 §5.1 allows 30 s and checks every 5 s. A
 * receiver reports every second, so consent expires after five lost reports. The address must then be proved again.
 */
const CONSENT: Microseconds = seconds(5);

/** A path to a receiver over UDP: its proved address, the consent to send there, and the length of its datagrams. */
export class ReceiverPath {
  #address: MediaAddress | undefined;
  #provedAt: Instant = instant(Number.NEGATIVE_INFINITY);
  readonly #mtu: PathMtuDriver | undefined;
  #bytes = Number.POSITIVE_INFINITY;

  constructor({ mtu, sendProbe, onBytes }: ReceiverPathOptions) {
    if (!mtu) return;
    this.#mtu = new PathMtuDriver({
      ...mtu,
      sendProbe: (probe, onRefused) => {
        if (this.#address) sendProbe(probe, this.#address, onRefused);
      },
      onBytes: (bytes) => {
        this.#bytes = bytes;
        onBytes();
      },
    });
  }

  /** Address to send to; `undefined` until it is proved, and after its consent has expired. */
  get address(): MediaAddress | undefined {
    return this.#address;
  }

  /** Largest datagram that the path carries, UDP payload bytes without protection; infinite until it is found to be less. */
  get bytes(): number {
    return this.#bytes;
  }

  /** True when the search for this length has ended since the address was proved. */
  get hasFound(): boolean {
    return this.#mtu?.hasFound === true;
  }

  /** Called when the receiver has proved that it owns this address. */
  prove(address: MediaAddress): void {
    const same = this.#address?.host === address.host && this.#address.port === address.port;
    this.#address = address;
    this.#provedAt = now();
    if (same) this.#mtu?.handleLoss();
    else this.#mtu?.start();
  }

  /** @returns whether the datagram is an answer to a probe. */
  handleAnswer(datagram: Uint8Array): boolean {
    return this.#mtu?.handleDatagram(datagram) === true;
  }

  /** Packets are being lost, possibly because of their length. */
  handleLoss(): void {
    this.#mtu?.handleLoss();
  }

  /**
   * True while there is consent to send to the address (RFC 7675); otherwise it must be proved again.
   * @param reportedAt time of the last report or request.
   */
  consents(reportedAt: Instant | undefined): boolean {
    const heardAt = Math.max(this.#provedAt, reportedAt ?? Number.NEGATIVE_INFINITY);
    if (now() - heardAt > CONSENT) this.#address = undefined;
    return this.#address !== undefined;
  }

  close(): void {
    this.#mtu?.close();
  }
}
