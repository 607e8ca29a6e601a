import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant, milliseconds } from '../../protocol/base/units.ts';
import { Link } from '../../sim/link/link.ts';
import { parseCapacityTrace } from '../../sim/link/stages/capacity-trace.ts';
import { link } from '../simulated-session.ts';

const COUNT = 600;

/** One setting per stage that lets all datagrams of this test through, so that each decision is observable. */
const STAGES: Readonly<Record<string, string>> = {
  loss: 'loss=20% burst=3',
  outage: 'outage=100ms-130ms',
  rate: 'rate=100mbit queue=10s/1GB/9999p',
  delay: 'delay=25ms',
  jitter: 'jitter=9ms',
  'fifo jitter': 'fifo-jitter=9ms',
  slip: 'slip=10%/2',
  duplication: 'dup=15%',
  corruption: 'corrupt=15%',
};

interface Seen {
  readonly lost: readonly boolean[];
  readonly duplicated: readonly boolean[];
  readonly corrupted: readonly boolean[];
}

/** Decisions of each stage about each datagram. */
function decisions(words: readonly string[]): Seen {
  const path = new Link(link(`${words.join(' ')} seed=13`), 'forward');
  const originals = Array.from({ length: COUNT }, (_, number) => {
    const content = new Uint8Array(40).fill(number & 0xff);
    // The number three times, so that one flipped bit cannot change it.
    for (const place of [0, 2, 4]) new DataView(content.buffer).setUint16(place, number);
    return content;
  });
  const fates = originals.map((original, number) => path.send(instant(milliseconds(number)), original));
  const corrupted = new Array<boolean>(COUNT).fill(false);
  for (let next = path.pollTimeout(); next !== undefined; next = path.pollTimeout()) {
    const content = path.pollDelivery(next);
    if (!content) continue;
    const view = new DataView(content.buffer, content.byteOffset);
    const [a, b, c] = [view.getUint16(0), view.getUint16(2), view.getUint16(4)];
    const number = a === b || a === c ? a : b;
    if (content.some((byte, index) => byte !== originals[number]![index])) corrupted[number] = true;
  }
  return {
    lost: fates.map((fate) => fate === 'lost'),
    duplicated: fates.map((fate) => fate === 'duplicated'),
    corrupted,
  };
}

describe('enabling a stage does not change the decisions of another', () => {
  const names = Object.keys(STAGES);
  const alone = {
    lost: decisions([STAGES.loss!]).lost,
    duplicated: decisions([STAGES.duplication!]).duplicated,
    corrupted: decisions([STAGES.corruption!]).corrupted,
  };

  test.each(names)('%s does not change loss, duplication and corruption', (name) => {
    const others = (stage: string) => [...new Set([STAGES[stage]!, STAGES[name]!])];
    const { lost } = decisions(others('loss'));
    if (name !== 'outage') expect(lost).toEqual(alone.lost);
    const duplication = decisions(others('duplication'));
    const corruption = decisions(others('corruption'));
    for (let number = 0; number < COUNT; number++) {
      if (!duplication.lost[number]) expect(duplication.duplicated[number]).toBe(alone.duplicated[number]);
      // Duplicates are corrupted independently, so only single deliveries can be compared.
      if (!corruption.lost[number] && !corruption.duplicated[number]) {
        expect(corruption.corrupted[number]).toBe(alone.corrupted[number]);
      }
    }
  });

  test('all stages together', () => {
    const { lost, duplicated } = decisions(Object.values(STAGES).filter((words) => words !== STAGES.outage));
    expect(lost).toEqual(alone.lost);
    for (const [number, each] of lost.entries()) {
      if (!each) expect(duplicated[number]).toBe(alone.duplicated[number]);
    }
  });

  test.each(['dup=30%', 'corrupt=30%', 'loss=30%', 'slip=0%/1', 'outage=50ms-60ms'])(
    '%s does not change the jitter',
    (words) => {
      const arrivals = (specification: string) => {
        const path = new Link(link(`jitter=9ms seed=3 ${specification}`), 'forward');
        const delays = new Map<number, number>();
        for (let number = 0; number < COUNT; number++) {
          path.send(
            instant(milliseconds(100 * number)),
            new Uint8Array([number >> 8, number & 0xff, 0, 0, 0, 0, 0, 0]),
          );
          const first = path.pollTimeout();
          if (first !== undefined) delays.set(number, first - milliseconds(100 * number));
          for (let next = first; next !== undefined; next = path.pollTimeout()) path.pollDelivery(next);
        }
        return delays;
      };
      const expected = arrivals('');
      const seen = arrivals(words);
      expect(seen.size).toBeGreaterThan(COUNT / 2);
      let same = 0;
      // The first arrival may be the duplicate, with a delay of its own, but never a later one.
      for (const [number, delay] of seen) {
        expect(delay).toBeLessThanOrEqual(expected.get(number)!);
        if (delay === expected.get(number)) same++;
      }
      expect(same).toBe(words.startsWith('dup') ? same : seen.size);
    },
  );
});

test('every datagram is delivered, lost, overflowed or in flight, in any configuration', () => {
  const trace = parseCapacityTrace('t', '1\n4\n9\n9\n30\n');
  if (!trace.ok) throw new Error(trace.malformed);
  const words = fc.record({
    loss: fc.constantFrom(
      'loss=3%',
      'ge=10%/30%/90%/5%',
      'ge=10%/30% step=frame',
      'ge=10%/30% step=5ms',
      'ctge=20%/20ms',
      'state4=10%/30%/5%/40%/1%',
      'onoff=exponential/50ms/10ms',
      'onoff=periodic/50ms/10ms',
      'drop=1/5/7-20',
      'shuffle=20%/10',
      'netem="loss 10% 25% duplicate 20% delay 20ms 30ms reorder 10% gap 3 rate 2mbit limit 20 corrupt 5%"',
    ),
    more: fc.subarray(
      [
        'position=pre',
        'outage=30ms-60ms',
        'delay=20ms',
        'jitter=30ms',
        'dist=normal',
        'order=kept',
        'fifo-jitter=20ms',
        'slip=30%/3',
        'dup=30%',
        'corrupt=30%',
        'rate=1mbit',
        'queue=20ms/4kB/3p',
      ],
      { minLength: 0 },
    ),
    change: fc.constantFrom('', 'at 100ms: loss=50% slip=none rate=300kbit', 'at 100ms: ge=50%/50% slip=50%/5'),
    traced: fc.boolean(),
    seed: fc.integer({ min: 0, max: 1_000 }),
  });
  fc.assert(
    fc.property(words, fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 100 }), (w, gaps) => {
      const netem = w.loss.startsWith('netem');
      const text = netem ? `${w.loss} seed=${w.seed}` : `${w.loss} ${w.more.join(' ')} seed=${w.seed} ${w.change}`;
      const specification = link(text);
      const path = new Link(
        w.traced && !netem ? { ...specification, capacity: trace.value } : specification,
        'forward',
      );
      let now = 0;
      let delivered = 0;
      for (const [number, gap] of gaps.entries()) {
        now += milliseconds(gap);
        while (path.pollDelivery(instant(now))) delivered++;
        path.send(instant(now), new Uint8Array(500), { frame: number >> 2 });
        const { counters } = path;
        expect(counters.delivered).toBe(delivered);
        expect(counters.offered + counters.duplicated).toBe(
          counters.delivered + counters.lost + counters.overflowed + counters.inFlight,
        );
        expect(path.stageCounters.lostByLoss + path.stageCounters.lostInOutages).toBe(counters.lost);
      }
      for (let next = path.pollTimeout(); next !== undefined; next = path.pollTimeout()) {
        expect(next).toBeGreaterThanOrEqual(0);
        expect(path.pollDelivery(next)).toBeDefined();
      }
      expect(path.counters).toMatchObject({ offered: gaps.length, inFlight: 0 });
    }),
    { numRuns: 300 },
  );
});
