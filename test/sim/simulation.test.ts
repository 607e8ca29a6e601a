import { describe, expect, test } from 'vitest';
import { type Instant, milliseconds } from '../../protocol/base/instant.ts';
import type { Endpoint } from '../../protocol/endpoint.ts';
import { Link } from '../../sim/link/link.ts';
import { Simulation, type SimulationOptions } from '../../sim/simulation.ts';
import { link } from '../simulated-session.ts';

const at = milliseconds;

/** Sends a byte at each of some instants, and writes down what happens to it. */
class Diarist implements Endpoint<string> {
  readonly diary: string[] = [];
  readonly #sendAt: Instant[];
  #pending: number | undefined;

  constructor(sendAt: readonly Instant[] = []) {
    this.#sendAt = [...sendAt];
  }

  handleDatagram(now: Instant, datagram: Uint8Array): void {
    this.diary.push(`${now / 1_000} received ${datagram[0]}`);
  }

  handleTimeout(now: Instant): void {
    this.diary.push(`${now / 1_000} woke up`);
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

test('the clock jumps from event to event, and everything happens at its own instant', () => {
  const sender = new Diarist([at(5), at(30)]);
  const receiver = new Diarist([at(10)]);
  const run = simulation(sender, receiver);
  run.runUntil(at(1_000));
  expect(sender.diary).toEqual(['5 woke up', '30 received 10', '30 woke up']);
  expect(receiver.diary).toEqual(['10 woke up', '25 received 5', '50 received 30']);
  expect(run.now).toBe(at(1_000));
});

test('it stops where it is told to, and goes on from there', () => {
  const sender = new Diarist([at(5)]);
  const receiver = new Diarist();
  const run = simulation(sender, receiver);
  run.runUntil(at(24));
  expect(receiver.diary).toEqual([]);
  run.runUntil(at(25));
  expect(receiver.diary).toEqual(['25 received 5']);
});

test('what arrives at an instant is there before anything is found late at it', () => {
  const receiver = new Diarist([at(25)]);
  simulation(new Diarist([at(5)]), receiver).runUntil(at(100));
  expect(receiver.diary).toEqual(['25 received 5', '25 woke up']);
});

test('a timeout in the past is served now, not before', () => {
  const sender = new Diarist([at(5), at(1)]);
  simulation(sender, new Diarist()).runUntil(at(100));
  expect(sender.diary).toEqual(['5 woke up', '5 woke up']);
});

test('a machine that asks to be woken for ever at one instant is our mistake, and ends the run', () => {
  const restless: Endpoint<string> = {
    handleDatagram: () => {},
    handleTimeout: () => {},
    pollTransmit: () => undefined,
    pollEvent: () => undefined,
    pollTimeout: () => at(1),
  };
  expect(() => simulation(restless, new Diarist()).runUntil(at(2))).toThrow(
    'a machine that is called moves its timeout',
  );
});

describe('who waits for nothing is asked again', () => {
  /** Sends a byte when told to, wants nothing of its own, and tells each byte that it gets. */
  class Messenger implements Endpoint<number> {
    readonly heard: string[] = [];
    readonly #mail: Uint8Array[] = [];
    readonly #told: number[] = [];

    write(byte: number): void {
      this.#mail.push(Uint8Array.of(byte));
    }

    handleDatagram(now: Instant, datagram: Uint8Array): void {
      this.heard.push(`${now / 1_000} received ${datagram[0]}`);
      this.#told.push(datagram[0]!);
    }

    handleTimeout(): void {}

    pollTransmit(): Uint8Array | undefined {
      return this.#mail.shift();
    }

    pollEvent(): number | undefined {
      return this.#told.shift();
    }

    pollTimeout(): Instant | undefined {
      return undefined;
    }
  }

  const between = (sender: Messenger, receiver: Messenger, more: Partial<SimulationOptions<number, number>> = {}) =>
    new Simulation({
      sender,
      receiver,
      forward: new Link(link('delay=20ms'), 'forward'),
      back: new Link(link('delay=20ms'), 'back'),
      scripts: [],
      ...more,
    });

  test('after a script has acted on it', () => {
    const [sender, receiver] = [new Messenger(), new Messenger()];
    const due = [at(30), at(70)];
    const script = { pollTimeout: () => due[0], run: () => sender.write(due.shift()! / 1_000) };
    between(sender, receiver, { scripts: [script] }).runUntil(at(200));
    expect(receiver.heard).toEqual(['50 received 30', '90 received 70']);
  });

  test('after someone who was told of an event has acted on it', () => {
    const [sender, receiver] = [new Messenger(), new Messenger()];
    const onReceiverEvent = (_now: Instant, byte: number) => receiver.write(byte + 1);
    const run = between(sender, receiver, { onReceiverEvent });
    sender.write(1);
    run.runUntil(at(200));
    expect(receiver.heard).toEqual(['20 received 1']);
    expect(sender.heard).toEqual(['40 received 2']);
  });

  test('after someone has acted on it between two runs', () => {
    const [sender, receiver] = [new Messenger(), new Messenger()];
    const run = between(sender, receiver);
    run.runUntil(at(100));
    sender.write(7);
    run.runUntil(at(200));
    expect(receiver.heard).toEqual(['120 received 7']);
  });
});
