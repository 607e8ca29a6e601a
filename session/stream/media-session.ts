import { EndpointDriver } from '../../io/net/endpoint-driver.ts';
import type { SecureChannel } from '../../io/net/secure-channel.ts';
import { now } from '../../io/os/clock.ts';
import { reportFault } from '../../io/os/fault-report.ts';
import { assert } from '../../protocol/base/assert.ts';
import type { Instant, Microseconds } from '../../protocol/base/units.ts';
import type { EndOfStreamMessage, SentMessage } from '../../protocol/control/control-message.ts';
import { SOUND_STREAM_ID } from '../../protocol/control/media-stream.ts';
import { type StreamWishes, welcomedParameters, welcomedSound } from '../../protocol/control/stream-agreement.ts';
import { type AcceptedWelcome, soundReportSsrc } from '../../protocol/control/stream-choice.ts';
import type { Endpoint } from '../../protocol/endpoint.ts';
import { wireSequence } from '../../protocol/rtp/sequence.ts';
import { BundledReceiver, type BundledReceiverEvent, type BundledStreams } from '../../receiver/bundled-receiver.ts';
import { MultipathReceiver } from '../../receiver/paths/multipath-receiver.ts';
import { mendOf, type ReceiverOptions, type Recovery, receiverOptions } from '../../receiver/receiver-options.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';
import type { ByteTunnelCounters } from '../../sim/tcp/byte-tunnel.ts';
import type { HostFaults } from './client.ts';
import { createMediaTransport, type MediaTransportChoice } from './create-media-transport.ts';
import type { EarlyConnection } from './early-connection.ts';
import { randomCname } from './identifiers.ts';
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
  /** Connection that was opened for media before the session was agreed on. */
  readonly early?: EarlyConnection | undefined;
  readonly onEvent: (event: BundledReceiverEvent) => void;
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

/** Options of the receiver of the sound; `undefined` without sound. */
function soundOptions(
  welcome: AcceptedWelcome,
  options: StreamWishes & Pick<MediaSessionOptions, 'reportSsrc' | 'release'>,
  cname: string,
): BundledStreams['sound'] {
  const parameters = welcomedSound(welcome, options);
  if (!parameters) return undefined;
  const { reportSsrc, release } = options;
  const { ssrc } = parameters;
  return { ...receiverOptions(parameters, { reportSsrc: soundReportSsrc(reportSsrc), release, cname }), ssrc };
}

/** A stream's final totals, as its receiver takes them. */
const totalOf = ({ frames, lastSequence }: { readonly frames: number; readonly lastSequence: number | null }) => ({
  frames,
  lastSequence: lastSequence === null ? undefined : wireSequence(lastSequence),
});

/** Media side of a session: its transport and its receiver. */
export class MediaSession {
  /** True when the recording is another stream than the viewer's. */
  readonly recordsApart: boolean;
  readonly #receiver: BundledReceiver;
  readonly #driver: EndpointDriver<BundledReceiverEvent>;
  readonly #transport: MediaTransport;
  #refusedBySender = 0;

  constructor(options: MediaSessionOptions) {
    const { host, port, welcome, reportSsrc, release, onLoss, records = false } = options;
    const cname = randomCname();
    const settings = { reportSsrc, release, onLoss, records, cname };
    const { second } = options;
    const parameters = receiverOptions(welcomedParameters(welcome, options), settings);
    const video = { ...parameters, ...(second && { multipath: true }) };
    this.recordsApart = mendsRecording(video);
    const sound = soundOptions(welcome, options, cname);
    const receiving = { video, sound, recordsApart: this.recordsApart };
    this.#receiver = new BundledReceiver(receiving);
    this.#driver = new EndpointDriver<BundledReceiverEvent>({
      endpoint: second ? this.#overTwoPaths(welcome, reportSsrc) : this.#receiver,
      transmit: (datagrams, _, path) => this.#transport.send(datagrams, path),
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
      early: options.early,
      onPacket: (packet, ecn, path) => {
        options.onPacket();
        this.#driver.receive(packet, ecn, path);
      },
      onCrossing: options.onDatagram,
      onLost: options.onPathLost,
    });
  }

  #overTwoPaths({ ssrc, initialSequence }: AcceptedWelcome, reportSsrc: number): Endpoint<BundledReceiverEvent> {
    assert(initialSequence !== undefined, 'two paths are agreed on with the first sequence number only');
    return new MultipathReceiver(this.#receiver, { ssrc, initialSequence, reportSsrc });
  }

  /** Statistics of the pictures, and of the sound where there is any. */
  get statistics(): { readonly video: ReceiverStatistics; readonly sound: ReceiverStatistics | undefined } {
    return { video: this.#receiver.video.statistics, sound: this.#receiver.sound?.statistics };
  }

  stalledFor(at: Instant): Microseconds {
    return this.#receiver.video.stalledFor(at);
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
    this.#receiver.video.handleSent(now(), total);
    const sound = total.streams?.find(({ id }) => id === SOUND_STREAM_ID);
    if (sound) this.#receiver.sound?.handleSent(now(), sound);
    this.#driver.drain();
  }

  /** Passes the sender's final totals to the receiver. */
  endOfStream(total: EndOfStreamMessage): void {
    // Read now: the connection may be closed before the next reading.
    void this.segments;
    const { video, sound } = this.#receiver;
    const soundTotal = total.streams?.find(({ id }) => id === SOUND_STREAM_ID);
    this.#driver.attempt(() => video.endOfStream(now(), totalOf(total)));
    // Sound that the sender does not count was never sent.
    this.#driver.attempt(() => sound?.endOfStream(now(), totalOf(soundTotal ?? { frames: 0, lastSequence: null })));
    this.#driver.drain();
  }

  /** Decides all outstanding frames, since nothing more will arrive. Events are still emitted. */
  finish(): void {
    if (this.#receiver.ended) return;
    this.#driver.attempt(() => this.#receiver.finish(now()));
    this.#driver.drain();
  }

  /** Ends the session if a packet or a frame is not in exactly one class. */
  checkBalance(): void {
    this.#driver.attempt(() => this.#receiver.assertBalanced());
  }

  close(): void {
    this.#driver.close();
    this.#transport.close();
  }
}
