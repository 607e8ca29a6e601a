import type { Socket } from 'node:net';
import { segmentsReceived } from '../../io/net/tcp-segments.ts';
import { frameForStream, StreamDeframer } from '../../protocol/rtp/stream-framing.ts';
import { attachMedia, NULL_PACKET } from './attach-media.ts';
import type { MediaTransport, MediaTransportOptions } from './media-transport.ts';

/** Transport over the kernel's TCP: packets in RFC 4571 frames on a connection of their own. */
export class ConnectionTransport implements MediaTransport {
  readonly modeledTcp = undefined;
  readonly #options: MediaTransportOptions;
  #socket: Socket | undefined;
  /** Last known value, because a closed connection cannot be queried. */
  #segments: number | undefined;
  readonly #ended = new AbortController();

  constructor(options: MediaTransportOptions) {
    this.#options = options;
  }

  get #closed(): boolean {
    return this.#ended.signal.aborted;
  }

  get segments(): number | undefined {
    if (this.#socket) this.#segments = segmentsReceived(this.#socket) ?? this.#segments;
    return this.#segments;
  }

  async open(): Promise<void> {
    const { onPacket, onCrossing, onLost } = this.#options;
    const socket = await attachMedia(this.#options, this.#ended.signal);
    if (!socket || this.#closed) {
      socket?.destroy();
      return;
    }
    this.#socket = socket;
    const deframer = new StreamDeframer();
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      if (!this.#closed) onLost('the media connection closed');
    });
    socket.on('data', (bytes: Buffer) => {
      for (const packet of deframer.push(bytes)) {
        onCrossing?.('in', packet);
        if (!this.#closed) onPacket(packet);
      }
    });
    socket.write(NULL_PACKET);
  }

  send(packets: readonly Uint8Array[]): void {
    for (const packet of packets) {
      this.#options.onCrossing?.('out', packet);
      this.#socket?.write(frameForStream(packet));
    }
  }

  close(): void {
    this.#ended.abort();
    this.#socket?.destroy();
  }
}
