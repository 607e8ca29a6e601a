import { randomBytes } from 'node:crypto';
import { DatagramSocket } from '../../io/net/datagram-socket.ts';
import { EndpointDriver } from '../../io/net/endpoint-driver.ts';
import { anyAddressLike, isLoopback } from '../../io/net/host-address.ts';
import { now } from '../../io/os/clock.ts';
import { hexBytes } from '../../protocol/base/text-codec.ts';
import { type Instant, type Microseconds, milliseconds } from '../../protocol/base/units.ts';
import { AddressProver, type AddressProverEvent } from '../../protocol/control/address-prover.ts';
import { answerToProbe } from '../../protocol/control/path-probe.ts';
import type { Ecn } from '../../protocol/ecn.ts';
import { parseRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { PROTECTION_BYTES_MAX } from '../../protocol/srtp/srtp-packet.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { mac } from './identifiers.ts';
import { type ImpairedDirection, impairedPath } from './media-path.ts';
import { MediaProtection, refusedBy } from './media-protection.ts';
import type { MediaTransport, MediaTransportOptions } from './media-transport.ts';
import { isChallenge } from './proof-datagram.ts';

export interface DatagramTransportOptions extends MediaTransportOptions {
  readonly link: LinkSpecification | undefined;
  /** Number of the path, where there are two; 0 by default. */
  readonly path?: number;
  /** Address of this machine from which it sends; any when absent. */
  readonly from?: string;
  /** Protection of this path, where there are two. */
  readonly protection?: MediaProtection | undefined;
}

/** Longer than it takes to lose two reports of the sender, which come every second while the stream is paused as well. */
const SILENCE: Microseconds = milliseconds(2_500);
const CHECK_MS = 500;

/** Transport over UDP: one packet per datagram, after the address proof. */
export class DatagramTransport implements MediaTransport {
  readonly segments = undefined;
  readonly modeledTcp = undefined;
  readonly #options: DatagramTransportOptions;
  readonly #readHostDrops = () => this.hostDrops;
  readonly #protection: MediaProtection | undefined;
  readonly #forward: ImpairedDirection | undefined;
  readonly #back: ImpairedDirection | undefined;
  #prover: EndpointDriver<AddressProverEvent> | undefined;
  #socket: DatagramSocket | undefined;
  #watch: NodeJS.Timeout | undefined;
  #heardAt: Instant = now();
  #isProved = false;
  #closed = false;

  constructor(options: DatagramTransportOptions) {
    this.#options = options;
    const { channel, welcome, protection } = options;
    if (channel) this.#protection = protection ?? new MediaProtection(channel, welcome.session, 'receiver');
    if (!options.link) return;
    const { forward, back } = impairedPath(options.link, {
      toReceiver: (datagram, ecn) => this.#handIn(datagram, ecn),
      toSender: (datagram) => this.#toWire([datagram]),
    });
    this.#forward = forward;
    this.#back = back;
  }

  get hostDrops(): number | undefined {
    return this.#socket?.receiveDrops;
  }

  get sendsRefused(): number {
    return this.#socket?.sendErrors ?? 0;
  }

  get datagramsRefused(): number | undefined {
    return this.#protection && refusedBy(this.#protection);
  }

  /** True from the first proof of its address on. */
  get isProved(): boolean {
    return this.#isProved;
  }

  async open(): Promise<void> {
    const { host, port, from, welcome, onCrossing } = this.#options;
    const fullBytes = welcome.fullDatagramBytes;
    const bytesMax = welcome.datagramBytesMax + (this.#protection ? PROTECTION_BYTES_MAX : 0);
    this.#socket = await DatagramSocket.open({
      host: from ?? anyAddressLike(host),
      port: 0,
      peer: { host, port },
      ...(fullBytes !== undefined && { lengths: { fullBytes, bytesMax } }),
      // No queue marks on loopback, but one of `--link` may.
      readsEcn: this.#forward !== undefined || !isLoopback(host),
      onDatagram: (datagram, _from, ecn) => {
        onCrossing?.('in', datagram);
        if (this.#forward) this.#forward.send(datagram, ecn);
        else this.#handIn(datagram, ecn);
      },
    });
    if (this.#closed) return this.#socket.close();
    this.proveAddress();
    this.#watch = setInterval(() => this.#checkSilence(), CHECK_MS);
  }

  send(packets: readonly Uint8Array[]): void {
    this.#sendAsIs(this.#protection?.protect(packets) ?? packets);
  }

  #sendAsIs(packets: readonly Uint8Array[]): void {
    if (this.#back) for (const packet of packets) this.#back.send(packet);
    else this.#toWire(packets);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#watch);
    this.#prover?.close();
    this.#forward?.close();
    this.#back?.close();
    this.#socket?.close();
  }

  #handIn(received: Uint8Array, ecn: Ecn | undefined): void {
    if (this.#closed) return;
    // Of the address proof, only the challenge is in the clear.
    if (this.#protection && isChallenge(received)) return this.#prover?.receive(received);
    const datagram = this.#protection ? this.#protection.unprotect(received) : received;
    if (!datagram) return;
    this.#heardAt = now();
    const answer = answerToProbe(datagram, this.#readHostDrops);
    if (answer) return this.send([answer]);
    this.#prover?.receive(datagram);
    // Media proves that the sender holds the address proof, even if its confirmation was lost.
    if (this.#prover && this.#isMedia(datagram)) this.#stopProving();
    this.#options.onPacket(datagram, ecn);
  }

  #isMedia(datagram: Uint8Array): boolean {
    const packet = parseRtpPacket(datagram);
    return packet.ok && packet.value.ssrc === this.#options.welcome.ssrc;
  }

  proveAddress(): void {
    if (this.#prover || this.#closed || !this.#socket) return;
    const { welcome, path = 0 } = this.#options;
    const nonce = randomBytes(8);
    if (welcome.paths !== undefined) nonce[0] = path;
    const prover = new AddressProver({
      session: welcome.session,
      key: hexBytes(welcome.key) ?? new Uint8Array(),
      nonce,
      mac,
    });
    this.#prover = new EndpointDriver({
      endpoint: prover,
      transmit: (datagrams) => this.#sendAsIs(datagrams),
      onEvent: () => this.#stopProving(),
    });
    this.#prover.drain();
  }

  /**
   * A sender that has not heard from us, or has heard from another address, sends nothing until that address is proved;
   * otherwise it reports every second.
   */
  #checkSilence(): void {
    if (now() - this.#heardAt > SILENCE) this.proveAddress();
  }

  #stopProving(): void {
    this.#isProved = true;
    this.#prover?.close();
    this.#prover = undefined;
  }

  #toWire(datagrams: readonly Uint8Array[]): void {
    for (const datagram of datagrams) this.#options.onCrossing?.('out', datagram);
    this.#socket?.send(datagrams);
  }
}
