import type { KernelTcpSource } from './kernel-tcp.ts';

/** Time after which the machine is asked for its TCP, milliseconds: the first picture comes first. */
const ASK_AFTER_MS = 1_500;
const LOOKING = 'looking whether this computer allows it';
const NONE = 'it needs npm start on a Linux computer of your own';

/** Whether lanes may use the TCP of the machine's kernel. */
export class KernelOffer {
  readonly #source: KernelTcpSource | undefined;
  readonly #changed: () => void;
  readonly #timer: NodeJS.Timeout | undefined;
  #why: string | undefined;
  #asked: Promise<void> | undefined;

  /** @param changed called when the answer is known, or is another one. */
  constructor(source: KernelTcpSource | undefined, changed: () => void) {
    this.#source = source;
    this.#changed = changed;
    this.#why = source ? LOOKING : NONE;
    this.#timer = source && setTimeout(() => void this.ask(), ASK_AFTER_MS);
  }

  /** Why they may not, in one line; `undefined` when they may. */
  get obstacle(): string | undefined {
    return this.#why;
  }

  /** Asks the machine, once. @returns the obstacle. */
  async ask(): Promise<string | undefined> {
    this.#asked ??= this.#source?.obstacle().then((why) => this.report(why)) ?? Promise.resolve();
    await this.#asked;
    return this.#why;
  }

  /** Takes over what a lane has found out. */
  report(why: string | undefined): void {
    this.#why = why;
    this.#changed();
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
