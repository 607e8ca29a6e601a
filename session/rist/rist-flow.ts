import { DatagramSocket } from '../../io/net/datagram-socket.ts';
import { EndpointDriver } from '../../io/net/endpoint-driver.ts';
import { anyAddressLike, isLoopback } from '../../io/net/host-address.ts';
import { now } from '../../io/os/clock.ts';
import { Failure } from '../../io/os/failure.ts';
import { reportFault } from '../../io/os/fault-report.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';
import { wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { RistSender, type RistSenderOptions } from '../../sender/rist-sender.ts';
import type { SenderStatistics } from '../../sender/sender-statistics.ts';
import { randomCname, randomSequence, randomSsrc, randomTimestamp } from '../stream/identifiers.ts';

export interface RistFlowOptions {
  /** Address of the receiver. */
  readonly address: string;
  /** Port of RTP, an even number; RTCP uses the next one. */
  readonly port: number;
  readonly payloadType: number;
  /** An internal error ended the sender. */
  readonly onFault: (failure: Failure) => void;
}

const ANSWER_POLL_MS = 10;

/** One stream to one receiver by RIST Simple Profile: its sender, and the sockets for RTP and RTCP. */
export class RistFlow {
  readonly #options: RistFlowOptions;
  readonly #sender: RistSender;
  readonly #driver: EndpointDriver<undefined>;
  #media: DatagramSocket | undefined;
  #control: DatagramSocket | undefined;

  constructor(options: RistFlowOptions) {
    this.#options = options;
    const sending: RistSenderOptions = {
      ssrc: randomSsrc(),
      initialSequence: randomSequence(),
      // It does not wrap within the first hours.
      timestampBase: wireTimestamp(randomTimestamp() >>> 1),
      cname: randomCname(),
      payloadType: options.payloadType,
    };
    this.#sender = new RistSender(sending);
    this.#driver = new EndpointDriver({
      endpoint: this.#sender,
      transmit: (datagrams) => this.#transmit(datagrams),
      onEvent: () => {},
      onFault: ({ error, datagrams }) =>
        options.onFault(new Failure(reportFault({ where: 'sender', error, details: { options: sending, datagrams } }))),
    });
  }

  get statistics(): Readonly<SenderStatistics> {
    return this.#sender.statistics;
  }

  /** Datagrams that the operating system refused to send; on the same machine: no program listens on the port. */
  get refused(): number {
    return this.#media?.sendErrors ?? 0;
  }

  /** Opens the sockets. @throws {Failure} when the destination cannot be used. */
  async open(): Promise<void> {
    const { address, port } = this.#options;
    const local = { host: isLoopback(address) ? address : anyAddressLike(address), port: 0 };
    const onDatagram = (datagram: Uint8Array): void => this.#driver.receive(datagram);
    this.#media = await DatagramSocket.open({ ...local, peer: { host: address, port }, onDatagram });
    this.#control = await DatagramSocket.open({ ...local, peer: { host: address, port: port + 1 }, onDatagram });
  }

  /**
   * Reports to the receiver, and waits for its first answer: receivers drop what comes before.
   * @returns false when none has come within this time.
   */
  async meet(withinMs: number): Promise<boolean> {
    this.#driver.attempt(() => this.#sender.start(now()));
    this.#driver.drain();
    const until = now() + withinMs * 1_000;
    while (this.#sender.heardAt === undefined && now() < until) {
      await new Promise((resolve) => setTimeout(resolve, ANSWER_POLL_MS));
    }
    return this.#sender.heardAt !== undefined;
  }

  send(payloads: readonly Uint8Array[]): void {
    this.#driver.attempt(() => this.#sender.send(now(), payloads));
    this.#driver.drain();
  }

  /** Ends the stream with BYE. */
  close(): void {
    this.#driver.attempt(() => this.#sender.finish(now()));
    this.#driver.drain();
    this.#driver.close();
    this.#media?.close();
    this.#control?.close();
  }

  #transmit(datagrams: readonly Uint8Array[]): void {
    const isMedia = (datagram: Uint8Array): boolean => classifyDatagram(datagram) === 'rtp';
    this.#media?.send(datagrams.filter(isMedia));
    this.#control?.send(datagrams.filter((datagram) => !isMedia(datagram)));
  }
}
