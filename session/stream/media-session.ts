import { EndpointDriver } from '../../io/net/endpoint-driver.ts';
import { now } from '../../io/os/clock.ts';
import { welcomedParameters } from '../../protocol/control/stream-agreement.ts';
import type { AcceptedWelcome } from '../../protocol/control/stream-choice.ts';
import { Receiver, type ReceiverEvent } from '../../receiver/receiver.ts';
import { type Recovery, receiverOptions } from '../../receiver/receiver-options.ts';
import type { ByteTunnelCounters } from '../../sim/tcp/byte-tunnel.ts';
import { createMediaTransport, type MediaTransportChoice } from './create-media-transport.ts';
import { randomSsrc } from './identifiers.ts';
import type { MediaTransport } from './media-transport.ts';

export interface MediaSessionOptions extends MediaTransportChoice {
  readonly host: string;
  readonly port: number;
  readonly recovery: Recovery;
  /** Most bytes of retransmission and repair for each byte of media, 0 … 1; `undefined` for the sender's default. */
  readonly redundancy?: number | undefined;
  /** When a whole frame is handed on: when it is due, or as soon as it can be decoded. */
  readonly release: 'deadline' | 'asap';
  readonly onLoss: 'freeze' | 'smear';
  readonly welcome: AcceptedWelcome;
  readonly onEvent: (event: ReceiverEvent) => void;
  /** Each datagram as it crosses our end of the path, for a capture. */
  readonly onDatagram?: ((direction: 'in' | 'out', datagram: Uint8Array) => void) | undefined;
  /** The media connection (transport tcp) is gone. */
  readonly onPathLost: (cause: string) => void;
}

/** The longest latency that can be agreed on (a minute), at 240 frames a second. */
const FRAMES_MAX = 14_400;

/** The media side of one session: its transport, and the receiver that it feeds. */
export class MediaSession {
  readonly receiver: Receiver;
  readonly #driver: EndpointDriver<ReceiverEvent>;
  readonly #transport: MediaTransport;

  constructor(options: MediaSessionOptions) {
    const { host, port, welcome, release, onLoss } = options;
    const settings = { reportSsrc: randomSsrc(), release, onLoss, framesMax: FRAMES_MAX };
    this.receiver = new Receiver(receiverOptions(welcomedParameters(welcome, options), settings));
    this.#driver = new EndpointDriver({
      endpoint: this.receiver,
      transmit: (datagrams) => this.#transport.send(datagrams),
      onEvent: options.onEvent,
    });
    this.#transport = createMediaTransport(options, {
      host,
      port,
      welcome,
      onPacket: (packet) => this.#driver.receive(packet),
      onCrossing: options.onDatagram,
      onLost: options.onPathLost,
    });
  }

  /** TCP segments that brought the media so far; `undefined` over UDP, or where the kernel does not tell. */
  get segments(): number | undefined {
    return this.#transport.segments;
  }

  /** Counters of the modelled TCP; `undefined` without one, or before it is open. */
  get modelledTcp(): ByteTunnelCounters | undefined {
    return this.#transport.modelledTcp;
  }

  async open(): Promise<void> {
    await this.#transport.open();
  }

  /** The sender has said how much there was. */
  endOfStream(total: { readonly frames: number; readonly lastSequence: number | null }): void {
    // The connection may be closed by the time at which they are asked for next.
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
    this.#driver.close();
    this.#transport.close();
  }
}
