import { stdin } from 'node:process';

const CONTROL_C = '\u0003';

/** Reads single keys during a run where stdin is a terminal; reads nothing elsewhere. */
export class Keys {
  readonly #onKey: (key: string) => void;

  constructor(onKey: (key: string) => void) {
    this.#onKey = onKey;
    if (!stdin.isTTY) return;
    stdin.setRawMode(true);
    stdin.setEncoding('utf8');
    stdin.on('data', this.#handle);
    stdin.resume();
  }

  static get available(): boolean {
    return stdin.isTTY === true;
  }

  close(): void {
    if (!stdin.isTTY) return;
    stdin.off('data', this.#handle);
    stdin.setRawMode(false);
    stdin.pause();
  }

  readonly #handle = (text: string): void => {
    for (const key of text) {
      // In raw mode the terminal does not turn Ctrl-C into a signal.
      if (key === CONTROL_C) process.kill(process.pid, 'SIGINT');
      else this.#onKey(key);
    }
  };
}
