import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { causeOf, Failure, type FailureExitCode } from '../../io/os/failure.ts';
import type { Log } from '../../io/os/log.ts';
import { namespaceArguments } from '../../io/os/network-namespace.ts';
import { assertTunCalls } from '../../io/os/tun-device.ts';
import type { InsideMessage, OutsideMessage, TunOrder, TunProgress, TunReport, TunSettings } from './tun-message.ts';

export interface TunRunOptions extends Omit<TunOrder, 'progress'> {
  readonly log: Log;
  /** Called when the command starts, with the settings in force. */
  readonly onStart?: (settings: TunSettings) => void;
  /** Called every second during the run. */
  readonly onProgress?: (progress: TunProgress) => void;
}

/**
 * A command in a network namespace, in which the machine reaches itself across an impaired link.
 *
 *     this process ── unshare ── tun-inside.ts ─┬─ the command, with stdin, stdout and stderr of this process
 *                                               └─ a thread: tun-relay.ts, with the device
 *
 * Everything inside lives as long as tun-inside.ts, which lives as long as its channel to this process, so nothing is
 * left behind, however this process ends.
 */
export class TunRun {
  readonly #child: ChildProcess;
  readonly ended: Promise<TunReport>;

  /** Starts the command. @throws {Failure} that says what the machine lacks. */
  static async start(options: TunRunOptions): Promise<TunRun> {
    assertTunCalls();
    return new TunRun(options, await namespaceArguments());
  }

  private constructor({ log, onStart, onProgress, ...order }: TunRunOptions, namespace: readonly string[]) {
    const inside = fileURLToPath(import.meta.url).replace(/tun-run\.(\w+)$/, 'tun-inside.$1');
    // In a checkout without compiled files, the process inside needs the same loader.
    const loader = inside.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : [];
    this.#child = spawn('unshare', [...namespace, '--', process.execPath, ...loader, inside], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('error', () => {}); // the channel broke: the exit status says why
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
      this.#child.once('close', () => reject(new Failure('the network namespace ended before the command')));
    });
    this.ended.catch(() => {}); // reported when it is awaited
    this.#notify({ kind: 'order', order: { ...order, progress: onProgress !== undefined } });
  }

  /** Passes a signal to the command. After a request to end, it has five seconds. */
  signal(signal: NodeJS.Signals): void {
    this.#notify({ kind: 'signal', signal });
  }

  /** Kills everything inside at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #notify(message: OutsideMessage): void {
    if (this.#child.connected) this.#child.send(message);
  }
}
