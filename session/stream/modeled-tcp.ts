import { now } from '../../io/os/clock.ts';
import { WakeUp } from '../../io/os/wake-up.ts';
import { IP_HEADER_BYTES, IPV6_HEADER_BYTES } from '../../protocol/ip-packet.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { ByteTunnel, type ByteTunnelCounters } from '../../sim/tcp/byte-tunnel.ts';
import type { CongestionControlName } from '../../sim/tcp/congestion-control.ts';

export interface ModeledTcpOptions {
  readonly link: LinkSpecification;
  readonly congestionControl: CongestionControlName;
  readonly ipv6: boolean;
  readonly toReceiver: (bytes: Uint8Array) => void;
  readonly toSender: (bytes: Uint8Array) => void;
  /** Called when the sender's end becomes writable or full. Data written while it is full is still kept. */
  readonly onWritable: (writable: boolean) => void;
  readonly onFailed: (cause: string) => void;
}

/** A modelled TCP connection over an impaired link on the real clock, in place of a part of the path. */
export class ModeledTcp {
  readonly #options: ModeledTcpOptions;
  readonly #tunnel: ByteTunnel;
  readonly #wakeUp = new WakeUp(() => this.#ring());
  #writable = true;
  #closed = false;

  constructor(options: ModeledTcpOptions) {
    this.#options = options;
    const { link, congestionControl, ipv6 } = options;
    const headerBytes = ipv6 ? IPV6_HEADER_BYTES : IP_HEADER_BYTES;
    this.#tunnel = new ByteTunnel({ link, congestionControl, startsAt: now(), headerBytes });
    this.#wakeUp.set(this.#tunnel.pollTimeout());
  }

  get counters(): ByteTunnelCounters | undefined {
    return this.#tunnel.counters;
  }

  /** Writes bytes from the sender; each call is one write of the modelled connection. */
  writeForward(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#tunnel.writeForward(now(), bytes);
    this.#handOut();
  }

  /** Writes bytes from the receiver to the sender. */
  writeBack(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#tunnel.writeBack(now(), bytes);
    this.#handOut();
  }

  close(): void {
    this.#closed = true;
    this.#wakeUp.clear();
  }

  #ring(): void {
    this.#tunnel.handleTimeout(now());
    this.#handOut();
  }

  #handOut(): void {
    const { toReceiver, toSender, onWritable, onFailed } = this.#options;
    for (let bytes = this.#tunnel.pollForward(); bytes; bytes = this.#tunnel.pollForward()) toReceiver(bytes);
    for (let bytes = this.#tunnel.pollBack(); bytes; bytes = this.#tunnel.pollBack()) toSender(bytes);
    // The callback may have closed this connection.
    if (this.#closed) return;
    const writable = !this.#tunnel.isFull;
    if (writable !== this.#writable) {
      this.#writable = writable;
      onWritable(writable);
    }
    const { failure } = this.#tunnel;
    if (failure !== undefined) {
      this.close();
      onFailed(`the modelled TCP connection ${failure === 'timed-out' ? 'timed out' : 'was reset'}`);
      return;
    }
    this.#wakeUp.set(this.#tunnel.pollTimeout());
  }
}
