import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Failure } from '../../io/os/failure.ts';
import type { RelayReport } from '../../session/relay/relay-report.ts';
import type { Programs } from '../programs.ts';
import { monotonicMicroseconds } from './monotonic.ts';

/** How many bytes the relay had been offered at an instant, each way. */
export interface RelayReading {
  /** Microseconds of `hrtime`. */
  readonly at: number;
  readonly forwardBytes: number;
  readonly backBytes: number;
}

export interface RelayOptions {
  readonly listen: string;
  readonly to: string;
  readonly link: string;
  readonly linkBack: string;
}

/** `dropframe link`, as a process of its own. */
export class Relay {
  readonly command: string;
  readonly #programs: Programs;
  readonly #child: ChildProcess;
  readonly #heard: { readonly at: number; readonly report: RelayReport }[] = [];
  #final: RelayReport | undefined;

  /** Resolves when it relays. */
  static async open(programs: Programs, options: RelayOptions): Promise<Relay> {
    const relay = new Relay(programs, options);
    await relay.#ready();
    return relay;
  }

  private constructor(programs: Programs, { listen, to, link, linkBack }: RelayOptions) {
    const args = ['link', '--listen', listen, '--to', to, '--link', link, '--link-back', linkBack, '--json', '--quiet'];
    this.command = ['dropframe', ...args.map((arg) => (arg.includes(' ') ? `"${arg}"` : arg))].join(' ');
    this.#programs = programs;
    this.#child = programs.startOurs('command', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** What it had been offered each second, on the clock of the records. */
  get readings(): RelayReading[] {
    // A line is late by what the processes were; the promptest tells when the relay began.
    const startedAt = Math.min(...this.#heard.map(({ at, report }) => at - report.durationSeconds * 1e6));
    return this.#heard.map(({ report }) => ({
      at: startedAt + report.durationSeconds * 1e6,
      forwardBytes: report.forward.offeredBytes,
      backBytes: report.back.offeredBytes,
    }));
  }

  /** Ends it; what it did. */
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
        this.#hear(text);
        resolve();
      });
      lines.on('close', () => reject(new Failure('the relay did not come up')));
    });
  }

  #hear(text: string): void {
    const { kind, ...report } = JSON.parse(text) as { kind: string } & RelayReport;
    if (kind === 'report') this.#final = report;
    else if (kind === 'statistics') this.#heard.push({ at: monotonicMicroseconds(), report });
  }
}
