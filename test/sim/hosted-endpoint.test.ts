import { expect, test } from 'vitest';
import { type Instant, instant, microseconds, milliseconds } from '../../protocol/base/units.ts';
import type { Endpoint } from '../../protocol/endpoint.ts';
import { HostedEndpoint } from '../../sim/hosted-endpoint.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));

/** Records all calls, and requests one timeout. */
class RecordingEndpoint implements Endpoint<string> {
  readonly calls: (readonly [Instant, string])[] = [];
  #wantedAt: Instant | undefined;

  constructor(wantedAt?: Instant) {
    this.#wantedAt = wantedAt;
  }

  handleDatagram(now: Instant, datagram: Uint8Array): void {
    this.calls.push([now, `received ${datagram[0]}`]);
  }

  handleTimeout(now: Instant): void {
    this.calls.push([now, 'woke up']);
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

/** Drives the endpoint as a simulation does. */
function runOn(hosted: HostedEndpoint<string>): void {
  for (let now = hosted.pollTimeout(); now !== undefined; now = hosted.pollTimeout()) hosted.handleTimeout(now);
}

test('datagrams arrive in order after the wake-up latency', () => {
  const inner = new RecordingEndpoint();
  const hosted = new HostedEndpoint(inner, { arrival: microseconds(700), together: true, timerTick: microseconds(1) });
  hosted.handleDatagram(at(10), Uint8Array.of(1));
  hosted.handleDatagram(at(10), Uint8Array.of(2));
  hosted.handleDatagram(instant(at(10) + 100), Uint8Array.of(3));
  expect(inner.calls).toEqual([]);
  runOn(hosted);
  expect(inner.calls).toEqual([
    [10_700, 'received 1'],
    [10_700, 'received 2'],
    [10_800, 'received 3'],
  ]);
});

test('a timer expires at the next tick, never early, and an earlier arrival does not trigger it', () => {
  const inner = new RecordingEndpoint(instant(at(10) + 1));
  const hosted = new HostedEndpoint(inner, { arrival: microseconds(500), together: true, timerTick: milliseconds(1) });
  hosted.handleDatagram(at(10), Uint8Array.of(1));
  runOn(hosted);
  expect(inner.calls).toEqual([
    [10_500, 'received 1'],
    [11_000, 'woke up'],
  ]);
});

test('a timer without ticks expires to the microsecond', () => {
  const inner = new RecordingEndpoint(instant(12_345));
  runOn(new HostedEndpoint(inner, { arrival: microseconds(0), together: true, timerTick: microseconds(1) }));
  expect(inner.calls).toEqual([[12_345, 'woke up']]);
});

test.each([
  { together: true, calls: 1 },
  { together: false, calls: 2 },
])('simultaneous datagrams are handled in $calls calls when together is $together', ({ together, calls }) => {
  const inner = new RecordingEndpoint();
  const hosted = new HostedEndpoint(inner, { arrival: microseconds(100), together, timerTick: microseconds(1) });
  for (const number of [1, 2]) hosted.handleDatagram(instant(0), Uint8Array.of(number));
  let called = 0;
  for (let now = hosted.pollTimeout(); now !== undefined; now = hosted.pollTimeout(), called++)
    hosted.handleTimeout(now);
  expect(called).toBe(calls);
  expect(inner.calls).toHaveLength(2);
});
