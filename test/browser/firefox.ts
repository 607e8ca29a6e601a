import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';

/** Path of Firefox: Debian's, or the one of `FIREFOX_PATH`. */
export const FIREFOX = process.env.FIREFOX_PATH || '/usr/bin/firefox-esr';

export const HAS_FIREFOX = (() => {
  try {
    accessSync(FIREFOX, constants.X_OK);
    return true;
  } catch {
    return false;
  }
})();

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly message?: string;
}

/** A tab of a headless Firefox, driven by WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/). */
export class FirefoxTab {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #context = '';
  #commands = 0;

  /** @param preferences of about:config. */
  static async open(
    width: number,
    height: number,
    preferences: Readonly<Record<string, boolean>> = {},
  ): Promise<FirefoxTab> {
    const profile = mkdtempSync(join(tmpdir(), 'dropframe-firefox-'));
    const lines = Object.entries(preferences).map(([name, value]) => `user_pref("${name}", ${value});\n`);
    writeFileSync(join(profile, 'user.js'), lines.join(''));
    const options = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0', 'about:blank'];
    // Without the files of the user.
    const env = { ...process.env, HOME: profile };
    const firefox = spawn(FIREFOX, options, { stdio: ['ignore', 'ignore', 'pipe'], env });
    const url = await new Promise<string>((resolve, reject) => {
      let text = '';
      firefox.stderr.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        const found = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(text)?.[1];
        if (found) resolve(`${found}/session`);
      });
      firefox.once('exit', () => reject(new Error(`Firefox ended: ${text}`)));
    });
    const socket = new WebSocket(url);
    await once(socket, 'open');
    const tab = new FirefoxTab(firefox, profile, socket);
    await tab.#send('session.new', { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } });
    const { contexts } = await tab.#send<{ contexts: { context: string }[] }>('browsingContext.getTree', {});
    tab.#context = contexts[0]!.context;
    await tab.#send('browsingContext.setViewport', { context: tab.#context, viewport: { width, height } });
    return tab;
  }

  private constructor(firefox: ChildProcess, profile: string, socket: WebSocket) {
    this.#process = firefox;
    this.#profile = profile;
    this.#socket = socket;
    socket.on('message', (text: Buffer) => {
      const answer = JSON.parse(String(text)) as Answer;
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    });
  }

  async goto(url: string): Promise<void> {
    await this.#send('browsingContext.navigate', { context: this.#context, url, wait: 'interactive' });
  }

  /** Returns the value of an expression, which JSON can hold. */
  async evaluate<Value>(expression: string): Promise<Value> {
    const { result, exceptionDetails } = await this.#send<{
      result?: { value: string };
      exceptionDetails?: { text: string };
    }>('script.evaluate', {
      expression: `(async () => JSON.stringify(await (${expression})) ?? 'null')()`,
      target: { context: this.#context },
      awaitPromise: true,
      userActivation: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.text);
    return JSON.parse(result!.value) as Value;
  }

  /** Types a key, as the keyboard does. @param key a character, or a code point of WebDriver (§17.4.2). */
  async press(key: string): Promise<void> {
    const actions = [
      { type: 'keyDown', value: key },
      { type: 'keyUp', value: key },
    ];
    const keyboard = { type: 'key', id: 'keyboard', actions };
    await this.#send('input.performActions', { context: this.#context, actions: [keyboard] });
  }

  /** Returns the visible part as PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.#send<{ data: string }>('browsingContext.captureScreenshot', {
      context: this.#context,
    });
    return Buffer.from(data, 'base64');
  }

  async close(): Promise<void> {
    const ended = this.#process.exitCode === null ? once(this.#process, 'exit') : undefined;
    this.#socket.terminate();
    this.#process.kill('SIGTERM');
    await ended;
    rmSync(this.#profile, { recursive: true, force: true });
  }

  #send<Result>(method: string, params: unknown): Promise<Result> {
    const id = ++this.#commands;
    const answered = new Promise<Result>((resolve, reject) => {
      this.#waiting.set(id, ({ result, message }) => {
        this.#waiting.delete(id);
        if (result === undefined) reject(new Error(`${method}: ${message}`));
        else resolve(result as Result);
      });
    });
    this.#socket.send(JSON.stringify({ id, method, params }));
    return answered;
  }
}
