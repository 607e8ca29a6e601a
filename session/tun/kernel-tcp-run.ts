import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { causeOf } from '../../io/os/failure.ts';
import { monotonicOffset } from '../../io/os/monotonic-offset.ts';
import { namespaceArguments } from '../../io/os/network-namespace.ts';
import { assertTunCalls, TUN_PATH } from '../../io/os/tun-device.ts';
import { type Instant, instant } from '../../protocol/base/units.ts';
import type {
  KernelTcp,
  KernelTcpEvent,
  KernelTcpOptions,
  KernelTcpSource,
  KernelTcpUnit,
} from '../lanes/kernel-tcp.ts';
import type { FromKernelTcp, ToKernelTcp } from './kernel-tcp-message.ts';

/** Ports of the sending ends: below those that the kernel gives away by itself. */
const PORT_FIRST = 10_000;
const PORTS = 20_000;

/** The TCP of this machine's kernel, each connection in a network namespace of its own. */
export const kernelTcp: KernelTcpSource = {
  async obstacle() {
    try {
      assertTunCalls();
      await access(TUN_PATH, constants.R_OK | constants.W_OK);
      await namespaceArguments();
      return undefined;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return `${TUN_PATH} is missing: sudo modprobe tun`;
      return code === undefined ? causeOf(error) : `${TUN_PATH} cannot be opened: sudo chmod 666 ${TUN_PATH}`;
    }
  },
  open: (options) => new KernelTcpRun(options),
};

/**
 * A process in namespaces of its own, with both ends of a TCP connection. It lives as long as its channel to this process,
 * so nothing is left behind, however this process ends.
 */
class KernelTcpRun implements KernelTcp {
  readonly #options: KernelTcpOptions;
  readonly #offset = monotonicOffset();
  #child: ChildProcess | undefined;
  #listener: ((event: KernelTcpEvent) => void) | undefined;
  #connections = 0;
  #port = 0;
  #isClosed = false;
  isReady = false;

  constructor(options: KernelTcpOptions) {
    this.#options = options;
    void this.#start();
  }

  connect(listener: (event: KernelTcpEvent) => void): number {
    this.#listener = listener;
    this.#port = PORT_FIRST + (this.#connections++ % PORTS);
    this.#post({ kind: 'connect', port: this.#port });
    return this.#port;
  }

  send(unit: KernelTcpUnit): void {
    this.#post({ kind: 'unit', unit });
  }

  deliver(packets: readonly Uint8Array[]): void {
    this.#post({ kind: 'packets', packets });
  }

  close(): void {
    this.#isClosed = true;
    this.isReady = false;
    this.#listener = undefined;
    this.#child?.kill('SIGKILL');
  }

  async #start(): Promise<void> {
    try {
      const namespace = await namespaceArguments();
      if (this.#isClosed) return;
      this.#child = this.#spawn(namespace);
    } catch (error) {
      this.#fail(causeOf(error));
    }
  }

  #spawn(namespace: readonly string[]): ChildProcess {
    const inside = fileURLToPath(import.meta.url).replace(/kernel-tcp-run\.(\w+)$/, 'kernel-tcp-inside.$1');
    // In a checkout without compiled files, the process inside needs the same loader.
    const loader = inside.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : [];
    const child = spawn('unshare', [...namespace, '--', process.execPath, ...loader, inside], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
    child.on('message', (message: FromKernelTcp) => this.#take(message));
    child.once('error', (error) => this.#fail(`cannot run unshare: ${causeOf(error)}`));
    child.once('close', () => this.#fail('its network ended'));
    return child;
  }

  #take(message: FromKernelTcp): void {
    switch (message.kind) {
      case 'ready':
        this.isReady = true;
        return this.#options.onReady();
      case 'failed':
        return this.#fail(message.why);
      case 'sent':
        for (const { at, packet } of message.packets) {
          this.#listener?.({ kind: 'sent', at: this.#here(at), packet: Uint8Array.from(packet) });
        }
        return;
      case 'written':
        if (message.port === this.#port) this.#listener?.(message);
        return;
      case 'given-up':
      case 'complete':
        if (message.port === this.#port) this.#listener?.({ ...message, at: this.#here(message.at) });
        return;
      case 'broken':
        if (message.port === this.#port) this.#listener?.({ kind: 'failed', why: message.why });
        return;
      default:
        message satisfies never;
    }
  }

  /** Converts from the machine's clock to that of this process. */
  #here(at: Instant): Instant {
    return instant(at - this.#offset);
  }

  #post(message: ToKernelTcp): void {
    // One that has just ended says so by itself.
    if (this.#child?.connected) this.#child.send(message, () => {});
  }

  #fail(why: string): void {
    if (this.#isClosed) return;
    this.close();
    this.#options.onFailure(why);
  }
}
