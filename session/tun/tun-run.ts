import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { causeOf, Failure, type FailureExitCode } from '../../io/os/failure.ts';
import type { Log } from '../../io/os/log.ts';
import { namespaceArguments } from '../../io/os/network-namespace.ts';
import { assertTunCalls } from '../../io/os/tun-device.ts';
import type { InsideMessage, OutsideMessage, TunOrder, TunProgress, TunReport, TunSettings } from './tun-message.ts';

export interface TunRunOptions extends Omit<TunOrder, 'progress'> {
  readonly log: Log;
  /** The command begins now, with this in force. */
  readonly onStart?: (settings: TunSettings) => void;
  /** Each second while it goes on. */
  readonly onProgress?: (progress: TunProgress) => void;
}

/**
 * A command in a network of its own, in which the machine reaches itself across an impaired link.
 *
 *     this process ── unshare ── tun-inside.ts ─┬─ the command, with our stdin, stdout and stderr
 *                                               └─ a thread: tun-relay.ts, with the device
 *
 * What is inside lives as long as tun-inside.ts, and that as long as its channel to us: nothing stays behind, however
 * we end.
 */
export class TunRun {
  readonly #child: ChildProcess;
  readonly ended: Promise<TunReport>;

  /** Fails with one line where the machine has not what it takes. */
  static async start(options: TunRunOptions): Promise<TunRun> {
    assertTunCalls();
    return new TunRun(options, await namespaceArguments());
  }

  private constructor({ log, onStart, onProgress, ...order }: TunRunOptions, namespace: readonly string[]) {
    const inside = fileURLToPath(import.meta.url).replace(/tun-run\.(\w+)$/, 'tun-inside.$1');
    // Uncompiled, in a checkout, the process inside needs the same loader as we have.
    const loader = inside.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : [];
    this.#child = spawn('unshare', [...namespace, '--', process.execPath, ...loader, inside], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('error', () => {}); // the channel broke: the end says why
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('message', (message: InsideMessage) => {
        switch (message.kind) {
          case 'started':
            return onStart?.(message.settings);
          case 'progress':
            return onProgress?.(message.progress);
          case 'error':
            return log.error(message.message);
          case 'failed':
            return reject(new Failure(message.message, message.exitCode as FailureExitCode));
          case 'report':
            return resolve(message.report);
          default:
            message satisfies never;
        }
      });
      this.#child.once('error', (error) => reject(new Failure(`cannot run unshare: ${causeOf(error)}`)));
      this.#child.once('close', () => reject(new Failure('the network inside ended before the command did')));
    });
    this.ended.catch(() => {}); // told to whoever asks
    this.#tell({ kind: 'order', order: { ...order, progress: onProgress !== undefined } });
  }

  /** Hands a signal on to the command; after one that asks for the end, it has five seconds. */
  signal(signal: NodeJS.Signals): void {
    this.#tell({ kind: 'signal', signal });
  }

  /** Ends everything inside at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #tell(message: OutsideMessage): void {
    if (this.#child.connected) this.#child.send(message);
  }
}
