import { expect, test } from 'vitest';
import { milliseconds } from '../../protocol/instant.ts';
import { ReliableLink } from '../../sim/reliable-link.ts';
import { link } from '../simulated-session.ts';

const at = milliseconds;

function deliveries(path: ReliableLink): { segment: number; at: number }[] {
  const delivered = [];
  for (let next = path.pollTimeout(); next !== undefined; next = path.pollTimeout()) {
    const segment = path.pollDelivery(next);
    if (segment) delivered.push({ segment: segment[0]!, at: next });
  }
  return delivered;
}

function sendEach(path: ReliableLink, segments: number, everyMs: number, bytes = 10): void {
  for (let segment = 0; segment < segments; segment++) {
    path.send(at(segment * everyMs), new Uint8Array(bytes).fill(segment));
  }
}

test('without loss a segment takes its delay and no more', () => {
  const path = new ReliableLink(link('delay=25ms'), 'forward');
  sendEach(path, 3, 10);
  expect(deliveries(path)).toEqual([
    { segment: 0, at: at(25) },
    { segment: 1, at: at(35) },
    { segment: 2, at: at(45) },
  ]);
});

test('the bottleneck makes what follows wait, and loses nothing', () => {
  const path = new ReliableLink(link('rate=1mbit queue=1ms'), 'forward');
  sendEach(path, 3, 0, 1_000);
  expect(deliveries(path).map((delivery) => delivery.at)).toEqual([at(8), at(16), at(24)]);
});

test('nothing is lost and nothing overtakes, however bad the path is', () => {
  const path = new ReliableLink(link('loss=40% burst=4 delay=20ms jitter=30ms seed=3'), 'forward');
  sendEach(path, 250, 4);
  expect(deliveries(path).map(({ segment }) => segment)).toEqual(Array.from({ length: 250 }, (_, index) => index));
  expect(path.held).toBeGreaterThan(30);
});

test('a lost segment comes a round trip later, and holds back what is behind it', () => {
  // The first seed whose first segment alone is lost, and once.
  for (let seed = 0; seed < 1_000; seed++) {
    const path = new ReliableLink(link(`loss=10% delay=20ms seed=${seed}`), 'forward');
    sendEach(path, 1, 0);
    if (path.held !== 1 || path.pollTimeout() !== at(60)) continue;
    for (let segment = 1; segment < 10; segment++) path.send(at(segment * 5), Uint8Array.of(segment));
    if (path.held !== 1) continue;
    // One way 20 ms; what would have been there from 25 ms on waits for the first, which needs a round trip more.
    expect(deliveries(path).map((delivery) => delivery.at)).toEqual([60, 60, 60, 60, 60, 60, 60, 60, 60, 65].map(at));
    return;
  }
  throw new Error('no seed loses the first segment alone');
});

test('a segment that is lost again costs another round trip each time', () => {
  const path = new ReliableLink(link('loss=25% delay=10ms seed=4'), 'forward');
  for (let segment = 0; segment < 200; segment++) path.send(at(segment * 50_000), Uint8Array.of(segment));
  const delays = deliveries(path).map((delivery, index) => delivery.at - at(index * 50_000));
  const possible = [10, 30, 50, 70, 90, 110, 130, 150].map(at);
  expect(delays.filter((delay) => !possible.includes(delay))).toEqual([]);
  for (const delay of possible.slice(0, 3)) expect(delays).toContain(delay);
});

test('a path that loses everything still ends: a segment is sent again fifteen times at most', () => {
  const path = new ReliableLink(link('loss=100% delay=10ms'), 'forward');
  sendEach(path, 1, 0);
  expect(deliveries(path)).toHaveLength(1);
});
