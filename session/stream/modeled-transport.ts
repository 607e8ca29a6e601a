import type { Socket } from 'node:net';
import { frameForStream, StreamDeframer } from '../../protocol/rtp/stream-framing.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { ByteTunnelCounters } from '../../sim/tcp/byte-tunnel.ts';
import type { CongestionControlName } from '../../sim/tcp/congestion-control.ts';
import { attachMedia, NULL_PACKET } from './attach-media.ts';
import type { MediaTransport, MediaTransportOptions } from './media-transport.ts';
import { ModeledTcp } from './modeled-tcp.ts';

export interface ModeledTransportOptions extends MediaTransportOptions {
  readonly link: LinkSpecification;
  readonly congestionControl: CongestionControlName;
}

/**
 * Transport over a modelled TCP on an impaired link: it carries the bytes of the kernel's connection to the receiver, and
 * the receiver's bytes back.
 */
export class ModeledTransport implements MediaTransport {
  readonly #options: ModeledTransportOptions;
  #socket: Socket | undefined;
  #tcp: ModeledTcp | undefined;
  readonly #ended = new AbortController();

  constructor(options: ModeledTransportOptions) {
    this.#options = options;
  }

  get #closed(): boolean {
    return this.#ended.signal.aborted;
  }

  get segments(): number | undefined {
    return this.#tcp && (this.#tcp.counters?.segmentsReceived ?? 0);
  }

  get modeledTcp(): ByteTunnelCounters | undefined {
    return this.#tcp?.counters;
  }

  async open(): Promise<void> {
    const { onCrossing, onLost } = this.#options;
    const socket = await attachMedia(this.#options, this.#ended.signal);
    if (!socket || this.#closed) {
      socket?.destroy();
      return;
    }
    this.#socket = socket;
    const tcp = this.#model(socket);
    this.#tcp = tcp;
    const deframer = new StreamDeframer();
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      if (!this.#closed) onLost('the media connection closed');
    });
    socket.on('data', (bytes: Buffer) => {
      for (const packet of deframer.push(bytes)) onCrossing?.('in', packet);
      tcp.writeForward(bytes);
    });
    tcp.writeBack(NULL_PACKET);
  }

  send(packets: readonly Uint8Array[]): void {
    for (const packet of packets) this.#tcp?.writeBack(frameForStream(packet));
  }

  close(): void {
    this.#ended.abort();
    this.#tcp?.close();
    this.#socket?.destroy();
  }

  #model(socket: Socket): ModeledTcp {
    const { host, link, congestionControl, onPacket, onCrossing, onLost } = this.#options;
    const [forward, back] = [new StreamDeframer(), new StreamDeframer()];
    return new ModeledTcp({
      link,
      congestionControl,
      ipv6: host.includes(':'),
      toReceiver: (bytes) => {
        for (const packet of forward.push(bytes)) if (!this.#closed) onPacket(packet);
      },
      toSender: (bytes) => {
        for (const packet of back.push(bytes)) onCrossing?.('out', packet);
        socket.write(bytes);
      },
      // Unread bytes stay in the kernel and then at the sender, as behind a full send buffer.
      onWritable: (writable) => (writable ? socket.resume() : socket.pause()),
      onFailed: onLost,
    });
  }
}
