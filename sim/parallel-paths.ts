import { earliestOf, type Instant } from '../protocol/base/units.ts';
import { type Ecn, NOT_ECT } from '../protocol/ecn.ts';
import type { DatagramContext } from './link/datagram-context.ts';
import type { Path } from './simulation.ts';

/** One direction of two paths in parallel; each datagram takes the one that its context names. */
export class ParallelPaths implements Path {
  readonly #paths: readonly [Path, Path];
  #deliveredPath = 0;

  constructor(first: Path, second: Path) {
    this.#paths = [first, second];
  }

  get deliveredEcn(): Ecn {
    return this.#paths[this.#deliveredPath]!.deliveredEcn ?? NOT_ECT;
  }

  get deliveredPath(): number {
    return this.#deliveredPath;
  }

  send(now: Instant, datagram: Uint8Array, context?: DatagramContext): void {
    this.#paths[context?.path ?? 0]!.send(now, datagram, context);
  }

  pollDelivery(now: Instant): Uint8Array | undefined {
    for (const [number, path] of this.#paths.entries()) {
      const datagram = path.pollDelivery(now);
      if (!datagram) continue;
      this.#deliveredPath = number;
      return datagram;
    }
    return undefined;
  }

  pollTimeout(): Instant | undefined {
    const [first, second] = this.#paths;
    return earliestOf(first.pollTimeout(), second.pollTimeout());
  }
}
