import { expect, test } from 'vitest';
import type { Endpoint } from '../../protocol/endpoint.ts';
import { type Instant, milliseconds } from '../../protocol/instant.ts';
import { Link } from '../../sim/link.ts';
import { Simulation } from '../../sim/simulation.ts';
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
