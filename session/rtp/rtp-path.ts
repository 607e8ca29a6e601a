import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { type ImpairedDirection, impairedPath } from '../stream/media-path.ts';
import { RtpPorts, type RtpPortsOptions } from './rtp-ports.ts';

export interface RtpPathOptions {
  /** Impairment of the path, in both directions. */
  readonly link: LinkSpecification | undefined;
  /** A datagram before the link: one that the ports received, or one on its way back. */
  readonly onDatagram: (direction: 'in' | 'out', datagram: Uint8Array) => void;
  /** A datagram that has come through the link. */
  readonly onArrival: (datagram: Uint8Array) => void;
}

/** Ports of a receiver of plain RTP, behind a link when the path is impaired. */
export class RtpPath {
  readonly #options: RtpPathOptions;
  readonly #link: { readonly forward: ImpairedDirection; readonly back: ImpairedDirection } | undefined;
  #ports: RtpPorts | undefined;

  constructor(options: RtpPathOptions) {
    this.#options = options;
    if (options.link) {
      this.#link = impairedPath(options.link, {
        toReceiver: options.onArrival,
        toSender: (datagram) => this.#ports?.send(datagram),
      });
    }
  }

  /** SSRC of the stream, whose sender the reports are for. */
  set source(ssrc: number) {
    if (this.#ports) this.#ports.source = ssrc;
  }

  /** Numbers of datagrams that were dropped because a receive buffer was full. */
  get receiveDrops(): readonly (number | undefined)[] {
    return this.#ports?.receiveDrops ?? [];
  }

  /** Opens the ports. @throws {Failure} when that of RTP cannot be opened. */
  async open(ports: Omit<RtpPortsOptions, 'onDatagram'>): Promise<void> {
    this.#ports = new RtpPorts({
      ...ports,
      onDatagram: (datagram) => {
        this.#options.onDatagram('in', datagram);
        if (this.#link) this.#link.forward.send(datagram);
        else this.#options.onArrival(datagram);
      },
    });
    await this.#ports.open();
  }

  /** Sends datagrams back to the sender of the stream. */
  send(datagrams: readonly Uint8Array[]): void {
    for (const datagram of datagrams) {
      this.#options.onDatagram('out', datagram);
      if (this.#link) this.#link.back.send(datagram);
      else this.#ports?.send(datagram);
    }
  }

  close(): void {
    this.#link?.forward.close();
    this.#link?.back.close();
    this.#ports?.close();
  }
}
