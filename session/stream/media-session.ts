import { EndpointDriver } from '../../io/net/endpoint-driver.ts';
import type { SecureChannel } from '../../io/net/secure-channel.ts';
import { now } from '../../io/os/clock.ts';
import { reportFault } from '../../io/os/fault-report.ts';
import type { SentMessage } from '../../protocol/control/control-message.ts';
import { welcomedParameters } from '../../protocol/control/stream-agreement.ts';
import type { AcceptedWelcome } from '../../protocol/control/stream-choice.ts';
import { wireSequence } from '../../protocol/rtp/sequence.ts';
import { Receiver } from '../../receiver/receiver.ts';
import { mendOf, type ReceiverOptions, type Recovery, receiverOptions } from '../../receiver/receiver-options.ts';
import { RecordedReceiver, type RecordedReceiverEvent } from '../../receiver/recorded-receiver.ts';
import type { ByteTunnelCounters } from '../../sim/tcp/byte-tunnel.ts';
import type { HostFaults } from './client.ts';
import { createMediaTransport, type MediaTransportChoice } from './create-media-transport.ts';
import type { MediaTransport } from './media-transport.ts';

export interface MediaSessionOptions extends MediaTransportChoice {
  readonly host: string;
  readonly port: number;
  readonly recovery: Recovery;
  /** SSRC of our reports and requests, as announced to the sender. */
  readonly reportSsrc: number;
  /** Limit of retransmission and repair bytes per byte of media, 0 to 1; `undefined`: the sender's default. */
  readonly redundancy?: number | undefined;
  /** When a complete frame is released: at its deadline, or as soon as it can be decoded. */
  readonly release: 'deadline' | 'asap';
  readonly onLoss: 'freeze' | 'smear';
  /** How long after its deadline a frame that others refer to is mended, milliseconds; `undefined` for the default. */
  readonly mendMs?: number | undefined;
  /** True when every frame is recorded, shown or not. */
  readonly records?: boolean | undefined;
  readonly welcome: AcceptedWelcome;
  /** The control connection's TLS; `undefined` when the stream is not encrypted. */
  readonly channel: SecureChannel | undefined;
  readonly onEvent: (event: RecordedReceiverEvent) => void;
  /** Called for each datagram at this end of the path, for a capture. */
  readonly onDatagram?: ((direction: 'in' | 'out', datagram: Uint8Array) => void) | undefined;
  /** Called for each packet from the sender that this end receives. */
  readonly onPacket: () => void;
  /** Called when the media connection (transport tcp) is lost, or the receiver has broken an invariant. */
  readonly onPathLost: (cause: string) => void;
}

/** True when the recording is another stream than the viewer's: mended, while the viewer is shown damage. */
const mendsRecording = (options: ReceiverOptions): boolean =>
  options.records && options.onLoss === 'smear' && mendOf({ ...options, onLoss: 'freeze' }) > 0;

/** Media side of a session: its transport and its receiver. */
export class MediaSession {
  readonly receiver: Receiver | RecordedReceiver;
  readonly #driver: EndpointDriver<RecordedReceiverEvent>;
  readonly #transport: MediaTransport;
  #refusedBySender = 0;

  constructor(options: MediaSessionOptions) {
    const { host, port, welcome, reportSsrc, release, onLoss, records = false } = options;
    const settings = { reportSsrc, release, onLoss, records };
    const receiving = receiverOptions(welcomedParameters(welcome, options), settings);
    this.receiver = mendsRecording(receiving) ? new RecordedReceiver(receiving) : new Receiver(receiving);
    this.#driver = new EndpointDriver<RecordedReceiverEvent>({
      endpoint: this.receiver,
      transmit: (datagrams) => this.#transport.send(datagrams),
      onEvent: options.onEvent,
      onFault: ({ error, datagrams }) => {
        options.onPathLost(reportFault({ where: 'receiver', error, details: { options: receiving, datagrams } }));
      },
    });
    this.#transport = createMediaTransport(options, {
      host,
      port,
      welcome,
      channel: options.channel,
      onPacket: (packet) => {
        options.onPacket();
        this.#driver.receive(packet);
      },
      onCrossing: options.onDatagram,
      onLost: options.onPathLost,
    });
  }

  /** True when the recording is another stream than the viewer's. */
  get recordsApart(): boolean {
    return this.receiver instanceof RecordedReceiver;
  }

  /** TCP segments received so far; `undefined` over UDP or when unknown. */
  get segments(): number | undefined {
    return this.#transport.segments;
  }

  /** Counters of the modelled TCP; `undefined` without one, or before it is open. */
  get modeledTcp(): ByteTunnelCounters | undefined {
    return this.#transport.modeledTcp;
  }

  /** Faults of the two machines themselves, as opposed to those of the path. */
  get hostFaults(): HostFaults {
    return {
      drops: this.#transport.hostDrops,
      refusedHere: this.#transport.sendsRefused ?? 0,
      refusedBySender: this.#refusedBySender,
      notAuthentic: this.#transport.datagramsRefused,
    };
  }

  async open(): Promise<void> {
    await this.#transport.open();
  }

  /** Proves this end's address again, as it may have changed on the way. */
  proveAddress(): void {
    this.#transport.proveAddress?.();
  }

  /** Passes the sender's running totals to the receiver. */
  handleSent(total: SentMessage): void {
    this.#refusedBySender = total.refused;
    this.receiver.handleSent(now(), total);
    this.#driver.drain();
  }

  /** Passes the sender's final totals to the receiver. */
  endOfStream(total: { readonly frames: number; readonly lastSequence: number | null }): void {
    // Read now: the connection may be closed before the next reading.
    void this.segments;
    const { frames } = total;
    const lastSequence = total.lastSequence === null ? undefined : wireSequence(total.lastSequence);
    this.#driver.attempt(() => this.receiver.endOfStream(now(), { frames, lastSequence }));
    this.#driver.drain();
  }

  /** Decides all outstanding frames, since nothing more will arrive. Events are still emitted. */
  finish(): void {
    if (this.receiver.ended) return;
    this.#driver.attempt(() => this.receiver.finish(now()));
    this.#driver.drain();
  }

  /** Ends the session if a packet or a frame is not in exactly one class. */
  checkBalance(): void {
    this.#driver.attempt(() => this.receiver.assertBalanced());
  }

  close(): void {
    this.#driver.close();
    this.#transport.close();
  }
}
