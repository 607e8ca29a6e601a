import type { Socket } from 'node:net';
import { frameForStream, StreamDeframer } from '../../protocol/rtp/stream-framing.ts';

export interface AttachedStreamOptions {
  readonly socket: Socket;
  /** Called once, with the first bytes: the receiver is reached. */
  readonly onReached: () => void;
  readonly onPacket: (packet: Uint8Array) => void;
  readonly onClose: () => void;
}

/** Limit of bytes queued for a slow connection. */
const BACKLOG_BYTES_MAX = 16_000_000;
/** Time limit for the first bytes, milliseconds: some round trips of the longest path. */
const FIRST_BYTES_TIMEOUT_MS = 5_000;

/** The second connection of a receiver, which carries its media over TCP: packets framed as in RFC 4571. */
export class AttachedStream {
  readonly #socket: Socket;
  #reached = false;

  constructor({ socket, onReached, onPacket, onClose }: AttachedStreamOptions) {
    this.#socket = socket;
    const deframer = new StreamDeframer();
    const timer = setTimeout(() => socket.destroy(), FIRST_BYTES_TIMEOUT_MS);
    socket.on('data', (bytes: Buffer) => {
      if (!this.#reached) {
        clearTimeout(timer);
        this.#reached = true;
        onReached();
      }
      for (const packet of deframer.push(bytes)) onPacket(packet);
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      clearTimeout(timer);
      onClose();
    });
  }

  /** True when the receiver has sent a packet on it. */
  get reached(): boolean {
    return this.#reached;
  }

  /** True when so much is queued that frames should be skipped up to a key frame. */
  get backedUp(): boolean {
    return this.#socket.writableLength > BACKLOG_BYTES_MAX;
  }

  write(packets: readonly Uint8Array[]): void {
    if (!this.#reached || this.#socket.destroyed) return;
    this.#socket.cork();
    for (const packet of packets) this.#socket.write(frameForStream(packet));
    this.#socket.uncork();
  }

  close(): void {
    this.#socket.destroy();
  }
}
