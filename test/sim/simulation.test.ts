import { describe, expect, test } from 'vitest';
import { type Instant, instant, milliseconds } from '../../protocol/base/units.ts';
import type { Endpoint } from '../../protocol/endpoint.ts';
import { Link } from '../../sim/link/link.ts';
import { Simulation, type SimulationOptions } from '../../sim/simulation.ts';
import { link } from '../simulated-session.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));

/** Sends one byte at each of the given instants, and records all calls. */
class RecordingEndpoint implements Endpoint<string> {
  readonly calls: string[] = [];
  readonly #sendAt: Instant[];
  #pending: number | undefined;

  constructor(sendAt: readonly Instant[] = []) {
    this.#sendAt = [...sendAt];
  }

  handleDatagram(now: Instant, datagram: Uint8Array): void {
    this.calls.push(`${now / 1_000} received ${datagram[0]}`);
  }

  handleTimeout(now: Instant): void {
    this.calls.push(`${now / 1_000} woke up`);
    this.#sendAt.shift();
    this.#pending = now / 1_000;
  }

  pollTransmit(): Uint8Array | undefined {
    if (this.#pending === undefined) return undefined;
    const datagram = Uint8Array.of(this.#pending);
    this.#pending = undefined;
    return datagram;
  }

  pollEvent(): string | undefined {
    return undefined;
  }

  pollTimeout(): Instant | undefined {
    return this.#sendAt[0];
  }
}

const simulation = (sender: Endpoint<string>, receiver: Endpoint<string>, forward = 'delay=20ms') =>
  new Simulation({
    sender,
    receiver,
    forward: new Link(link(forward), 'forward'),
    back: new Link(link(forward), 'back'),
    scripts: [],
  });

test('the clock jumps from event to event', () => {
  const sender = new RecordingEndpoint([at(5), at(30)]);
  const receiver = new RecordingEndpoint([at(10)]);
  const run = simulation(sender, receiver);
  run.runUntil(at(1_000));
  expect(sender.calls).toEqual(['5 woke up', '30 received 10', '30 woke up']);
  expect(receiver.calls).toEqual(['10 woke up', '25 received 5', '50 received 30']);
  expect(run.now).toBe(milliseconds(1_000));
});

test('a run stops at its end time and can continue', () => {
  const sender = new RecordingEndpoint([at(5)]);
  const receiver = new RecordingEndpoint();
  const run = simulation(sender, receiver);
  run.runUntil(at(24));
  expect(receiver.calls).toEqual([]);
  run.runUntil(at(25));
  expect(receiver.calls).toEqual(['25 received 5']);
});

test('a datagram is delivered before a timeout at the same instant', () => {
  const receiver = new RecordingEndpoint([at(25)]);
  simulation(new RecordingEndpoint([at(5)]), receiver).runUntil(at(100));
  expect(receiver.calls).toEqual(['25 received 5', '25 woke up']);
});

test('a timeout in the past is handled at the current time', () => {
  const sender = new RecordingEndpoint([at(5), at(1)]);
  simulation(sender, new RecordingEndpoint()).runUntil(at(100));
  expect(sender.calls).toEqual(['5 woke up', '5 woke up']);
});

test('an endpoint that never moves its timeout fails an assertion', () => {
  const restless: Endpoint<string> = {
    handleDatagram: () => {},
    handleTimeout: () => {},
    pollTransmit: () => undefined,
    pollEvent: () => undefined,
    pollTimeout: () => at(1),
  };
  expect(() => simulation(restless, new RecordingEndpoint()).runUntil(at(2))).toThrow('must advance its timeout');
});

describe('an endpoint without a timeout is polled again', () => {
  /** Sends a byte on request, has no timeout, and reports each received byte. */
  class Mailbox implements Endpoint<number> {
    readonly heard: string[] = [];
    readonly #outgoing: Uint8Array[] = [];
    readonly #received: number[] = [];

    write(byte: number): void {
      this.#outgoing.push(Uint8Array.of(byte));
    }

    handleDatagram(now: Instant, datagram: Uint8Array): void {
      this.heard.push(`${now / 1_000} received ${datagram[0]}`);
      this.#received.push(datagram[0]!);
    }

    handleTimeout(): void {}

    pollTransmit(): Uint8Array | undefined {
      return this.#outgoing.shift();
    }

    pollEvent(): number | undefined {
      return this.#received.shift();
    }

    pollTimeout(): Instant | undefined {
      return undefined;
    }
  }

  const between = (sender: Mailbox, receiver: Mailbox, more: Partial<SimulationOptions<number, number>> = {}) =>
    new Simulation({
      sender,
      receiver,
      forward: new Link(link('delay=20ms'), 'forward'),
      back: new Link(link('delay=20ms'), 'back'),
      scripts: [],
      ...more,
    });

  test('after a script acted on it', () => {
    const [sender, receiver] = [new Mailbox(), new Mailbox()];
    const due = [at(30), at(70)];
    const script = { pollTimeout: () => due[0], run: () => sender.write(due.shift()! / 1_000) };
    between(sender, receiver, { scripts: [script] }).runUntil(at(200));
    expect(receiver.heard).toEqual(['50 received 30', '90 received 70']);
  });

  test('after an event callback acted on it', () => {
    const [sender, receiver] = [new Mailbox(), new Mailbox()];
    const onReceiverEvent = (_now: Instant, byte: number) => receiver.write(byte + 1);
    const run = between(sender, receiver, { onReceiverEvent });
    sender.write(1);
    run.runUntil(at(200));
    expect(receiver.heard).toEqual(['20 received 1']);
    expect(sender.heard).toEqual(['40 received 2']);
  });

  test('after the caller acted on it between two runs', () => {
    const [sender, receiver] = [new Mailbox(), new Mailbox()];
    const run = between(sender, receiver);
    run.runUntil(at(100));
    sender.write(7);
    run.runUntil(at(200));
    expect(receiver.heard).toEqual(['120 received 7']);
  });
});
