import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Failure } from '../../io/os/failure.ts';
import type { RelayReport } from '../../session/relay/relay-report.ts';
import type { Programs } from '../programs.ts';
import { monotonicMicroseconds } from './monotonic.ts';

/** Bytes offered to the relay up to an instant, per direction. */
export interface RelayReading {
  /** Microseconds of `hrtime`. */
  readonly at: number;
  readonly forwardBytes: number;
  readonly backBytes: number;
}

export interface PeerRelayOptions {
  readonly listen: string;
  readonly to: string;
  readonly link: string;
  readonly linkBack: string;
}

/** `dropframe link` as a separate process. */
export class Relay {
  readonly command: string;
  readonly #programs: Programs;
  readonly #child: ChildProcess;
  readonly #reports: { readonly at: number; readonly report: RelayReport }[] = [];
  #final: RelayReport | undefined;

  /** Resolves when the relay is ready. */
  static async open(programs: Programs, options: PeerRelayOptions): Promise<Relay> {
    const relay = new Relay(programs, options);
    await relay.#ready();
    return relay;
  }

  private constructor(programs: Programs, { listen, to, link, linkBack }: PeerRelayOptions) {
    const args = ['link', '--listen', listen, '--to', to, '--link', link, '--link-back', linkBack, '--json', '--quiet'];
    this.command = ['dropframe', ...args.map((arg) => (arg.includes(' ') ? `"${arg}"` : arg))].join(' ');
    this.#programs = programs;
    this.#child = programs.startOurs('command', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** Offered bytes once per second, on the clock of the records. */
  get readings(): RelayReading[] {
    // Report lines arrive late by process scheduling; the earliest one gives the relay's start.
    const startedAt = Math.min(...this.#reports.map(({ at, report }) => at - report.durationSeconds * 1e6));
    return this.#reports.map(({ report }) => ({
      at: startedAt + report.durationSeconds * 1e6,
      forwardBytes: report.forward.offeredBytes,
      backBytes: report.back.offeredBytes,
    }));
  }

  /** Ends the relay, and returns its report. */
  async stop(): Promise<RelayReport> {
    const closed = this.#child.exitCode === null ? once(this.#child, 'close') : undefined;
    await this.#programs.stop(this.#child);
    await closed;
    if (!this.#final) throw new Failure('the relay ended without a report');
    return this.#final;
  }

  async #ready(): Promise<void> {
    const lines = createInterface({ input: this.#child.stdout! });
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (text) => {
        this.#handleLine(text);
        resolve();
      });
      lines.on('close', () => reject(new Failure('the relay did not start')));
    });
  }

  #handleLine(text: string): void {
    const { kind, ...report } = JSON.parse(text) as { kind: string } & RelayReport;
    if (kind === 'report') this.#final = report;
    else if (kind === 'statistics') this.#reports.push({ at: monotonicMicroseconds(), report });
  }
}
