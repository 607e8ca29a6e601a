import { assert } from '../protocol/base/assert.ts';
import type { Instant } from '../protocol/base/instant.ts';
import type { Endpoint } from '../protocol/endpoint.ts';
import type { Direction } from './direction.ts';

/** A one-way path: `Link`, or anything that behaves like it. */
export interface Path {
  send(now: Instant, datagram: Uint8Array): void;
  pollDelivery(now: Instant): Uint8Array | undefined;
  pollTimeout(): Instant | undefined;
}

/** Something that happens at a time of its own choosing, such as a source that hands over a frame. */
export interface Script {
  /** When `run` is to be called next; `undefined`: never again. */
  pollTimeout(): Instant | undefined;
  run(now: Instant): void;
}

export interface SimulationOptions<A, B> {
  readonly sender: Endpoint<A>;
  readonly receiver: Endpoint<B>;
  readonly forward: Path;
  readonly back: Path;
  readonly scripts: readonly Script[];
  readonly onSenderEvent?: (now: Instant, event: A) => void;
  readonly onReceiverEvent?: (now: Instant, event: B) => void;
  /** Every datagram offered to a path, in order: what a capture would show. */
  readonly onDatagram?: (now: Instant, direction: Direction, datagram: Uint8Array) => void;
}

/** More turns at one instant than any machine takes: one that asks to be woken in the past for ever. */
const TURNS_AT_ONE_INSTANT_MAX = 1_000_000;

/** What can be asked when it wants to be called. */
interface Timed {
  pollTimeout(): Instant | undefined;
}

/**
 * When a party wants to be called, as it last said. Its answer cannot change while nobody does anything to it, and to ask
 * is dear where there are a few hundred packets a second: so it is asked once after each thing that was done.
 */
class WakeUp {
  /** Something was done since it was last drained: it may have something to hand out. */
  stirred = true;
  readonly #party: Timed;
  #known = false;
  #at: Instant = 0;

  constructor(party: Timed) {
    this.#party = party;
  }

  /** `Infinity`: it waits for nothing. */
  get at(): Instant {
    if (this.#known) return this.#at;
    this.#known = true;
    this.#at = this.#party.pollTimeout() ?? Number.POSITIVE_INFINITY;
    return this.#at;
  }

  stir(): void {
    this.stirred = true;
    this.#known = false;
  }

  /** All that it had to hand out is about to be taken. */
  settle(): void {
    this.stirred = false;
    this.#known = false;
  }
}

/**
 * Two endpoints, a path each way and a virtual clock that jumps from event to event. The same options give the same
 * datagrams at the same instants, on any machine.
 *
 * Whoever acts on a party from outside does so between two runs, in a script, or when told of an event.
 */
export class Simulation<A, B> {
  readonly #options: SimulationOptions<A, B>;
  readonly #sender: WakeUp;
  readonly #receiver: WakeUp;
  readonly #forward: WakeUp;
  readonly #back: WakeUp;
  /**
   * Not a number until it is set, so that the engine keeps it as 64 bits from the start: after 36 minutes microseconds
   * are more than its small integers hold, and all that it had compiled for those would be compiled anew.
   */
  #now: Instant = Number.NaN;
  #turns = 0;

  constructor(options: SimulationOptions<A, B>) {
    this.#options = options;
    this.#now = 0;
    this.#sender = new WakeUp(options.sender);
    this.#receiver = new WakeUp(options.receiver);
    this.#forward = new WakeUp(options.forward);
    this.#back = new WakeUp(options.back);
  }

  get now(): Instant {
    return this.#now;
  }

  /** Runs until nothing waits for time any more, or until `end`; the clock then stands at the last event, or at `end`. */
  runUntil(end: Instant): void {
    this.#stirAll();
    this.#drain();
    for (;;) {
      const next = this.#nextEvent();
      if (next === Number.POSITIVE_INFINITY || next > end) break;
      if (next > this.#now) {
        this.#now = next;
        this.#turns = 0;
      }
      assert(++this.#turns < TURNS_AT_ONE_INSTANT_MAX, 'a machine that is called moves its timeout on');
      this.#turn();
    }
    this.#now = Math.max(this.#now, end);
  }

  /** When something happens next: on a real clock, when `runUntil` wants to be called; `undefined`: nothing waits for time. */
  pollTimeout(): Instant | undefined {
    // Between two runs anyone may have acted on the parties.
    this.#stirAll();
    const next = this.#nextEvent();
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  #nextEvent(): Instant {
    let next = Math.min(this.#sender.at, this.#receiver.at, this.#forward.at, this.#back.at);
    for (const script of this.#options.scripts) {
      const at = script.pollTimeout();
      if (at !== undefined && at < next) next = at;
    }
    return next;
  }

  #turn(): void {
    const { sender, receiver, scripts } = this.#options;
    const now = this.#now;
    // What arrives at an instant is there before anything is judged to be late at it.
    this.#deliver(this.#options.forward, this.#forward, receiver, this.#receiver);
    this.#deliver(this.#options.back, this.#back, sender, this.#sender);
    for (const script of scripts) {
      const at = script.pollTimeout();
      if (at === undefined || at > now) continue;
      script.run(now);
      this.#stirAll();
    }
    if (this.#sender.at <= now) {
      sender.handleTimeout(now);
      this.#sender.stir();
    }
    if (this.#receiver.at <= now) {
      receiver.handleTimeout(now);
      this.#receiver.stir();
    }
    this.#drain();
  }

  /** Everything that has come to the end of a path, one after the other. */
  #deliver(path: Path, pathWakeUp: WakeUp, endpoint: Endpoint<unknown>, wakeUp: WakeUp): void {
    const now = this.#now;
    while (pathWakeUp.at <= now) {
      const datagram = path.pollDelivery(now);
      pathWakeUp.stir();
      if (!datagram) return;
      endpoint.handleDatagram(now, datagram);
      wakeUp.stir();
      this.#drain();
    }
  }

  /** Takes what the endpoints have to hand out; one that nothing was done to, and whose time has not come, has nothing. */
  #drain(): void {
    const { sender, receiver, forward, back, onSenderEvent, onReceiverEvent, onDatagram } = this.#options;
    const now = this.#now;
    const fromSender = this.#sender.stirred || this.#sender.at <= now;
    const fromReceiver = this.#receiver.stirred || this.#receiver.at <= now;
    if (fromSender) {
      this.#sender.settle();
      for (let datagram = sender.pollTransmit(now); datagram; datagram = sender.pollTransmit(now)) {
        onDatagram?.(now, 'forward', datagram);
        forward.send(now, datagram);
        this.#forward.stir();
      }
    }
    if (fromReceiver) {
      this.#receiver.settle();
      for (let datagram = receiver.pollTransmit(now); datagram; datagram = receiver.pollTransmit(now)) {
        onDatagram?.(now, 'back', datagram);
        back.send(now, datagram);
        this.#back.stir();
      }
    }
    if (fromSender) this.#tell(sender, onSenderEvent);
    if (fromReceiver) this.#tell(receiver, onReceiverEvent);
  }

  #tell<Event>(endpoint: Endpoint<Event>, onEvent: ((now: Instant, event: Event) => void) | undefined): void {
    for (let event = endpoint.pollEvent(); event; event = endpoint.pollEvent()) {
      if (!onEvent) continue;
      onEvent(this.#now, event);
      this.#stirAll();
    }
  }

  #stirAll(): void {
    this.#sender.stir();
    this.#receiver.stir();
    this.#forward.stir();
    this.#back.stir();
  }
}
