import { describe, expect, test } from 'vitest';
import { meanLoss } from '../../../../sim/link/loss/loss-model.ts';
import { outageHash, outageSchedule } from '../../../../sim/link/loss/outage-schedule.ts';
import { SwitchingTimes } from '../../../../sim/link/loss/switching-times.ts';
import { LossProcess } from '../../../../sim/link/loss-process.ts';
import { RandomStream } from '../../../../sim/random.ts';
import { link } from '../../../simulated-session.ts';

const process = (text: string, direction = 'forward') => new LossProcess(link(text), direction);

/** The fates of datagrams sent every so many microseconds. */
function fates(text: string, count: number, every = 0): boolean[] {
  const loss = process(text);
  return Array.from({ length: count }, (_, index) => loss.next(index * every));
}

const share = (lost: readonly boolean[]): number => lost.filter(Boolean).length / lost.length;

/** 2.58 standard errors by the means of a hundred stretches, whatever the memory of the process. */
function expectShare(lost: readonly boolean[], expected: number): void {
  const size = lost.length / 100;
  const means = Array.from({ length: 100 }, (_, batch) => share(lost.slice(batch * size, (batch + 1) * size)));
  const mean = share(lost);
  const variance = means.reduce((sum, each) => sum + (each - mean) ** 2, 0) / 99;
  expect(Math.abs(mean - expected)).toBeLessThan(2.58 * Math.sqrt(variance / 100));
}

describe('Gilbert–Elliott', () => {
  test('with all lost in bad and nothing in good it is the same path as loss and burst', () => {
    // p = loss·r/(1 − loss) with r = 1/burst.
    expect(fates('ge=5%/20% seed=4', 5_000)).toEqual(fates('loss=20% burst=5 seed=4', 5_000));
  });

  test.each(['1%/30%/70%/0.1%', '3%/40%/95%/1%', '6.8%/85.2%/50%/4%', '2.5%/50%'])('%s loses its share', (numbers) => {
    const { lossModel } = link(`ge=${numbers}`);
    expectShare(fates(`ge=${numbers} seed=11`, 400_000), meanLoss(lossModel!));
  });

  test('by frame, all datagrams of a frame meet one state, and how many they are changes no other frame', () => {
    const run = (packets: (frame: number) => number) => {
      const loss = process('ge=20%/30% step=frame seed=2');
      return Array.from({ length: 300 }, (_, frame) => {
        const lost = Array.from({ length: packets(frame) }, () => loss.next(0, frame + 7));
        expect(new Set(lost).size).toBe(1);
        return lost[0];
      });
    };
    const once = run(() => 1);
    expect(run((frame) => 1 + (frame % 5))).toEqual(once);
    expect(once).toContain(true);
    expect(once).toContain(false);
  });

  test('by frame, where nobody tells the frames each datagram is one', () => {
    expect(fates('ge=20%/30% step=frame seed=2', 500)).toEqual(fates('ge=20%/30% seed=2', 500));
  });

  test('by time, who sends twice as much meets the same bad times', () => {
    const slow = fates('ge=5%/20% step=10ms seed=3', 2_000, 10_000);
    const fast = fates('ge=5%/20% step=10ms seed=3', 4_000, 5_000);
    expect(fast.filter((_, index) => index % 2 === 0)).toEqual(slow);
    expect(slow).toContain(true);
  });
});

describe('continuous time', () => {
  test('it loses its share', () => {
    expectShare(fates('ctge=2%/20ms/100%/0% seed=6', 300_000, 2_400), 0.02);
    expectShare(fates('ctge=10%/50ms/60%/1% seed=6', 300_000, 2_400), 0.069);
  });

  test('the bad times are the seed’s alone, however often and when someone asks', () => {
    const times = () =>
      new SwitchingTimes({
        random: new RandomStream(5, 'forward/loss-times'),
        meanGood: 980_000,
        meanBad: 20_000,
        startsBad: false,
        from: 0,
      });
    const switches = (step: number) => {
      const process = times();
      const seen: number[] = [];
      for (let at = 0; at < 100_000_000; at += step) {
        process.isBad(at);
        if (seen.at(-1) !== process.switchesAt) seen.push(process.switchesAt);
      }
      return seen;
    };
    const often = switches(50);
    expect(often.length).toBeGreaterThan(150);
    // Who looks seldom misses short states, and sees no other.
    for (const at of switches(7_000)) expect(often).toContain(at);
  });

  test('the mean sojourns are those asked for', () => {
    const random = new RandomStream(9, 'forward/loss-times');
    const times = new SwitchingTimes({ random, meanGood: 120_000, meanBad: 40_000, startsBad: false, from: 0 });
    const sums = { good: 0, bad: 0 };
    const count = 20_000;
    let since = 0;
    for (let sojourn = 0; sojourn < 2 * count; sojourn++) {
      const state = times.isBad(since) ? 'bad' : 'good';
      const at = times.switchesAt;
      sums[state] += at - since;
      since = at;
    }
    // The deviation of an exponential time is its mean.
    expect(Math.abs(sums.good / count - 120_000)).toBeLessThan((2.58 * 120_000) / Math.sqrt(count));
    expect(Math.abs(sums.bad / count - 40_000)).toBeLessThan((2.58 * 40_000) / Math.sqrt(count));
  });
});

describe('four states', () => {
  test.each(['2%/30%/5%/40%/0.1%', '1%', '5%/50%/0%/100%/2%'])('%s loses its share', (numbers) => {
    const { lossModel } = link(`state4=${numbers}`);
    expectShare(fates(`state4=${numbers} seed=8`, 400_000), meanLoss(lossModel!));
  });

  test('an isolated loss is followed by one that comes through', () => {
    const lost = fates('state4=0%/0%/0%/0%/40% seed=3', 10_000);
    expect(lost).toContain(true);
    expect(lost.some((each, index) => each && lost[index + 1])).toBe(false);
  });

  test('a burst that never ends loses everything in the long run', () => {
    expect(meanLoss(link('state4=1%/0%/0%/100%/0%').lossModel!)).toBe(1);
    expect(fates('state4=50%/0%/0%/100%/0%', 1_000).slice(100)).not.toContain(false);
  });
});

test('an exponential on/off link is away for its share of the time, and there at first', () => {
  const lost = fates('onoff=exponential/90ms/10ms seed=7', 300_000, 1_000);
  expect(lost[0]).toBe(false);
  expectShare(lost, 0.1);
});

test('a periodic on/off link is away at the same times in every round', () => {
  const lost = fates('onoff=periodic/30ms/20ms', 15, 10_000);
  expect(lost.map(Number)).toEqual([0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1]);
});

test('a drop list loses the datagrams with its numbers, the first being number 1', () => {
  expect(fates('drop=1/3/6-7', 9).map(Number)).toEqual([1, 0, 1, 0, 0, 1, 1, 0, 0]);
});

test('a shuffled block loses the same number in every block, at other places', () => {
  const lost = fates('shuffle=5%/40 seed=5', 40 * 500);
  const places = Array.from({ length: 500 }, (_, block) =>
    lost.slice(block * 40, (block + 1) * 40).flatMap((each, place) => (each ? [place] : [])),
  );
  for (const place of places) expect(place).toHaveLength(2);
  expect(new Set(places.flat()).size).toBe(40);
});

describe('the schedule of a link that loses by time', () => {
  test.each(['ctge=20%/30ms', 'onoff=exponential/70ms/20ms', 'onoff=periodic/70ms/20ms'])(
    '%s is what its datagrams meet, and no other link meets',
    (words) => {
      const until = 3_000_000;
      const schedule = outageSchedule(link(`${words} seed=5`), 'forward', until);
      expect(schedule.length).toBeGreaterThan(20);
      const bad = (at: number) => schedule.filter((switchesAt) => switchesAt <= at).length % 2 === 1;
      const expected = Array.from({ length: until / 1_000 }, (_, index) => bad(index * 1_000));
      expect(fates(`${words} seed=5`, until / 1_000, 1_000)).toEqual(expected);
      // Whatever else the link does.
      const same = outageSchedule(link(`${words} seed=5 delay=9ms rate=1mbit dup=5%`), 'forward', until);
      expect(outageHash(same)).toBe(outageHash(schedule));
      if (words.includes('periodic')) return;
      expect(outageHash(outageSchedule(link(`${words} seed=6`), 'forward', until))).not.toBe(outageHash(schedule));
      expect(outageHash(outageSchedule(link(`${words} seed=5`), 'back', until))).not.toBe(outageHash(schedule));
    },
  );

  test('loss by number has none', () => {
    expect(outageSchedule(link('loss=5% burst=3'), 'forward', 1e9)).toEqual([]);
  });
});

describe('a model that changes in its course', () => {
  test('draws on: a chain whose numbers stay the same goes on as if nothing had been', () => {
    const changed = process('ge=5%/20%/90%/1% seed=4');
    const expected = fates('ge=5%/20%/90%/1% seed=4', 1_000);
    const seen = Array.from({ length: 1_000 }, (_, index) => {
      if (index % 100 === 50) changed.reconfigure(link('ge=5%/20%/90%/1% seed=99'), index);
      return changed.next(index);
    });
    expect(seen).toEqual(expected);
  });

  test('does not begin the seed again: after the change come other fates than at the beginning', () => {
    const changed = process('loss=10% seed=4');
    const first = Array.from({ length: 500 }, () => changed.next());
    changed.reconfigure(link('loss=10% burst=1.2 seed=4'), 500);
    changed.reconfigure(link('loss=10% seed=4'), 500);
    const second = Array.from({ length: 500 }, () => changed.next());
    expect(second).not.toEqual(first);
    expect([...first, ...second]).toEqual(fates('loss=10% seed=4', 1_000));
  });
});
