import { DatagramSocket } from '../../io/net/datagram-socket.ts';
import type { Destination } from '../../io/net/socket-address.ts';
import { now } from '../../io/os/clock.ts';
import { readUint32 } from '../../protocol/base/big-endian.ts';
import { RateBudget } from '../../protocol/base/rate-budget.ts';
import { UDP_IP_HEADER_BYTES } from '../../protocol/ip-packet.ts';
import { originalSsrc } from '../../protocol/rist/rist-ssrc.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';

export interface RistPortsOptions {
  /** Address of this machine. */
  readonly host: string;
  /** Port of RTP; RTCP uses the next one. */
  readonly port: number;
  readonly onDatagram: (datagram: Uint8Array) => void;
}

/** Bytes of RTCP that go back for each byte that arrives, and per second: a forged stream must not pay. */
const SHARE = 0.25;
const BYTES_PER_SECOND = 1_500;
const BURST_BYTES = 32_000;
/** Place of the sender's SSRC in RTP (RFC 3550 §5.1) and RTCP (§6.4.1). */
const SSRC_AT = { rtp: 8, rtcp: 4 } as const;
/** Bytes of an RTCP header with its SSRC. */
const CONTROL_BYTES_MIN = 8;

/** The ports of a receiver by RIST Simple Profile: reports go to where those of the sender come from. */
export class RistPorts {
  readonly #options: RistPortsOptions;
  readonly #budget = new RateBudget({ perSecond: BYTES_PER_SECOND, burst: BURST_BYTES });
  #media: DatagramSocket | undefined;
  #control: DatagramSocket | undefined;
  /** SSRC of the stream that is received. */
  #source: number | undefined;
  #reportTo: Destination | undefined;

  constructor(options: RistPortsOptions) {
    this.#options = options;
  }

  /** The stream that is received; `undefined`: whichever reports. */
  set source(ssrc: number | undefined) {
    if (ssrc !== this.#source && this.#source !== undefined) this.#reportTo = undefined;
    this.#source = ssrc;
  }

  /** Numbers of datagrams that were dropped because a receive buffer was full. */
  get receiveDrops(): readonly (number | undefined)[] {
    return [this.#media, this.#control].map((socket) => socket?.receiveDrops);
  }

  /** Opens both ports. @throws {Failure} when one is in use. */
  async open(): Promise<void> {
    const { host, port, onDatagram } = this.#options;
    this.#media = await DatagramSocket.open({
      ...{ host, port },
      onDatagram: (datagram) => {
        this.#budget.earn(datagram.length * SHARE);
        onDatagram(datagram);
      },
    });
    try {
      this.#control = await DatagramSocket.open({
        ...{ host, port: port + 1 },
        onDatagram: (datagram, from) => {
          this.#note(datagram, { host: from.address, port: from.port });
          onDatagram(datagram);
        },
      });
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Sends RTCP to the sender, once it has reported, within its share of what arrives. */
  send(datagram: Uint8Array): void {
    if (!this.#reportTo || !this.#budget.spend(now(), datagram.length + UDP_IP_HEADER_BYTES)) return;
    this.#control?.send([datagram], this.#reportTo);
  }

  close(): void {
    this.#media?.close();
    this.#control?.close();
  }

  #note(datagram: Uint8Array, from: Destination): void {
    if (datagram.length < CONTROL_BYTES_MIN || classifyDatagram(datagram) !== 'rtcp') return;
    const ssrc = originalSsrc(readUint32(datagram, SSRC_AT.rtcp));
    if (this.#source === undefined || ssrc === this.#source) this.#reportTo = from;
  }
}
