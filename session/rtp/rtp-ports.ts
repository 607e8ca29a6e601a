import { DatagramSocket } from '../../io/net/datagram-socket.ts';
import type { Destination } from '../../io/net/socket-address.ts';
import { now } from '../../io/os/clock.ts';
import { readUint32 } from '../../protocol/base/big-endian.ts';
import { RateBudget } from '../../protocol/base/rate-budget.ts';
import { UDP_IP_HEADER_BYTES } from '../../protocol/ip-packet.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';

export interface RtpPortsOptions {
  /** Address of this machine to which the stream is sent. */
  readonly host: string;
  readonly port: number;
  /** Port of RTCP; the same when both share one (RFC 5761). */
  readonly rtcpPort: number;
  /** Address for reports and requests; by default the one from which the sender's come. */
  readonly reportTo?: Destination | undefined;
  readonly onDatagram: (datagram: Uint8Array) => void;
}

/**
 * Bytes of RTCP that go back per byte that arrives. RFC 3550 §6.2 allows all members of a session 5 %; requests at high
 * loss need more. A forged stream makes us send less than it costs its forger.
 */
const SHARE = 0.1;
const BYTES_PER_SECOND = 1_000;
const BURST_BYTES = 16_000;

/** Place in a datagram of its sender's SSRC: RTP (RFC 3550 §5.1), RTCP (§6.4.1). */
const SSRC_AT = { rtp: 8, rtcp: 4 } as const;

/** The ports of a receiver of plain RTP, and the way back to the sender. */
export class RtpPorts {
  readonly #options: RtpPortsOptions;
  readonly #budget = new RateBudget({ perSecond: BYTES_PER_SECOND, burst: BURST_BYTES });
  #media: DatagramSocket | undefined;
  /** `undefined` when RTP and RTCP share a port, or when it is in use. */
  #control: DatagramSocket | undefined;
  #source: number | undefined;
  /** Where the stream comes from, and where the sender's reports do. */
  #mediaFrom: Destination | undefined;
  #reportsFrom: { readonly to: Destination; readonly shared: boolean } | undefined;
  #refused = 0;

  constructor(options: RtpPortsOptions) {
    this.#options = options;
  }

  /** SSRC of the stream, whose sender the reports are for; `undefined` while there is none. */
  set source(ssrc: number | undefined) {
    if (ssrc === this.#source) return;
    this.#source = ssrc;
    this.#mediaFrom = undefined;
    this.#reportsFrom = undefined;
  }

  /** Numbers of datagrams that were dropped because a receive buffer was full. */
  get receiveDrops(): readonly (number | undefined)[] {
    return [this.#media, this.#control].flatMap((socket) => (socket ? [socket.receiveDrops] : []));
  }

  /** Datagrams not sent back because they would exceed their share of those received. */
  get refused(): number {
    return this.#refused;
  }

  /** Opens the ports. That of RTCP is optional: without it, reports leave from the other. @throws {Failure} */
  async open(): Promise<void> {
    const { host, port, rtcpPort } = this.#options;
    this.#media = await this.#open(host, port, false);
    if (rtcpPort === port || rtcpPort > 0xffff) return;
    this.#control = await this.#open(host, rtcpPort, true).catch(() => undefined);
  }

  /** Sends reports and requests to the sender, once its address is known, within their share of the received bytes. */
  send(datagram: Uint8Array): void {
    const found = this.#destination();
    if (found === undefined) return;
    if (!this.#budget.spend(now(), datagram.length + UDP_IP_HEADER_BYTES)) {
      this.#refused++;
      return;
    }
    const socket = found.shared ? this.#media : (this.#control ?? this.#media);
    socket?.send([datagram], found.to);
  }

  close(): void {
    this.#media?.close();
    this.#control?.close();
  }

  async #open(host: string, port: number, isControl: boolean): Promise<DatagramSocket> {
    return await DatagramSocket.open({
      host,
      port,
      onDatagram: (datagram, from) => {
        this.#note(datagram, { host: from.address, port: from.port }, isControl);
        this.#options.onDatagram(datagram);
      },
    });
  }

  #note(datagram: Uint8Array, from: Destination, isControl: boolean): void {
    const kind = classifyDatagram(datagram);
    if (kind === 'foreign' || readUint32(datagram, SSRC_AT[kind]) !== this.#source) return;
    this.#budget.earn(datagram.length * SHARE);
    if (kind === 'rtp') this.#mediaFrom = from;
    // Reports come from the machine of the stream: another one has only seen its SSRC.
    else if (this.#mediaFrom?.host === from.host) this.#reportsFrom = { to: from, shared: !isControl };
  }

  /** The given address, that of the sender's reports, or by convention (RFC 3550 §11) the one beside its RTP. */
  #destination(): { readonly to: Destination; readonly shared: boolean } | undefined {
    const { reportTo, port, rtcpPort } = this.#options;
    const shared = port === rtcpPort;
    if (reportTo !== undefined) return { to: reportTo, shared };
    if (this.#reportsFrom !== undefined || this.#mediaFrom === undefined) return this.#reportsFrom;
    const to = shared ? this.#mediaFrom : { ...this.#mediaFrom, port: this.#mediaFrom.port + 1 };
    return to.port > 0xffff ? undefined : { to, shared };
  }
}
