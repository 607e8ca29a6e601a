import type { Socket } from 'node:net';
import { frameForStream, StreamDeframer } from '../../protocol/rtp/stream-framing.ts';
import type { Backlog, BacklogBudget } from './backlog-budget.ts';

export interface AttachedStreamOptions {
  readonly socket: Socket;
  /** Limits what waits for all slow receivers. */
  readonly backlogBudget: BacklogBudget;
  /** Called once, with the first bytes: the receiver is reached. */
  readonly onReached: () => void;
  readonly onPacket: (packet: Uint8Array) => void;
  readonly onClose: () => void;
}

/** Time limit for the first bytes, milliseconds: some round trips of the longest path. */
const FIRST_BYTES_TIMEOUT_MS = 5_000;

/** The second connection of a receiver, which carries its media over TCP: packets framed as in RFC 4571. */
export class AttachedStream implements Backlog {
  readonly #socket: Socket;
  readonly #backlogBudget: BacklogBudget;
  #reached = false;

  constructor({ socket, backlogBudget, onReached, onPacket, onClose }: AttachedStreamOptions) {
    this.#socket = socket;
    this.#backlogBudget = backlogBudget;
    backlogBudget.add(this);
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
      backlogBudget.delete(this);
      onClose();
    });
  }

  /** True when the receiver has sent a packet on it. */
  get reached(): boolean {
    return this.#reached;
  }

  /** True when so much is queued that frames should be skipped up to a key frame. */
  get backedUp(): boolean {
    return this.#backlogBudget.isExceeded(this);
  }

  get unsentBytes(): number {
    return this.#socket.writableLength;
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
