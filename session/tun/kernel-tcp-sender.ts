import { connect, type Socket } from 'node:net';
import { elapsed, type Instant } from '../../protocol/base/units.ts';
import type { KernelTcpUnit } from '../lanes/kernel-tcp.ts';
import { WAIT_MAX } from '../lanes/tcp-limits.ts';
import type { FromKernelTcp } from './kernel-tcp-message.ts';

interface WaitingUnit {
  readonly unit: KernelTcpUnit;
  readonly handedAt: Instant;
}

/**
 * Sends frames over a connection of the kernel, as the modelled TCP does: a frame waits until the kernel has taken all
 * earlier ones, and one that has waited too long is dropped, with those up to the next key frame.
 */
export class KernelTcpSender {
  readonly #port: number;
  readonly #post: (message: FromKernelTcp) => void;
  readonly #socket: Socket;
  readonly #waiting: WaitingUnit[] = [];
  #isOpen = false;
  #isWriting = false;
  #skipsToKey = false;

  constructor(
    address: { readonly host: string; readonly port: number; readonly localPort: number },
    post: (message: FromKernelTcp) => void,
  ) {
    this.#port = address.localPort;
    this.#post = post;
    this.#socket = connect({ ...address, noDelay: true });
    this.#socket.on('connect', () => {
      this.#isOpen = true;
      this.#write();
    });
    this.#socket.on('error', ({ message }) => post({ kind: 'broken', port: this.#port, why: message }));
  }

  send(unit: KernelTcpUnit, at: Instant): void {
    this.#waiting.push({ unit, handedAt: at });
    this.#dropOld(at);
    this.#write();
  }

  close(): void {
    this.#waiting.length = 0;
    this.#socket.removeAllListeners('error');
    this.#socket.on('error', () => {});
    // At once: what it has not delivered is of no use.
    this.#socket.resetAndDestroy();
  }

  #dropOld(at: Instant): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const { stream, frame, isKey } = next.unit;
      const isOld = elapsed(next.handedAt, at) > WAIT_MAX;
      if (stream === 'video' && (isOld || isKey)) this.#skipsToKey = isOld;
      if (stream === 'sound' ? !isOld : !this.#skipsToKey) return;
      this.#waiting.shift();
      this.#post({ kind: 'given-up', port: this.#port, stream, frame, at });
    }
  }

  #write(): void {
    if (!this.#isOpen || this.#isWriting) return;
    const next = this.#waiting.shift();
    if (!next) return;
    this.#isWriting = true;
    const { stream, frame, bytes } = next.unit;
    this.#post({ kind: 'written', port: this.#port, stream, frame, bytes: bytes.length });
    this.#socket.write(bytes, () => {
      this.#isWriting = false;
      this.#write();
    });
  }
}
