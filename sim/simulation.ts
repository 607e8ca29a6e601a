import { assert } from '../protocol/assert.ts';
import type { Endpoint } from '../protocol/endpoint.ts';
import type { Instant } from '../protocol/instant.ts';

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
  readonly onDatagram?: (now: Instant, direction: 'forward' | 'back', datagram: Uint8Array) => void;
}

/** More turns at one instant than any machine takes: one that asks to be woken in the past for ever. */
const TURNS_AT_ONE_INSTANT_MAX = 1_000_000;

/**
 * Two endpoints, a path each way and a virtual clock that jumps from event to event. The same options give the same
 * datagrams at the same instants, on any machine.
 */
export class Simulation<A, B> {
  readonly #options: SimulationOptions<A, B>;
  #now: Instant = 0;
  #turns = 0;

  constructor(options: SimulationOptions<A, B>) {
    this.#options = options;
  }

  get now(): Instant {
    return this.#now;
  }

  /** Runs until nothing waits for time any more, or until `end`; the clock then stands at the last event, or at `end`. */
  runUntil(end: Instant): void {
    this.#drain();
    for (;;) {
      const next = this.pollTimeout();
      if (next === undefined || next > end) break;
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
    const { sender, receiver, forward, back, scripts } = this.#options;
    let next: Instant | undefined;
    for (const party of [sender, receiver, forward, back, ...scripts]) {
      const at = party.pollTimeout();
      if (at !== undefined && (next === undefined || at < next)) next = at;
    }
    return next;
  }

  #turn(): void {
    const { sender, receiver, forward, back, scripts } = this.#options;
    const now = this.#now;
    // What arrives at an instant is there before anything is judged to be late at it.
    for (let datagram = forward.pollDelivery(now); datagram; datagram = forward.pollDelivery(now)) {
      receiver.handleDatagram(now, datagram);
      this.#drain();
    }
    for (let datagram = back.pollDelivery(now); datagram; datagram = back.pollDelivery(now)) {
      sender.handleDatagram(now, datagram);
      this.#drain();
    }
    for (const script of scripts) if (due(script.pollTimeout(), now)) script.run(now);
    if (due(sender.pollTimeout(), now)) sender.handleTimeout(now);
    if (due(receiver.pollTimeout(), now)) receiver.handleTimeout(now);
    this.#drain();
  }

  #drain(): void {
    const { sender, receiver, forward, back, onSenderEvent, onReceiverEvent, onDatagram } = this.#options;
    const now = this.#now;
    for (let datagram = sender.pollTransmit(now); datagram; datagram = sender.pollTransmit(now)) {
      onDatagram?.(now, 'forward', datagram);
      forward.send(now, datagram);
    }
    for (let datagram = receiver.pollTransmit(now); datagram; datagram = receiver.pollTransmit(now)) {
      onDatagram?.(now, 'back', datagram);
      back.send(now, datagram);
    }
    for (let event = sender.pollEvent(); event; event = sender.pollEvent()) onSenderEvent?.(now, event);
    for (let event = receiver.pollEvent(); event; event = receiver.pollEvent()) onReceiverEvent?.(now, event);
  }
}

const due = (at: Instant | undefined, now: Instant): boolean => at !== undefined && at <= now;
