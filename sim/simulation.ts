import { assert } from '../protocol/base/assert.ts';
import { type Instant, instant, latest, NEVER } from '../protocol/base/units.ts';
import type { Ecn } from '../protocol/ecn.ts';
import type { Endpoint } from '../protocol/endpoint.ts';
import type { Direction } from './direction.ts';
import type { DatagramContext } from './link/datagram-context.ts';

/** A one-way path: a `Link`, or anything with the same methods. */
export interface Path {
  /** @param context properties of the datagram that are not in its bytes; absent when it has none. */
  send(now: Instant, datagram: Uint8Array, context?: DatagramContext): void;
  pollDelivery(now: Instant): Uint8Array | undefined;
  /** ECN bits of the datagram returned last by `pollDelivery`; absent: not ECN-capable. */
  readonly deliveredEcn?: Ecn;
  /** Number of the path by which that datagram came, where this is several in parallel; absent: 0. */
  readonly deliveredPath?: number;
  pollTimeout(): Instant | undefined;
}

/** A process with its own schedule, such as a source that provides frames. */
export interface Script {
  /** Time of the next call of `run`; `undefined`: never again. */
  pollTimeout(): Instant | undefined;
  run(now: Instant): void;
}

/** Parties of a simulation, and callbacks that observe it. */
export interface SimulationOptions<A, B> {
  /** Endpoint whose datagrams take `forward`. */
  readonly sender: Endpoint<A>;
  /** Endpoint whose datagrams take `back`. */
  readonly receiver: Endpoint<B>;
  /** Path from the sender to the receiver. */
  readonly forward: Path;
  /** Path from the receiver to the sender. */
  readonly back: Path;
  /** Parties without a datagram, such as a source, in the order in which they run at one instant. */
  readonly scripts: readonly Script[];
  /** Called with each event of the sender. */
  readonly onSenderEvent?: (now: Instant, event: A) => void;
  /** Called with each event of the receiver. */
  readonly onReceiverEvent?: (now: Instant, event: B) => void;
  /** Called for each datagram offered to a path, in order, as a capture would record it. */
  readonly onDatagram?: (now: Instant, direction: Direction, datagram: Uint8Array) => void;
}

/** Detects a livelock: an endpoint whose timeout stays in the past. */
const TURNS_AT_ONE_INSTANT_MAX = 1_000_000;

/** Contexts of datagrams by their path and ECN bits, so that none has to be allocated. */
const CONTEXTS: readonly (readonly (DatagramContext | undefined)[])[] = [
  [undefined, { ecn: 1 }, { ecn: 2 }, { ecn: 3 }],
  [{ path: 1 }, { ecn: 1, path: 1 }, { ecn: 2, path: 1 }, { ecn: 3, path: 1 }],
];

const contextOf = ({ transmitEcn = 0, transmitPath = 0 }: Pick<Endpoint<unknown>, 'transmitEcn' | 'transmitPath'>) =>
  CONTEXTS[transmitPath]![transmitEcn];

/** A component with a timeout. */
interface Timed {
  pollTimeout(): Instant | undefined;
}

/**
 * Cached timeout of a component. Its answer changes only when something acts on it, and asking is expensive at a few
 * hundred packets per second, so it is asked once after each action.
 */
class CachedTimeout {
  /** True when something acted on the component since it was last drained: it may have output. */
  touched = true;
  readonly #component: Timed;
  #known = false;
  #at: Instant = instant(0);

  constructor(component: Timed) {
    this.#component = component;
  }

  /** `Infinity` when the component waits for nothing. */
  get at(): Instant {
    if (this.#known) return this.#at;
    this.#known = true;
    this.#at = this.#component.pollTimeout() ?? NEVER;
    return this.#at;
  }

  touch(): void {
    this.touched = true;
    this.#known = false;
  }

  /** The caller is about to take all output. */
  markDrained(): void {
    this.touched = false;
    this.#known = false;
  }
}

/**
 * Two endpoints, a path per direction, and a virtual clock that jumps from event to event. Equal options give the same
 * datagrams at the same instants on every machine.
 *
 * External code may act on a component only between two runs, in a script, or in an event callback.
 */
export class Simulation<A, B> {
  readonly #options: SimulationOptions<A, B>;
  readonly #sender: CachedTimeout;
  readonly #receiver: CachedTimeout;
  readonly #forward: CachedTimeout;
  readonly #back: CachedTimeout;
  /**
   * Starts as NaN so that the engine stores it as a 64-bit float from the start: after 36 minutes, microseconds exceed
   * its small integers, and the compiled code would be discarded.
   */
  #now: Instant = instant(Number.NaN);
  #turns = 0;

  constructor(options: SimulationOptions<A, B>) {
    this.#options = options;
    this.#now = instant(0);
    this.#sender = new CachedTimeout(options.sender);
    this.#receiver = new CachedTimeout(options.receiver);
    this.#forward = new CachedTimeout(options.forward);
    this.#back = new CachedTimeout(options.back);
  }

  get now(): Instant {
    return this.#now;
  }

  /** Runs until no component waits, or until `end`. The clock then shows the last event, or `end`. */
  runUntil(end: Instant): void {
    this.#touchAll();
    this.#drain();
    for (;;) {
      const next = this.#nextEvent();
      if (next === Number.POSITIVE_INFINITY || next > end) break;
      if (next > this.#now) {
        this.#now = next;
        this.#turns = 0;
      }
      assert(++this.#turns < TURNS_AT_ONE_INSTANT_MAX, 'a component must advance its timeout when it is called');
      this.#turn();
    }
    this.#now = latest(this.#now, end);
  }

  /** Time of the next event, at which a caller on a real clock must call `runUntil`; `undefined`: none. */
  pollTimeout(): Instant | undefined {
    // Between two runs, external code may have acted on the components.
    this.#touchAll();
    const next = this.#nextEvent();
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  #nextEvent(): Instant {
    let next = instant(Math.min(this.#sender.at, this.#receiver.at, this.#forward.at, this.#back.at));
    for (const script of this.#options.scripts) {
      const at = script.pollTimeout();
      if (at !== undefined && at < next) next = at;
    }
    return next;
  }

  #turn(): void {
    const { sender, receiver, scripts } = this.#options;
    const now = this.#now;
    // Deliver datagrams before timeouts of the same instant, so that they count as in time.
    this.#deliver(this.#options.forward, this.#forward, receiver, this.#receiver);
    this.#deliver(this.#options.back, this.#back, sender, this.#sender);
    for (const script of scripts) {
      const at = script.pollTimeout();
      if (at === undefined || at > now) continue;
      script.run(now);
      this.#touchAll();
    }
    if (this.#sender.at <= now) {
      sender.handleTimeout(now);
      this.#sender.touch();
    }
    if (this.#receiver.at <= now) {
      receiver.handleTimeout(now);
      this.#receiver.touch();
    }
    this.#drain();
  }

  /** Delivers all datagrams that have reached the end of a path, one at a time. */
  #deliver(path: Path, pathTimeout: CachedTimeout, endpoint: Endpoint<unknown>, endpointTimeout: CachedTimeout): void {
    const now = this.#now;
    while (pathTimeout.at <= now) {
      const datagram = path.pollDelivery(now);
      pathTimeout.touch();
      if (!datagram) return;
      endpoint.handleDatagram(now, datagram, path.deliveredEcn, path.deliveredPath);
      endpointTimeout.touch();
      this.#drain();
    }
  }

  /** Takes all output of the endpoints. An endpoint without action since, and without an expired timeout, has none. */
  #drain(): void {
    const { sender, receiver, forward, back, onSenderEvent, onReceiverEvent, onDatagram } = this.#options;
    const now = this.#now;
    const fromSender = this.#sender.touched || this.#sender.at <= now;
    const fromReceiver = this.#receiver.touched || this.#receiver.at <= now;
    if (fromSender) {
      this.#sender.markDrained();
      for (let datagram = sender.pollTransmit(now); datagram; datagram = sender.pollTransmit(now)) {
        onDatagram?.(now, 'forward', datagram);
        forward.send(now, datagram, contextOf(sender));
        this.#forward.touch();
      }
    }
    if (fromReceiver) {
      this.#receiver.markDrained();
      for (let datagram = receiver.pollTransmit(now); datagram; datagram = receiver.pollTransmit(now)) {
        onDatagram?.(now, 'back', datagram);
        back.send(now, datagram, contextOf(receiver));
        this.#back.touch();
      }
    }
    if (fromSender) this.#reportEvents(sender, onSenderEvent);
    if (fromReceiver) this.#reportEvents(receiver, onReceiverEvent);
  }

  #reportEvents<Event>(endpoint: Endpoint<Event>, onEvent: ((now: Instant, event: Event) => void) | undefined): void {
    for (let event = endpoint.pollEvent(); event !== undefined; event = endpoint.pollEvent()) {
      if (!onEvent) continue;
      onEvent(this.#now, event);
      this.#touchAll();
    }
  }

  #touchAll(): void {
    this.#sender.touch();
    this.#receiver.touch();
    this.#forward.touch();
    this.#back.touch();
  }
}
