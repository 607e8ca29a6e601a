import { describe, expect, test } from 'vitest';
import { instant, milliseconds } from '../../../../protocol/base/units.ts';
import { Link } from '../../../../sim/link/link.ts';
import { parseLink } from '../../../../sim/link/link-parse.ts';
import { parsePathTrace } from '../../../../sim/link/loss/path-trace.ts';

const at = (ms: number) => instant(milliseconds(ms));
const traced = (text: string, words = '') =>
  new Link(
    parseLink(`pathtrace=x ${words}`, () => ({ ok: true, value: text })),
    'forward',
  );

/** Sends a datagram at each of these times, milliseconds; returns the delay of each, `lost` for those that never came. */
function delaysOf(path: Link, sent: readonly number[]): (number | 'lost')[] {
  const delays: (number | 'lost')[] = sent.map(() => 'lost');
  for (const [index, ms] of sent.entries()) path.send(at(ms), Uint8Array.of(index));
  for (let next = path.pollTimeout(); next !== undefined; next = path.pollTimeout()) {
    for (let content = path.pollDelivery(next); content; content = path.pollDelivery(next)) {
      delays[content[0]!] = (next - at(sent[content[0]!]!)) / 1_000;
    }
  }
  return delays;
}

const RECORDING = '# time delay\n100 5\n110 lost\n120 7.5\n130 6\n';

test('a sender with the schedule of the recording meets its losses and delays exactly', () => {
  expect(delaysOf(traced(RECORDING), [0, 10, 20, 30])).toEqual([5, 'lost', 7.5, 6]);
});

test('datagrams between recorded ones meet the loss of the last one and a delay between both', () => {
  expect(delaysOf(traced(RECORDING), [5, 12, 24, 33])).toEqual([5 + 2.5 / 4, 'lost', 6.9, 6]);
});

test('the recording repeats one mean distance after its end', () => {
  expect(delaysOf(traced(RECORDING), [40, 50, 60, 70])).toEqual([5, 'lost', 7.5, 6]);
});

test('datagrams of one instant take the recorded ones of one instant in turn', () => {
  const burst = '0 1\n0 2\n0 lost\n0 3\n30 1\n';
  expect(delaysOf(traced(burst), [0, 0, 0, 0, 0, 30])).toEqual([1, 2, 'lost', 3, 3, 1]);
});

test('the delay of the link is added', () => {
  expect(delaysOf(traced(RECORDING, 'delay=20ms'), [0, 20])).toEqual([25, 27.5]);
});

test('a path that kept its order keeps it between recorded datagrams too', () => {
  const path = traced('0 10\n10 40\n20 30\n30 20\n40 10\n50 10\n');
  const sent = Array.from({ length: 101 }, (_, index) => index / 2);
  const arrivals = delaysOf(path, sent).map((delay, index) => sent[index]! + (delay as number));
  expect(arrivals).toEqual([...arrivals].sort((one, other) => one - other));
});

describe('malformed traces name the line', () => {
  test.each([
    ['', 'expected at least two times: one line per datagram, time and delay in ms, or lost'],
    ['1 2', 'expected at least two times: one line per datagram, time and delay in ms, or lost'],
    ['1 2\n2', "line 2: '2' is not a time and a delay in ms, or lost"],
    ['1 2\n2 -3', "line 2: '2 -3' is not a time and a delay in ms, or lost"],
    ['5 2\n2 3', 'line 2: times must not decrease'],
    ['5 2\n6 70000', 'line 2: a delay of more than 60000 ms'],
    ['5 2\n90000000 1', 'line 2: later than one day'],
    ['1 lost\n2 lost', 'every datagram is lost, so no delay is known'],
  ])('%j', (text, message) => {
    expect(parsePathTrace('x', text)).toEqual({ ok: false, malformed: message });
  });
});
