import { expect, test } from 'vitest';
import { type Instant, milliseconds } from '../../protocol/base/instant.ts';
import type { Endpoint } from '../../protocol/endpoint.ts';
import { HostedEndpoint } from '../../sim/hosted-endpoint.ts';

const at = milliseconds;

/** Writes down what happens to it; wants to be called at one instant. */
class Diarist implements Endpoint<string> {
  readonly diary: (readonly [Instant, string])[] = [];
  #wantedAt: Instant | undefined;

  constructor(wantedAt?: Instant) {
    this.#wantedAt = wantedAt;
  }

  handleDatagram(now: Instant, datagram: Uint8Array): void {
    this.diary.push([now, `received ${datagram[0]}`]);
  }

  handleTimeout(now: Instant): void {
    this.diary.push([now, 'woke up']);
    this.#wantedAt = undefined;
  }

  pollTransmit(): undefined {}

  pollEvent(): string | undefined {
    return undefined;
  }

  pollTimeout(): Instant | undefined {
    return this.#wantedAt;
  }
}

/** As a simulation does: calls it whenever it wants to be called. */
function runOn(hosted: HostedEndpoint<string>): void {
  for (let now = hosted.pollTimeout(); now !== undefined; now = hosted.pollTimeout()) hosted.handleTimeout(now);
}

test('a datagram is there when the process wakes up, in order, with the time of then', () => {
  const inner = new Diarist();
  const hosted = new HostedEndpoint(inner, { arrival: 700, together: true, timerTick: 1 });
  hosted.handleDatagram(at(10), Uint8Array.of(1));
  hosted.handleDatagram(at(10), Uint8Array.of(2));
  hosted.handleDatagram(at(10) + 100, Uint8Array.of(3));
  expect(inner.diary).toEqual([]);
  runOn(hosted);
  expect(inner.diary).toEqual([
    [10_700, 'received 1'],
    [10_700, 'received 2'],
    [10_800, 'received 3'],
  ]);
});

test('a timer rings at the next whole multiple, never early, and what arrives before it does not ring it', () => {
  const inner = new Diarist(at(10) + 1);
  const hosted = new HostedEndpoint(inner, { arrival: 500, together: true, timerTick: 1_000 });
  hosted.handleDatagram(at(10), Uint8Array.of(1));
  runOn(hosted);
  expect(inner.diary).toEqual([
    [10_500, 'received 1'],
    [11_000, 'woke up'],
  ]);
});

test('a timer without ticks rings to the microsecond', () => {
  const inner = new Diarist(12_345);
  runOn(new HostedEndpoint(inner, { arrival: 0, together: true, timerTick: 1 }));
  expect(inner.diary).toEqual([[12_345, 'woke up']]);
});

test.each([
  { together: true, calls: 1 },
  { together: false, calls: 2 },
])('what came together is handled in $calls calls: together is $together', ({ together, calls }) => {
  const inner = new Diarist();
  const hosted = new HostedEndpoint(inner, { arrival: 100, together, timerTick: 1 });
  for (const number of [1, 2]) hosted.handleDatagram(0, Uint8Array.of(number));
  let called = 0;
  for (let now = hosted.pollTimeout(); now !== undefined; now = hosted.pollTimeout(), called++)
    hosted.handleTimeout(now);
  expect(called).toBe(calls);
  expect(inner.diary).toHaveLength(2);
});
