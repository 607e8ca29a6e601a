import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Failure } from '../../io/os/failure.ts';
import type { BenchPoint } from '../point.ts';
import { line, sleep } from '../programs.ts';
import type { ReceivedFrame } from './frame-releases.ts';
import { linksOf, type Peer, type PeerRecord, type PeerTask } from './peer.ts';
import { freePorts } from './ports.ts';
import { Relay } from './relay.ts';

/** Command lines of a program with datagram input and output. */
export interface DatagramPeerOptions {
  readonly name: string;
  readonly title: string;
  /** Sender and receiver programs of the package. */
  readonly senderProgram: string;
  readonly receiverProgram: string;
  readonly package: string;
  /** Arguments that print the sender's version, and a pattern that finds it. */
  readonly version: { readonly args: readonly string[]; readonly pattern: RegExp };
  readonly sender: (ports: { readonly input: number; readonly relay: number }, point: BenchPoint) => readonly string[];
  readonly receiver: (
    ports: { readonly listen: number; readonly output: number },
    point: BenchPoint,
  ) => readonly string[];
}

/** Time until a listener is ready, milliseconds. */
const LISTENING_MS = 300;
/** Time for the handshake, with lost datagrams, milliseconds. */
const HANDSHAKE_MS = 2_000;
/** Wait after the last frame: the longest budget plus scheduling delays, milliseconds. */
const DRAIN_MS = 1_000;

/** SRT or RIST: datagrams in at one end, a relay in the middle, datagrams out at the other. */
export class DatagramPeer implements Peer {
  readonly name: string;
  readonly title: string;
  readonly #options: DatagramPeerOptions;
  #version: string | undefined;

  constructor(options: DatagramPeerOptions) {
    this.#options = options;
    this.name = options.name;
    this.title = options.title;
  }

  get absence(): string {
    return `${this.#options.senderProgram} is not installed; install it with apt-get install ${this.#options.package}`;
  }

  version(): string | undefined {
    const { senderProgram, version } = this.#options;
    const { stdout, stderr } = spawnSync(senderProgram, version.args, { encoding: 'utf8', timeout: 5_000 });
    this.#version ??= version.pattern.exec(`${stdout}${stderr}`)?.[1];
    return this.#version;
  }

  async run(task: PeerTask): Promise<PeerRecord> {
    const { programs, signal, point, seed, frames, scratch } = task;
    const { senderProgram, receiverProgram } = this.#options;
    const [listen, relayPort, input, output] = (await freePorts(4)) as [number, number, number, number];
    const links = linksOf(point, seed);
    const sink = programs.startOurs('peers/datagram-sink', [String(output), `${scratch}-out.json`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await line(sink.stdout!, /^ready/, 'the sink');
    const receiverArgs = this.#options.receiver({ listen, output }, point);
    const receiver = programs.start(receiverProgram, receiverArgs);
    const relay = await Relay.open(programs, {
      listen: `127.0.0.1:${relayPort}`,
      to: `127.0.0.1:${listen}`,
      link: links.media,
      linkBack: links.answers,
    });
    await sleep(LISTENING_MS, signal);
    const senderArgs = this.#options.sender({ input, relay: relayPort }, point);
    const sender = programs.start(senderProgram, senderArgs);
    await sleep(HANDSHAKE_MS, signal);
    const feed = programs.startOurs('peers/datagram-feed', [String(input), String(frames), `${scratch}-in.json`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await once(feed, 'exit', { signal });
    await sleep(DRAIN_MS, signal);
    const ended = [sender, receiver].find(hasEnded);
    const report = await relay.stop();
    await Promise.all([sender, receiver, sink].map((child) => programs.stop(child)));
    if (ended) throw new Failure(`${ended.spawnfile} ended during a run`);
    return {
      commands: [commandLine(receiverProgram, receiverArgs), relay.command, commandLine(senderProgram, senderArgs)],
      handedOverAt: JSON.parse(readFileSync(`${scratch}-in.json`, 'utf8')) as number[],
      releases: JSON.parse(readFileSync(`${scratch}-out.json`, 'utf8')) as ReceivedFrame[],
      readings: relay.readings,
      mediaWay: 'forward',
      relay: report,
    };
  }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** Formats a command line as typed in a shell. */
export const commandLine = (program: string, args: readonly string[]): string =>
  [program, ...args.map((arg) => (/[ ?&;]/.test(arg) ? `"${arg}"` : arg))].join(' ');
