import type { Socket } from 'node:net';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Instant, instant, milliseconds } from '../../protocol/base/units.ts';
import { frameAccessUnit } from '../../sim/tcp/access-unit-framing.ts';
import type { StrategyParameters } from '../strategy.ts';

interface WaitingUnit {
  readonly frame: number;
  readonly handedAt: Instant;
  readonly unit: AccessUnit;
}

/**
 * Writes access units to a kernel socket, one write each, like a `TcpMediaSender`. With `unsentBytesMax` (set as
 * `tcp_notsent_lowat` of the namespace), a unit waits until the kernel has accepted all earlier ones, and may be
 * discarded.
 */
export class KernelWriter {
  readonly #parameters: StrategyParameters;
  readonly #waiting: WaitingUnit[] = [];
  readonly givenUp: number[] = [];
  #socket: Socket | undefined;
  #frames = 0;
  #now: Instant = instant(0);
  #writing = false;
  #finishRequested = false;
  #skipsToKey = false;

  constructor(parameters: StrategyParameters) {
    this.#parameters = parameters;
  }

  open(socket: Socket): void {
    this.#socket = socket;
    this.#write();
  }

  send(now: Instant, unit: AccessUnit): void {
    this.#now = now;
    this.#waiting.push({ frame: this.#frames++, handedAt: now, unit });
    this.#write();
  }

  finish(): void {
    this.#finishRequested = true;
    this.#write();
  }

  #write(): void {
    const socket = this.#socket;
    if (!socket) return;
    const writesSingly = this.#parameters.unsentBytesMax !== undefined;
    while (this.#waiting.length > 0 && !(writesSingly && this.#writing)) {
      const { frame, handedAt, unit } = this.#waiting.shift()!;
      if (this.#isStale(handedAt, unit)) {
        this.givenUp.push(frame);
        continue;
      }
      this.#writing = true;
      socket.write(frameAccessUnit(frame, unit), () => {
        this.#writing = false;
        this.#write();
      });
    }
    if (this.#finishRequested && this.#waiting.length === 0) socket.end();
  }

  #isStale(handedAt: Instant, unit: AccessUnit): boolean {
    const { giveUpMs } = this.#parameters;
    const isOld = giveUpMs !== undefined && this.#now - handedAt > milliseconds(giveUpMs);
    if (unit.importance === 'key') this.#skipsToKey = isOld;
    else if (isOld) this.#skipsToKey = true;
    return this.#skipsToKey;
  }
}
