import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { ControlConnection } from '../../io/net/control-connection.ts';
import { DatagramSocket } from '../../io/net/datagram-socket.ts';
import { EndpointDriver } from '../../io/net/endpoint-driver.ts';
import { segmentsReceived } from '../../io/net/tcp-segments.ts';
import { now } from '../../io/os/clock.ts';
import { Failure } from '../../io/os/failure.ts';
import { hexBytes } from '../../protocol/base/text-codec.ts';
import { AddressProver, type AddressProverEvent } from '../../protocol/control/address-prover.ts';
import { parseSenderMessage, type SenderMessage, type WelcomeMessage } from '../../protocol/control/control-message.ts';
import { welcomedParameters } from '../../protocol/control/stream-agreement.ts';
import { parseRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { frameForStream, StreamDeframer } from '../../protocol/rtp/stream-framing.ts';
import { Receiver, type ReceiverEvent } from '../../receiver/receiver.ts';
import { type Recovery, receiverOptions } from '../../receiver/receiver-options.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { ByteTunnelCounters } from '../../sim/tcp/byte-tunnel.ts';
import type { CongestionControlName } from '../../sim/tcp/congestion-control.ts';
import { mac, randomSsrc } from './identifiers.ts';
import { type ImpairedDirection, impairedPath } from './media-path.ts';
import { ModelledTcp } from './modelled-tcp.ts';

export interface MediaSessionOptions {
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp';
  readonly recovery: Recovery;
  /** When a whole frame is handed on: when it is due, or as soon as it can be decoded. */
  readonly release: 'deadline' | 'asap';
  readonly onLoss: 'freeze' | 'smear';
  readonly link: LinkSpecification | undefined;
  /** Of the modelled TCP: transport tcp with a link. */
  readonly congestionControl: CongestionControlName;
  readonly welcome: WelcomeMessage;
  readonly onEvent: (event: ReceiverEvent) => void;
  /** Each datagram as it crosses our end of the path, for a capture. */
  readonly onDatagram?: ((direction: 'in' | 'out', datagram: Uint8Array) => void) | undefined;
  /** The media connection (transport tcp) is gone. */
  readonly onPathLost: (cause: string) => void;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** The longest latency that can be agreed on (a minute), at 240 frames a second. */
const FRAMES_MAX = 14_400;
/** RFC 4571's null packet: tells the sender that we read. */
const NULL_PACKET = new Uint8Array(2);

/** The media side of one session: its socket, the link in its path, and the receiver that it feeds. */
export class MediaSession {
  readonly receiver: Receiver;
  readonly #options: MediaSessionOptions;
  readonly #driver: EndpointDriver<ReceiverEvent>;
  readonly #forward: ImpairedDirection | undefined;
  readonly #back: ImpairedDirection | undefined;
  #prover: EndpointDriver<AddressProverEvent> | undefined;
  #socket: DatagramSocket | undefined;
  #stream: Socket | undefined;
  /** Between the kernel's connection and the receiver, where there is a link. */
  #modelled: ModelledTcp | undefined;
  /** Kept, since a closed connection cannot be asked any more. */
  #segments: number | undefined;
  #closed = false;

  constructor(options: MediaSessionOptions) {
    this.#options = options;
    const { welcome, transport } = options;
    const reliable = transport === 'tcp';
    const parameters = welcomedParameters(welcome, options);
    const { release, onLoss } = options;
    const settings = { reportSsrc: randomSsrc(), release, onLoss, framesMax: FRAMES_MAX };
    this.receiver = new Receiver(receiverOptions(parameters, settings));
    this.#driver = new EndpointDriver({
      endpoint: this.receiver,
      transmit: (datagrams) => this.#transmit(datagrams),
      onEvent: options.onEvent,
    });
    if (options.link && !reliable) {
      const { forward, back } = impairedPath(options.link, {
        toReceiver: (datagram) => this.#handIn(datagram),
        toSender: (datagram) => this.#toWire([datagram]),
      });
      this.#forward = forward;
      this.#back = back;
    }
  }

  /**
   * TCP segments that brought the media so far, as the model counted them, or the kernel; `undefined`: UDP, or it cannot
   * be asked.
   */
  get segments(): number | undefined {
    if (this.#modelled) return this.#modelled.counters?.segmentsReceived ?? 0;
    if (this.#stream) this.#segments = segmentsReceived(this.#stream) ?? this.#segments;
    return this.#segments;
  }

  /** What the modelled TCP did; `undefined`: none, or it is not open yet. */
  get modelledTcp(): ByteTunnelCounters | undefined {
    return this.#modelled?.counters;
  }

  async open(): Promise<void> {
    if (this.#options.transport === 'udp') await this.#openDatagrams();
    else await this.#openStream();
  }

  /** The sender has said how much there was. */
  endOfStream(total: { readonly frames: number; readonly lastSequence: number | null }): void {
    void this.segments;
    this.receiver.endOfStream(now(), { frames: total.frames, lastSequence: total.lastSequence ?? undefined });
    this.#driver.drain();
  }

  /** Nothing more will come: decides what is left. Events still go out. */
  finish(): void {
    if (this.receiver.ended) return;
    this.receiver.finish(now());
    this.#driver.drain();
  }

  close(): void {
    this.#closed = true;
    this.#driver.close();
    this.#prover?.close();
    this.#forward?.close();
    this.#back?.close();
    this.#modelled?.close();
    this.#socket?.close();
    this.#stream?.destroy();
  }

  async #openDatagrams(): Promise<void> {
    const { host, port, welcome } = this.#options;
    const v6 = host.includes(':');
    this.#socket = await DatagramSocket.open({
      host: v6 ? '::' : '0.0.0.0',
      port: 0,
      peer: { host, port },
      datagramBytesMax: welcome.datagramBytesMax,
      onDatagram: (datagram) => this.#fromWire(datagram),
    });
    if (this.#closed) return this.#socket.close();
    const prover = new AddressProver({
      session: welcome.session,
      key: hexBytes(welcome.key) ?? new Uint8Array(),
      nonce: randomBytes(8),
      mac,
    });
    const driver = new EndpointDriver({
      endpoint: prover,
      transmit: (datagrams) => this.#transmit(datagrams),
      onEvent: () => this.#stopProving(),
    });
    this.#prover = driver;
    driver.drain();
  }

  #stopProving(): void {
    this.#prover?.close();
    this.#prover = undefined;
  }

  /** A second connection to the control port: `attach`, `attached`, and RFC 4571 from then on. */
  async #openStream(): Promise<void> {
    const { host, port, welcome, onPathLost } = this.#options;
    const socket = await connected(host, port);
    if (this.#closed) return void socket.destroy();
    this.#stream = await new Promise<Socket>((resolve, reject) => {
      const connection = new ControlConnection<SenderMessage>({
        socket,
        parse: parseSenderMessage,
        onMessage: (message) => {
          if (message.kind === 'attached') resolve(connection.detach());
          else connection.cut(`it answered attach with ${message.kind}`);
        },
        onClose: (cause) => reject(new Failure(`the sender refused the media connection: ${cause ?? 'it closed it'}`)),
      });
      connection.send({ kind: 'attach', session: welcome.session, key: welcome.key });
    });
    if (this.#options.link) this.#modelled = this.#model(socket, this.#options.link);
    const deframer = new StreamDeframer();
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      if (!this.#closed) onPathLost('the media connection closed');
    });
    socket.on('data', (bytes: Buffer) => {
      for (const packet of deframer.push(bytes)) this.#fromWire(packet);
      this.#modelled?.writeForward(bytes);
    });
    if (this.#modelled) this.#modelled.writeBack(NULL_PACKET);
    else socket.write(NULL_PACKET);
  }

  /** The modelled connection, on which the bytes of the kernel's go on to the receiver, and the receiver's come to it. */
  #model(socket: Socket, link: LinkSpecification): ModelledTcp {
    const { host, congestionControl, onDatagram, onPathLost } = this.#options;
    const [forward, back] = [new StreamDeframer(), new StreamDeframer()];
    return new ModelledTcp({
      link,
      congestionControl,
      ipv6: host.includes(':'),
      toReceiver: (bytes) => {
        for (const packet of forward.push(bytes)) this.#handIn(packet);
      },
      toSender: (bytes) => {
        for (const packet of back.push(bytes)) onDatagram?.('out', packet);
        socket.write(bytes);
      },
      // What is not read stays with the kernel, and then with the sender, as it would behind a full send buffer.
      onWritable: (writable) => (writable ? socket.resume() : socket.pause()),
      onFailed: onPathLost,
    });
  }

  #fromWire(datagram: Uint8Array): void {
    this.#options.onDatagram?.('in', datagram);
    if (this.#modelled) return; // its bytes are written as they came
    if (this.#forward) this.#forward.send(datagram);
    else this.#handIn(datagram);
  }

  #handIn(datagram: Uint8Array): void {
    if (this.#closed) return;
    this.#prover?.receive(datagram);
    // The sender has begun, so it holds our proof, whatever became of its confirmation.
    if (this.#prover && this.#isMedia(datagram)) this.#stopProving();
    this.#driver.receive(datagram);
  }

  #isMedia(datagram: Uint8Array): boolean {
    const packet = parseRtpPacket(datagram);
    return packet.ok && packet.value.ssrc === this.#options.welcome.ssrc;
  }

  #transmit(datagrams: readonly Uint8Array[]): void {
    if (this.#modelled) for (const datagram of datagrams) this.#modelled.writeBack(frameForStream(datagram));
    else if (this.#back) for (const datagram of datagrams) this.#back.send(datagram);
    else this.#toWire(datagrams);
  }

  #toWire(datagrams: readonly Uint8Array[]): void {
    for (const datagram of datagrams) this.#options.onDatagram?.('out', datagram);
    if (this.#socket) this.#socket.send(datagrams);
    else if (this.#stream) for (const datagram of datagrams) this.#stream.write(frameForStream(datagram));
  }
}

/** A TCP connection, or the operating system's error. */
export function connected(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    const timer = setTimeout(() => socket.destroy(new Error('no answer')), CONNECT_TIMEOUT_MS);
    const fail = (error: Error) => {
      clearTimeout(timer);
      reject(error);
    };
    socket.once('error', fail);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', fail);
      resolve(socket);
    });
  });
}
