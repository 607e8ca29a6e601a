import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { Failure } from '../os/failure.ts';
import { spawn } from '../os/spawn.ts';
import { BacklogGate } from '../web-server/backlog-gate.ts';
import type { Environment, Player, PlayerExit } from './player.ts';

/** Command line of a player, and the form in which it takes access units. */
export interface PlayerCommand {
  readonly name: string;
  readonly path: string;
  readonly arguments: readonly string[];
  /** File descriptor of its input: 0 (standard input) or 3. */
  readonly inputDescriptor: 0 | 3;
  /** Serializes an access unit; called in decode order. */
  readonly serialize: (unit: AccessUnit) => Uint8Array;
  /** The same for a unit of the sound; absent without sound. */
  readonly serializeSound?: (unit: AccessUnit) => Uint8Array;
  /** Returns what the player needs while no access unit comes; called at intervals from the first one on. */
  readonly idle?: { readonly intervalMs: number; readonly serialize: () => Uint8Array | undefined };
}

/** Text over the picture, through a second channel to the player. */
export interface PlayerOverlay {
  showText(text: string): void;
  close(): void;
}

/** Limit of queued bytes: more than a key frame at 50 Mb/s, and more than a player at normal speed leaves unread. */
const QUEUE_BYTES = 2_000_000;
/** Time for a player to exit after the end of its input, and again after SIGTERM, milliseconds. Measured: 50 and 17. */
const EXIT_TIMEOUT_MS = 1_000;
const STDERR_CHARACTERS_MAX = 2_000;
const STDERR_DRAIN_MS = 200;

export class PlayerProcess implements Player {
  readonly name: string;
  readonly exited: Promise<PlayerExit>;
  readonly showText?: (text: string) => void;
  readonly #child: ChildProcess;
  readonly #input: Writable;
  readonly #serialize: (unit: AccessUnit) => Uint8Array;
  readonly #serializeSound: PlayerCommand['serializeSound'];
  readonly #gate = new BacklogGate({ queueMax: QUEUE_BYTES });
  readonly #idle: PlayerCommand['idle'];
  #idleTimer: NodeJS.Timeout | undefined;
  #droppedSound = 0;
  #ended = false;
  #closing: Promise<void> | undefined;

  private constructor(command: PlayerCommand, child: ChildProcess, overlay: PlayerOverlay | undefined) {
    this.name = command.name;
    this.#serialize = command.serialize;
    this.#serializeSound = command.serializeSound;
    this.#idle = command.idle;
    this.#child = child;
    this.#input = child.stdio[command.inputDescriptor] as Writable;
    if (overlay !== undefined) this.showText = (text) => overlay.showText(text);
    // EPIPE when the user closes the window between two writes; `exited` reports the end.
    this.#input.on('error', () => {});
    let words = '';
    (child.stderr as Readable).setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-STDERR_CHARACTERS_MAX);
    });
    this.exited = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#ended = true;
        clearInterval(this.#idleTimer);
        overlay?.close();
        resolve({
          code,
          signal,
          lastErrorLine:
            words
              .trim()
              .split(/[\r\n]+/)
              .at(-1) ?? '',
        });
      };
      // 'close' follows once stderr has been read; it never follows while a child of the player holds stderr open.
      child.once('close', end);
      child.once('exit', (code, signal) => setTimeout(end, STDERR_DRAIN_MS, code, signal));
    });
  }

  static async start(
    command: PlayerCommand,
    environment: Environment,
    overlay?: PlayerOverlay,
  ): Promise<PlayerProcess> {
    const child = spawn(command.path, command.arguments, {
      stdio: command.inputDescriptor === 0 ? ['pipe', 'ignore', 'pipe'] : ['ignore', 'ignore', 'pipe', 'pipe'],
      env: { ...environment },
      windowsHide: false,
    });
    const player = new PlayerProcess(command, child, overlay);
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => {
        overlay?.close();
        reject(new Failure(`${command.name} cannot be started (${error.message}): use --play browser`, 3));
      });
    });
    child.on('error', () => {}); // a signal could not be delivered; `close` continues with the next one
    return player;
  }

  get dropped(): number {
    return this.#gate.dropped;
  }

  get droppedSound(): number {
    return this.#droppedSound;
  }

  /** Process id, for tests. */
  get processId(): number | undefined {
    return this.#child.pid;
  }

  write(unit: AccessUnit): void {
    if (this.#ended || this.#closing !== undefined || !this.#input.writable) return;
    if (!this.#gate.admits(unit.importance, this.#input.writableLength)) return;
    this.#input.write(this.#serialize(unit));
    if (this.#idle) this.#idleTimer ??= setInterval(() => this.#writeIdle(), this.#idle.intervalMs);
  }

  writeSound(unit: AccessUnit): void {
    if (!this.#serializeSound || this.#ended || this.#closing !== undefined || !this.#input.writable) return;
    // Not before the first picture, and not behind a backlog of pictures.
    if (this.#gate.waitsForKey || this.#input.writableLength > QUEUE_BYTES) {
      if (this.#gate.hasJoined) this.#droppedSound++;
      return;
    }
    this.#input.write(this.#serializeSound(unit));
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  #writeIdle(): void {
    if (this.#ended || this.#closing !== undefined || !this.#input.writable || this.#input.writableLength > 0) return;
    const bytes = this.#idle?.serialize();
    if (bytes) this.#input.write(bytes);
  }

  async #end(): Promise<void> {
    clearInterval(this.#idleTimer);
    this.#input.end();
    if (await this.#endsWithin(EXIT_TIMEOUT_MS)) return;
    this.#child.kill('SIGTERM');
    if (await this.#endsWithin(EXIT_TIMEOUT_MS)) return;
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  async #endsWithin(milliseconds: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
    });
    await Promise.race([this.exited, timeout]);
    clearTimeout(timer);
    return this.#ended;
  }
}
