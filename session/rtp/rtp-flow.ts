import { DatagramSocket } from '../../io/net/datagram-socket.ts';
import { EndpointDriver } from '../../io/net/endpoint-driver.ts';
import { anyAddressLike, isLoopback } from '../../io/net/host-address.ts';
import { now } from '../../io/os/clock.ts';
import { Failure } from '../../io/os/failure.ts';
import { reportFault } from '../../io/os/fault-report.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';
import type { SentStreamParameters } from '../../protocol/stream-parameters.ts';
import { UnlimitedRate } from '../../sender/rate/unlimited-rate.ts';
import { Sender, type SenderEvent } from '../../sender/sender.ts';
import { senderOptions } from '../../sender/sender-options.ts';
import type { SenderStatistics } from '../../sender/sender-statistics.ts';
import type { RtpAddress } from './rtp-address.ts';

export interface RtpFlowOptions {
  readonly parameters: SentStreamParameters;
  /** Canonical name in RTCP, common to all flows of a sender. */
  readonly cname: string;
  /** RTP port of the destination; RTCP uses the next one (RFC 3550 §11). */
  readonly port: number;
  /** Local RTP port, and the next one for RTCP; 0: any such pair. */
  readonly localPort: number;
  /** True to send and receive RTCP on the ports of RTP (RFC 5761). */
  readonly multiplexed: boolean;
  /** The receiver needs a key frame. */
  readonly onKeyFrameRequest: () => void;
  /** An internal error ended the sender. */
  readonly onFault: (failure: Failure) => void;
}

/** Attempts to find two free local ports in a row. */
const PAIR_ATTEMPTS = 8;

/** One plain RTP stream to one destination: its sender, and the sockets for RTP and RTCP. */
export class RtpFlow {
  readonly #options: RtpFlowOptions;
  readonly #sender: Sender;
  readonly #driver: EndpointDriver<SenderEvent>;
  #destination: RtpAddress | undefined;
  #media: DatagramSocket | undefined;
  #control: DatagramSocket | undefined;
  #onFinished: () => void = () => {};
  /** Resolves when BYE has been sent, or the sender has failed. */
  readonly finished: Promise<void>;

  constructor(options: RtpFlowOptions) {
    this.#options = options;
    const { parameters, cname } = options;
    // The capacity of a path is measured with the pictures, which are most of the bytes.
    const isSound = parameters.codec.mediaType === 'audio';
    const sending = senderOptions(parameters, { cname, ...(isSound && { rate: () => new UnlimitedRate() }) });
    this.#sender = new Sender(sending);
    this.finished = new Promise((resolve) => {
      this.#onFinished = resolve;
    });
    this.#driver = new EndpointDriver({
      endpoint: this.#sender,
      transmit: (datagrams) => this.#transmit(datagrams),
      onEvent: ({ kind }) => {
        if (kind === 'keyframe-requested') options.onKeyFrameRequest();
      },
      onFault: ({ error, datagrams }) => {
        options.onFault(new Failure(reportFault({ where: 'sender', error, details: { options: sending, datagrams } })));
        this.#onFinished();
      },
    });
  }

  get parameters(): SentStreamParameters {
    return this.#options.parameters;
  }

  get statistics(): Readonly<SenderStatistics> {
    return this.#sender.statistics;
  }

  /** Datagrams that the operating system refused to send; on the same machine: no program listens on the port. */
  get refused(): number {
    return this.#media?.sendErrors ?? 0;
  }

  /** Local RTP port, once it is open. */
  get localPort(): number | undefined {
    return this.#media?.port;
  }

  /** Opens the sockets. @throws {Failure} when the destination or a local port cannot be used. */
  async open(destination: RtpAddress): Promise<void> {
    const { port, localPort, multiplexed } = this.#options;
    const { address } = destination;
    this.#destination = destination;
    const { datagramBytesMax } = this.parameters;
    const local = {
      host: isLoopback(address) ? address : anyAddressLike(address),
      lengths: { fullBytes: datagramBytesMax, bytesMax: datagramBytesMax },
      // Reports may come from another port than they go to (RFC 3550 §11), but not from another machine.
      onDatagram: (datagram: Uint8Array, from: { readonly address: string }) => {
        if (from.address === address) this.#driver.receive(datagram);
      },
    };
    // Without a shared port, the socket of the media is connected, which shows that no program listens.
    const peer = multiplexed ? {} : { peer: { host: address, port } };
    const openMedia = () => DatagramSocket.open({ ...local, port: localPort, ...peer });
    this.#media = await openMedia();
    if (multiplexed) return;
    const openControl = (at: number) => DatagramSocket.open({ ...local, port: at });
    if (localPort > 0) {
      this.#control = await openControl(localPort + 1);
      return;
    }
    // Receivers report to the port after that of RTP until they know better (RFC 3550 §11).
    for (let attempt = 0; attempt < PAIR_ATTEMPTS && this.#control === undefined; attempt++) {
      this.#control = await openControl(this.#media.port + 1).catch(() => undefined);
      if (this.#control) return;
      this.#media.close();
      this.#media = await openMedia();
    }
    this.#control = await openControl(0);
  }

  /** Sends a frame. */
  send(unit: AccessUnit): void {
    this.#driver.attempt(() => this.#sender.send(now(), unit));
    this.#driver.drain();
  }

  /** Ends the stream after its queue, with BYE. */
  finish(): void {
    this.#sender.finish();
    this.#driver.drain();
  }

  close(): void {
    this.#onFinished();
    this.#driver.close();
    this.#media?.close();
    this.#control?.close();
  }

  #transmit(datagrams: readonly Uint8Array[]): void {
    const { port, multiplexed } = this.#options;
    const host = this.#destination?.address;
    if (host !== undefined && multiplexed) this.#media?.send(datagrams, { host, port });
    else if (host !== undefined) {
      const media = datagrams.filter((datagram) => classifyDatagram(datagram) === 'rtp');
      this.#media?.send(media);
      if (media.length < datagrams.length) {
        const control = datagrams.filter((datagram) => classifyDatagram(datagram) === 'rtcp');
        this.#control?.send(control, { host, port: port + 1 });
      }
    }
    if (this.#sender.finished) this.#onFinished();
  }
}
