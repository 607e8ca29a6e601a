import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const ROOT = join(import.meta.dirname, '../..');
export const CLIP = join(ROOT, 'samples/counter.h264');
const POLL_MS = 50;

/** How a program is started. */
export interface Start {
  /** Words before the program, such as those that enter a network namespace or set a limit. */
  readonly prefix?: readonly string[];
  /** Options of Node. */
  readonly node?: readonly string[];
}

/** Lets a program be asked for its memory: `Program.memoryInUse`. */
const MEMORY_PROBE = `process.on('SIGUSR2', () => {
  gc();
  gc();
  const { heapUsed, external } = process.memoryUsage();
  process.stderr.write('memory ' + (heapUsed + external) / 1e6 + '\\n');
});`;
export const ASKED_FOR_MEMORY: Start = {
  node: ['--expose-gc', '--import', `data:text/javascript,${encodeURIComponent(MEMORY_PROBE)}`],
};

/** Sets the limit of open files of a program. */
export const withFiles = (count: number): readonly string[] => ['sh', '-c', `ulimit -n ${count} && exec "$@"`, 'sh'];

/** The compiled command in a process of its own. */
export class Program {
  readonly #child: ChildProcess;
  readonly #command: string;
  stdout = '';
  stderr = '';
  /** Exit code; `null` after a signal. */
  readonly ended: Promise<number | null>;
  #over = false;

  constructor(args: readonly string[], { prefix = [], node = [] }: Start = {}) {
    this.#command = args.join(' ');
    const words = [...prefix, process.execPath, ...node, join(ROOT, 'bin/dropframe.js'), ...args];
    this.#child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.on('data', (text) => {
      this.stdout += text;
    });
    this.#child.stderr?.on('data', (text) => {
      this.stderr += text;
    });
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      this.#over = true;
      if (signal !== null) this.stderr += `ended by ${signal}\n`;
      return code as number | null;
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until `holds`. @throws when the program ends before, with what it wrote. */
  async until(what: string, holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#over) throw new Error(`dropframe ${this.#command} ended before ${what}: ${this.stderr}`);
      await sleep(POLL_MS);
    }
  }

  /** Ends it as Ctrl-C does. */
  async stop(): Promise<number | null> {
    this.signal('SIGINT');
    return await this.ended;
  }

  /** Heap and buffers after a collection, megabytes, of a program started with `ASKED_FOR_MEMORY`. */
  async memoryInUse(): Promise<number> {
    const answers = () => [...this.stderr.matchAll(/^memory ([\d.]+)$/gm)];
    const before = answers().length;
    this.signal('SIGUSR2');
    await this.until('it told its memory', () => answers().length > before);
    return Number(answers().at(-1)![1]);
  }
}

/** Fields of the lines of `receive --json` that the stories look at. */
export interface Progress {
  readonly kind: 'statistics' | 'summary';
  readonly sessions: number;
  readonly durationSeconds: number;
  readonly transport: string;
  readonly encrypted: boolean;
  readonly notAuthentic: number | null;
  readonly foreign: number;
  readonly malformed: number;
  readonly frames: {
    readonly total: number;
    readonly onTime: number;
    readonly recovered: number;
    readonly neverArrived: number;
  };
}

export class Sender extends Program {
  static async start(args: readonly string[] = [], start: Start = {}): Promise<Sender> {
    const listen = args.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
    const sender = new Sender(['send', CLIP, '--loop', ...listen, ...args], start);
    await sender.until('it listened', () => sender.url !== '');
    return sender;
  }

  get url(): string {
    return /(dropframe:\/\/\S+)\n/.exec(this.stderr)?.[1] ?? '';
  }

  get port(): number {
    return Number(/:(\d+)(\?|$)/.exec(this.url)?.[1]);
  }
}

export class Receiver extends Program {
  constructor(url: string, args: readonly string[] = [], start: Start = {}) {
    super(['receive', url, '--play', 'none', '--json', ...args], start);
  }

  /** Last line of statistics, or the summary. */
  get progress(): Progress | undefined {
    const line = this.stdout.slice(0, this.stdout.lastIndexOf('\n')).split('\n').at(-1);
    return line ? (JSON.parse(line) as Progress) : undefined;
  }

  /** Errors that it reported, a line each. */
  get complaints(): string[] {
    const lines = this.stderr.split('\n').filter((line) => line.startsWith('{'));
    const entries = lines.map((line) => JSON.parse(line) as { readonly level: string; readonly message: string });
    return entries.filter(({ level }) => level === 'error').map(({ message }) => message);
  }

  get sessions(): number {
    return this.progress?.sessions ?? 0;
  }

  /** Frames shown in time. */
  get shown(): number {
    const frames = this.progress?.frames;
    return frames ? frames.onTime + frames.recovered : 0;
  }

  /** Waits until this many frames more are shown. */
  async shows(more: number): Promise<void> {
    const before = this.shown;
    await this.until(`${more} more frames were shown`, () => this.shown >= before + more);
  }
}

/** Everything that a story started, so that nothing is left when it ends. */
export class Stage {
  readonly #ends: (() => void)[] = [];

  async sender(args: readonly string[] = [], start: Start = {}): Promise<Sender> {
    return this.add(await Sender.start(args, start));
  }

  receiver(url: string, args: readonly string[] = [], start: Start = {}): Receiver {
    return this.add(new Receiver(url, args, start));
  }

  add<Kind extends Program>(program: Kind): Kind {
    this.atEnd(() => program.signal('SIGKILL'));
    return program;
  }

  atEnd(end: () => void): void {
    this.#ends.push(end);
  }

  end(): void {
    for (const end of this.#ends) end();
  }
}

/** Holds connections to a port that say nothing, from a process of its own. */
export async function idleConnections(on: Stage, port: number, count: number): Promise<void> {
  const script = join(ROOT, 'test/chaos/idle-connections.ts');
  const args = ['--import', 'tsx', script, String(port), String(count)];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  on.atEnd(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
}
