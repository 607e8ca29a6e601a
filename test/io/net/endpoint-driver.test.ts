import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { EndpointDriver, type EndpointFault } from '../../../io/net/endpoint-driver.ts';
import { now } from '../../../io/os/clock.ts';
import { WakeUp } from '../../../io/os/wake-up.ts';
import { earlier, type Instant, instant, later, milliseconds, seconds } from '../../../protocol/base/units.ts';
import type { Endpoint } from '../../../protocol/endpoint.ts';
import { until } from './control-peers.ts';

/** Echoes each datagram, and rings at the requested time. */
class Echo implements Endpoint<string> {
  readonly timeouts: Instant[] = [];
  readonly datagrams: Uint8Array[] = [];
  readonly #out: Uint8Array[] = [];
  readonly #events: string[] = [];
  wakeAt: Instant | undefined;

  handleDatagram(_now: Instant, datagram: Uint8Array): void {
    this.datagrams.push(datagram);
    this.#out.push(datagram);
    this.#events.push(`received ${datagram[0]}`);
  }

  handleTimeout(at: Instant): void {
    this.timeouts.push(at);
    this.wakeAt = undefined;
    this.#events.push('woke up');
  }

  pollTransmit(): Uint8Array | undefined {
    return this.#out.shift();
  }

  pollEvent(): string | undefined {
    return this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    return this.wakeAt;
  }
}

function driven() {
  const endpoint = new Echo();
  const transmitted: (readonly Uint8Array[])[] = [];
  const events: string[] = [];
  const driver = new EndpointDriver({
    endpoint,
    transmit: (datagrams) => transmitted.push([...datagrams]),
    onEvent: (event) => events.push(event),
  });
  onTestFinished(() => driver.close());
  return { endpoint, driver, transmitted, events };
}

test('drains once per turn, in order', async () => {
  const { driver, transmitted, events } = driven();
  for (const byte of [1, 2, 3]) driver.receive(Uint8Array.of(byte));
  expect(transmitted).toEqual([]);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(transmitted).toEqual([[Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]]);
  expect(events).toEqual(['received 1', 'received 2', 'received 3']);
});

test('wakes an endpoint once, at its time and not before', async () => {
  const { endpoint, driver, events } = driven();
  const due = now() + 30_000;
  endpoint.wakeAt = instant(due);
  driver.drain();
  await until('it was woken', () => endpoint.timeouts.length > 0);
  expect(endpoint.timeouts[0]).toBeGreaterThanOrEqual(due);
  await pause(40);
  expect(endpoint.timeouts).toHaveLength(1);
  expect(events).toEqual(['woke up']);
});

test('replaces a later timeout by an earlier one', async () => {
  const { endpoint, driver } = driven();
  endpoint.wakeAt = later(now(), seconds(60));
  driver.drain();
  endpoint.wakeAt = later(now(), milliseconds(10));
  driver.receive(Uint8Array.of(1));
  await until('it was woken', () => endpoint.timeouts.length === 1);
});

test('does nothing after a close, not even pending work', async () => {
  const { endpoint, driver, transmitted } = driven();
  endpoint.wakeAt = later(now(), milliseconds(5));
  driver.drain();
  driver.receive(Uint8Array.of(1));
  driver.close();
  driver.receive(Uint8Array.of(2));
  driver.drain();
  await pause(30);
  expect(endpoint.timeouts).toEqual([]);
  expect(endpoint.datagrams).toEqual([Uint8Array.of(1)]);
  expect(transmitted).toEqual([]);
});

test('may be closed by an event handler', async () => {
  const endpoint = new Echo();
  const driver: EndpointDriver<string> = new EndpointDriver({
    endpoint,
    transmit: () => {},
    onEvent: () => {
      // Set here, so that it is not due before the event, however late that comes.
      endpoint.wakeAt = later(now(), milliseconds(1));
      driver.close();
    },
  });
  driver.receive(Uint8Array.of(1));
  await until('the event', () => endpoint.wakeAt !== undefined);
  await pause(20);
  expect(endpoint.timeouts).toEqual([]);
});

test('rings once, can be set again, and stays silent after clear', async () => {
  let rings = 0;
  const wakeUp = new WakeUp(() => rings++);
  wakeUp.set(undefined);
  wakeUp.set(later(now(), milliseconds(5)));
  wakeUp.set(later(now(), seconds(50)));
  await until('it has rung', () => rings === 1);
  wakeUp.set(later(now(), milliseconds(5)));
  wakeUp.clear();
  await pause(20);
  expect(rings).toBe(1);
  wakeUp.set(earlier(now(), milliseconds(1)));
  await until('it has rung again', () => rings === 2);
});

test('does not ring at once for a time beyond the range of timers', async () => {
  let rings = 0;
  const wakeUp = new WakeUp(() => rings++);
  onTestFinished(() => wakeUp.clear());
  wakeUp.set(later(now(), seconds(1_000_000_000)));
  await pause(20);
  expect(rings).toBe(0);
});

test('an endpoint that throws is not called again, and the error names its last input', async () => {
  const endpoint = new Echo();
  endpoint.handleTimeout = () => {
    throw new Error('invariant broken: made up');
  };
  const faults: EndpointFault[] = [];
  const transmitted: Uint8Array[] = [];
  const driver = new EndpointDriver({
    endpoint,
    transmit: (datagrams) => transmitted.push(...datagrams),
    onEvent: () => {},
    onFault: (fault) => faults.push(fault),
  });
  driver.receive(Uint8Array.of(0xab, 1));
  endpoint.wakeAt = now();
  driver.receive(new Uint8Array(1_000).fill(7));
  await until('the driver has rung', () => faults.length > 0);
  driver.receive(Uint8Array.of(3));
  driver.drain();
  expect(driver.attempt(() => 'asked')).toBeUndefined();
  expect(endpoint.datagrams.length).toBe(2);
  expect(faults.map(({ error }) => (error as Error).message)).toEqual(['invariant broken: made up']);
  expect(faults[0]!.datagrams.map(({ bytes, head }) => [bytes, head])).toEqual([
    [2, 'ab01'],
    [1_000, '07'.repeat(48)],
  ]);
});
