import { describe, expect, test } from 'vitest';
import type { FlowDescription, FlowLoad } from '../../../lab/flows/flow-description.ts';
import { jainIndex } from '../../../lab/flows/flow-meter.ts';
import { runShared, type SharedRunOptions } from '../../../lab/flows/shared-run.ts';
import { START } from '../../../lab/media-run.ts';
import { instant, milliseconds, seconds } from '../../../protocol/base/units.ts';
import { link } from '../../simulated-session.ts';

const SOURCE = { kind: 'synthetic', fps: 30, kbps: 1_000, keyInterval: 30, keyFrameRatio: 4, frames: 300 } as const;

const flow = (name: string, load: FlowLoad, rest: Partial<FlowDescription> = {}): FlowDescription => ({
  name,
  load,
  startMs: 0,
  direction: 'forward',
  ...rest,
});
const constant = (kbps: number): FlowLoad => ({ kind: 'constant', kbps, packetBytes: 972 });
const media = (strategy: 'hybrid' | 'nack' | 'tcp-cubic'): FlowLoad => {
  return { kind: 'media', strategy, parameters: {}, source: SOURCE };
};

function run(forward: string, flows: readonly FlowDescription[], changes: Partial<SharedRunOptions> = {}) {
  return runShared({
    forward: link(`${forward} seed=4`),
    back: link('delay=20ms seed=4'),
    flows,
    files: new Map(),
    traces: new Map(),
    endsAt: instant(START + seconds(10)),
    warmUpSeconds: 0,
    budget: milliseconds(300),
    release: 'deadline',
    seed: 4,
    ...changes,
  });
}

const rateOf = (result: ReturnType<typeof run>, name: string): number =>
  result.flows.find(({ description }) => description.name === name)!.figures.flowRate;

describe('constant streams', () => {
  // 972 bytes and 28 of headers: the line sees 1,000/972 of the payload rate.
  test('within the capacity get what they send, and wait for each other only', () => {
    const result = run('rate=4mbit', [flow('a', constant(972)), flow('b', constant(1_944))]);
    expect(rateOf(result, 'a')).toBeCloseTo(1_000_000, -4);
    expect(rateOf(result, 'b')).toBeCloseTo(2_000_000, -4);
    for (const { figures } of result.flows) {
      expect(figures.flowDropped).toBe(0);
      expect(figures.queueUsMean).toBeLessThanOrEqual(2_000);
    }
  });

  test('that exceed the link together share it by their rates under tail drop, and equally under fq-codel', () => {
    const flows = [flow('a', constant(3_000)), flow('b', constant(9_000))];
    const dropTail = run('rate=4mbit queue=50ms', flows);
    expect(rateOf(dropTail, 'b') / rateOf(dropTail, 'a')).toBeGreaterThan(1.5);
    const fair = run('rate=4mbit queue=50ms qdisc=fq-codel', flows);
    expect(rateOf(fair, 'b') / rateOf(fair, 'a')).toBeCloseTo(1, 1);
    expect(fair.flows[0]!.figures.jain).toBeGreaterThan(0.999);
    expect(fair.flows[0]!.figures.capacityShare).toBeCloseTo(0.5, 2);
    expect(fair.flows[1]!.figures.fairRatio).toBeCloseTo(1, 1);
  });

  test('start and stop at their times', () => {
    const result = run('rate=4mbit', [flow('a', constant(972), { startMs: 2_000, stopMs: 4_000 })]);
    const [first, last] = [2, 4].map((second) => second * 2);
    for (const { atMs, rate } of result.rates) {
      const bin = atMs / 500;
      // The cell begins 1 ms after its links.
      if (bin < first! || bin > last!) expect(rate).toBe(0);
      else if (bin > first! && bin < last!) expect(rate).toBeCloseTo(1_000_000, -5);
    }
    expect(result.flows[0]!.figures).toMatchObject({ flowFromMs: 2_001, flowUntilMs: 4_001 });
  });
});

test('a media flow alone on a shared link has the frames that it has on a link of its own', () => {
  const result = run('rate=4mbit loss=2% delay=20ms', [flow('h', media('hybrid'))]);
  const { frames } = result.flows[0]!.run.media!;
  result.flows[0]!.run.media!.conclude(instant(result.simulatedUs));
  expect(frames.length).toBe(300);
  const inTime = Array.from({ length: 300 }, (_, row) => frames.class(row)).filter(
    (each) => each === 'onTime' || each === 'recovered',
  );
  expect(inTime.length).toBeGreaterThan(290);
});

test('downloads fill the link, two of a kind equally, and a stopped flow leaves it to the other', () => {
  const download: FlowLoad = { kind: 'download', strategy: 'tcp-cubic' };
  const result = run('rate=6mbit delay=20ms queue=150ms', [
    flow('a', download),
    flow('b', download, { stopMs: 5_000 }),
  ]);
  const late = result.rates.filter(({ atMs }) => atMs >= 6_000 && atMs < 9_500);
  expect(late.filter(({ flow: name }) => name === 'b').every(({ rate }) => rate === 0)).toBe(true);
  const alone = late.filter(({ flow: name }) => name === 'a').map(({ rate }) => rate);
  expect(alone.reduce((sum, rate) => sum + rate, 0) / alone.length).toBeGreaterThan(5.7e6);
  expect(result.flows[0]!.figures.jain).toBeGreaterThan(0.85);
});

test('short transfers end, pause and restart, and another seed chooses others', () => {
  const transfers: FlowLoad = {
    kind: 'download',
    strategy: 'tcp-cubic',
    transferBytes: [30_000, 50_000],
    pauseMs: 400,
  };
  const [one, other] = [4, 5].map((seed) => run('rate=6mbit delay=20ms', [flow('a', transfers)], { seed }));
  const bytes = (one!.flows[0]!.figures.flowRate * 10) / 8;
  // About 1.5 to 2 transfers a second, with headers.
  expect(bytes).toBeGreaterThan(8 * 30_000);
  expect(bytes).toBeLessThan(30 * 52_000);
  expect(other!.flows[0]!.figures.flowRate).not.toBe(one!.flows[0]!.figures.flowRate);
  expect(one!.rates.some(({ rate }) => rate === 0)).toBe(true);
});

test('the access of a flow delays it in both directions, and no other flow', () => {
  const flows = [flow('near', media('nack')), flow('far', media('nack'), { access: 'delay=60ms seed=4' })];
  const result = run('rate=8mbit delay=20ms', flows);
  const delays = result.flows.map(({ run: { media: own } }) => {
    own!.conclude(instant(result.simulatedUs));
    const { frames } = own!;
    return frames.time(100, 'completeAt') - frames.time(100, 'capturedAt');
  });
  expect(delays[1]! - delays[0]!).toBeGreaterThan(50_000);
  expect(delays[1]! - delays[0]!).toBeLessThan(75_000);
});

test('a backward flow shares the path of the feedback', () => {
  const result = run(
    'rate=8mbit delay=20ms',
    [flow('h', media('hybrid')), flow('k', constant(972), { direction: 'back' })],
    {
      back: link('rate=2mbit delay=20ms seed=4'),
    },
  );
  expect(result.flows[1]!.figures).toMatchObject({ flowDirection: 'back', jain: null });
  expect(result.flows[1]!.figures.capacityShare).toBeCloseTo(0.5, 1);
});

test('the same options give exactly the same figures', () => {
  const flows = [
    flow('h', media('hybrid')),
    flow('c', { kind: 'download', strategy: 'tcp-cubic' }),
    flow('b', { kind: 'download', strategy: 'tcp-bbr' }, { startMs: 1_000 }),
  ];
  const [one, again] = [1, 2].map(() => run('rate=6mbit delay=20ms loss=1% queue=100ms qdisc=codel', flows));
  expect(one!.flows.map(({ figures }) => figures)).toEqual(again!.flows.map(({ figures }) => figures));
  expect(one!.rates).toEqual(again!.rates);
});

test("Jain's index is 1 for equal rates and 1/n when one flow has all", () => {
  expect(jainIndex([2, 2, 2])).toBeCloseTo(1);
  expect(jainIndex([6, 0, 0])).toBeCloseTo(1 / 3);
  expect(jainIndex([1])).toBeNull();
  expect(jainIndex([0, 0])).toBeNull();
});
