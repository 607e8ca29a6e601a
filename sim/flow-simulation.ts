import { assert } from '../protocol/base/assert.ts';
import { earliest, type Instant, instant, latest, NEVER } from '../protocol/base/units.ts';
import type { SharedPath } from './shared-path.ts';

/** Both ends of a flow: a `Simulation` whose paths are ports of the shared ones. */
export interface SimulatedFlow {
  /** Time of its next event; `undefined`: none. */
  pollTimeout(): Instant | undefined;
  runUntil(end: Instant): void;
}

/** Detects flows whose timeouts stay in the past. */
const TURNS_AT_ONE_INSTANT_MAX = 1_000_000;

/**
 * Several flows over shared paths on one virtual clock. At one instant, datagrams are delivered first, then the flows
 * act in the order of their numbers.
 */
export class FlowSimulation {
  readonly #flows: readonly SimulatedFlow[];
  readonly #paths: readonly SharedPath[];
  /** Time of each flow's next event; it changes only when the flow runs or a datagram reaches it. */
  readonly #next: Instant[];
  #now: Instant = instant(0);

  /** @param flows in the order of their ports on each path. */
  constructor(flows: readonly SimulatedFlow[], paths: readonly SharedPath[]) {
    this.#flows = flows;
    this.#paths = paths;
    this.#next = flows.map(() => instant(0));
  }

  get now(): Instant {
    return this.#now;
  }

  /** Runs until `end`, which the clock then shows. */
  runUntil(end: Instant): void {
    for (const index of this.#flows.keys()) this.#ask(index);
    for (let turns = 0; ; turns++) {
      let next = NEVER;
      for (const path of this.#paths) next = earliest(next, path.pollTimeout());
      for (const at of this.#next) next = earliest(next, at);
      if (next > end) break;
      if (next > this.#now) turns = 0;
      assert(turns < TURNS_AT_ONE_INSTANT_MAX, 'a flow must advance its timeout when it runs');
      this.#now = latest(this.#now, next);
      this.#turn();
    }
    this.#now = latest(this.#now, end);
    for (const flow of this.#flows) flow.runUntil(end);
  }

  #turn(): void {
    for (const path of this.#paths) {
      path.advance(this.#now);
      for (let flow = path.pollReached(); flow !== undefined; flow = path.pollReached()) this.#next[flow] = this.#now;
    }
    for (const [index, flow] of this.#flows.entries()) {
      if (this.#next[index]! > this.#now) continue;
      flow.runUntil(this.#now);
      this.#ask(index);
    }
  }

  #ask(index: number): void {
    this.#next[index] = this.#flows[index]!.pollTimeout() ?? NEVER;
  }
}
